"""The language of prompts: words that change with the photo.

    {people}                         how many people are in the photo, as a number
    {people|several}                 the same; "several" is for when the number is not known
    {people: one | more}             words for one person, or for more
    {people: one | two | group}      words for one, for two, for a group
    {people: one | two | group | ?}  the last ones are for when the number is not known
    {name}                           a text of the booth, if the slot's list has it

Everything else stays as it is written, other braces too; what has two, ``{{name}}``, is never
touched. A prompt is read once, before anything is put in: what comes from outside is never read.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

PEOPLE = "people"
LEAST_PARTS, MOST_PARTS = 2, 4
# For ``{people}`` while the number is not known, as after "a portrait of".
ALL_OF_THEM = {"en": "all", "ru": "всех"}
TOKEN = re.compile(
    r"""
      (?P<kept>\{\{[^{}]*\}\})
    | \{\s*people\s*:(?P<parts>(?:[^{}]|\{[^{}]*\})*)\}
    | \{\s*people\s*(?:\|(?P<otherwise>[^{}|]*))?(?P<number>\})
    | \{\s*(?P<name>[^\W\d]\w{0,29})\s*\}
    """,
    re.VERBOSE | re.IGNORECASE,
)
BETWEEN_PARTS = re.compile(r"\|(?![^{}]*\})")  # not one within braces
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Number:
    """``{people}``; ``otherwise`` is said while the number is not known."""

    otherwise: str


@dataclass(frozen=True, slots=True)
class Place:
    """``{name}``: where a text of the booth goes."""

    name: str
    written: str  # with its braces: it stays so where the list has no such name


@dataclass(frozen=True, slots=True)
class Choice:
    """``{people: one | two | group}``, of LEAST_PARTS to MOST_PARTS parts."""

    parts: tuple["Prompt", ...]

    def choose(self, people: int | None) -> "Prompt":
        """None or 0: not known, which the fourth part is for, or else the last one."""
        known = self.parts[: MOST_PARTS - 1]
        return known[min(people, len(known)) - 1] if people else self.parts[-1]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt that has been read."""

    pieces: tuple[str | Number | Place | Choice, ...]

    def fill(self, people: int | None, texts: Mapping[str, str]) -> str:
        """The words for one photo. ``texts`` by their names as ``fold_name`` has them; a name that
        is not among them stays as it is written."""
        return "".join(_say(piece, people, texts) for piece in self.pieces)

    @property
    def asks_for_people(self) -> bool:
        return any(isinstance(piece, Number | Choice) for piece in self.pieces)

    def iter_names(self) -> Iterator[str]:
        """Of the places, in every part, each as often as it stands there."""
        for piece in self.pieces:
            if isinstance(piece, Place):
                yield piece.name
            elif isinstance(piece, Choice):
                for part in piece.parts:
                    yield from part.iter_names()


def _say(piece: str | Number | Place | Choice, people: int | None, texts: Mapping[str, str]) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Number):
        return str(people) if people else piece.otherwise
    if isinstance(piece, Place):
        return texts.get(piece.name, piece.written)
    return piece.choose(people).fill(people, texts)


def read_prompt(text: str) -> Prompt:
    """Read a prompt. What is not understood stays as it is written: ``find_mistakes`` tells."""
    if "{" not in text:
        return Prompt((text,))
    return _read(text, ALL_OF_THEM[guess_language(text)])


def _read(text: str, otherwise: str) -> Prompt:
    pieces: list[str | Number | Place | Choice] = []
    end = 0
    for token in TOKEN.finditer(text):
        pieces += (text[end : token.start()], _read_token(token, otherwise))
        end = token.end()
    return Prompt(tuple(piece for piece in (*pieces, text[end:]) if piece))


def _read_token(token: re.Match[str], otherwise: str) -> str | Number | Place | Choice:
    if (name := token["name"]) is not None:
        return Place(fold_name(name), token[0])
    if token["number"]:
        words = token["otherwise"]
        return Number(otherwise if words is None else words.strip())
    if (inner := token["parts"]) is not None:
        parts = split_parts(inner)
        if LEAST_PARTS <= len(parts) <= MOST_PARTS:
            return Choice(tuple(_read(part, otherwise) for part in parts))
    return token[0]


def split_parts(inner: str) -> list[str]:
    return [part.strip() for part in BETWEEN_PARTS.split(inner)]


def fold_name(name: str) -> str:
    """``{Name}`` and ``{name}`` are one."""
    return unicodedata.normalize("NFC", name).casefold()


def guess_language(text: str) -> str:
    """The language in which words of ours go beside an operator's: "ru" or "en"."""
    return "ru" if CYRILLIC.search(text) else "en"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What somebody most likely meant otherwise; ``kind`` is one of those in ``wording``."""

    kind: str
    written: str = ""
    count: int = 0


STARTED = re.compile(r"\{\s*people\s*[:|]", re.IGNORECASE)


def find_mistakes(text: str, names: Collection[str]) -> list[Mistake]:
    """What cannot be meant as it is written; ``names`` are the slot's own.

    Without any list of names ``{words}`` are ordinary braces.
    """
    found: list[Mistake] = []
    rest, end = [], 0
    for token in TOKEN.finditer(text):
        rest.append(text[end : token.start()])
        end = token.end()
        found += _judge_token(token, {fold_name(name) for name in names})
    rest.append(text[end:])
    found += [Mistake("open") for between in rest if STARTED.search(between)]
    return found


def _judge_token(token: re.Match[str], names: Collection[str]) -> Iterator[Mistake]:
    name, inner = token["name"], token["parts"]
    if name is not None and names and fold_name(name) not in names:
        yield Mistake("unknown", written=token[0])
    if inner is not None:
        parts = split_parts(inner)
        if not LEAST_PARTS <= len(parts) <= MOST_PARTS:
            yield Mistake("parts", count=len(parts))
        elif not any(parts):
            yield Mistake("empty")
        for part in parts:
            yield from find_mistakes(part, names)
