"""Secrets are seen nowhere: whatever repeats one of them, it is cut out of the text.

A service may quote our key in any of its words: Google does, when it suspends one. A process knows
the secrets that it has used, in every form in which a text may carry them, and cuts them where
foreign words become ours (errors, what is kept of a call) and from every log line.
"""

import re
import unicodedata
from collections.abc import Iterable

from photochanger.redaction.encodings import LONG_WORD, list_readings
from photochanger.redaction.forms import list_forms, squeeze

MASK = "***"
RUN = 8  # so many characters of a secret in a row are as good as all of it
# Any run of 8 holds one of its pieces of 6 at a multiple of 3: a third of the looking up.
PIECE, STEP = 6, 3
SHORTEST = 4  # what is shorter stands in every other word
MAX_SECRETS = 50  # in memory; the oldest is forgotten
# Characters that are looked at, on the event loop: 30 ms where each is in an odd dress. Of a longer
# text both ends are kept.
LONGEST = 20_000
# Secrets of installations that this process has never used, and other people's.
KEY_PATTERNS = [
    re.compile(r"\bBearer\s+[\w.~+/=-]{12,}", re.IGNORECASE),
    re.compile(r"\bapi[_-]?key[\"']?\s*[:=]\s*[\"']?[\w.~+/=-]{12,}", re.IGNORECASE),
]
# One character, in whatever dress: %41 %2541 %u0041, \u0041 \U00000041 \u{041}, \x41, \101,
# &#065; &#x041;
_CHARACTER = re.compile(
    r"%(?:25)*([0-9a-f]{2})|%(?:25)*u([0-9a-f]{4})|\\u(?:0000(?=00[2-7]))?([0-9a-f]{4})"
    r"|\\[ux]\{0*([0-9a-f]{1,6})\}|\\x([0-9a-f]{2})|&\#x0*([0-9a-f]{1,6});?"
    r"|&\#0*([0-9]{1,7});?|\\([01]?[0-7]{2})|.",
    re.IGNORECASE | re.DOTALL,
)
_BASES = (0, 16, 16, 16, 16, 16, 16, 10, 8)  # of the digits, by group
_ESCAPE = re.compile(r"%u?[0-9a-f]{2}|\\[ux0-7]|&\#", re.IGNORECASE)


class _Known:
    """The secrets of this process, and their pieces, ready to be looked for."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = tuple(secrets)
        forms = {form for secret in self.secrets for form in list_forms(secret)}
        self.pieces = _cut_in_pieces(forms, PIECE)
        self.runs = _cut_in_pieces(forms, RUN)
        self.short = tuple(s for s in self.secrets if len(squeeze(s)) < RUN)


def _cut_in_pieces(forms: Iterable[str], size: int) -> frozenset[str]:
    return frozenset(
        form[start : start + size] for form in forms for start in range(len(form) - size + 1)
    )


_known = _Known()


def remember_secret(secret: str) -> None:
    """From now on no text of ours holds it. The same one again costs nothing."""
    global _known  # replaced as a whole, so that no reader needs a lock
    if len(secret) >= SHORTEST and secret not in _known.secrets:
        _known = _Known((*_known.secrets[1 - MAX_SECRETS :], secret))


def remember_key_pattern(pattern: str) -> None:
    """A regular expression of every key of a service."""
    KEY_PATTERNS.append(re.compile(pattern))


def redact(text: str) -> str:
    """``text`` without any secret, known or by its pattern; in whole or in parts, split, encoded.

    At most ``LONGEST`` characters of it, whatever a service has written.
    """
    known = _known
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
    for secret in known.short:
        text = text.replace(secret, MASK)
    if _may_hold(text, known):
        text = _cut_out(text, known)
    if known.runs:
        text = LONG_WORD.sub(lambda word: MASK if _is_encoded(word[0], known) else word[0], text)
    for pattern in KEY_PATTERNS:
        text = pattern.sub(MASK, text)
    return text


def _may_hold(text: str, known: _Known) -> bool:
    """Whether to look closely; a text that holds nothing costs microseconds."""
    if _ESCAPE.search(text):
        bare = _undress(text)[0]
    else:
        bare = squeeze(text if text.isascii() else unicodedata.normalize("NFKC", text))
    return any(
        bare[start : start + PIECE] in known.pieces
        for start in range(0, len(bare) - PIECE + 1, STEP)
    )


def _is_encoded(word: str, known: _Known) -> bool:
    """Whether it is base64, base32 or hex of a secret: in any case, backwards, in UTF-16, twice."""
    return any(
        _may_hold(reading, known) and bool(_find_runs(reading, known.runs))
        for reading in list_readings(word)
    )


def _cut_out(text: str, known: _Known) -> str:
    """Mask each run of a secret's characters, whatever stands between them."""
    bare, places = _undress(text)
    kept: list[str] = []
    end = 0
    for first, last in _find_runs(bare, known.runs):
        kept += (text[end : places[first][0]], MASK)
        end = places[last][1]
    return "".join((*kept, text[end:]))


def _undress(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The letters and digits of a text, and from where to where each of them stands."""
    letters, places = [], []
    for match in _CHARACTER.finditer(text):
        group = match.lastindex or 0
        shown = _decode(match[group], _BASES[group]) if group else match[0]
        for letter in squeeze(unicodedata.normalize("NFKC", shown)):
            letters.append(letter)
            places.append(match.span())
    return "".join(letters), places


def _decode(digits: str, base: int) -> str:
    number = int(digits, base)
    return chr(number) if number < 0x110000 else ""


def _find_runs(bare: str, runs: frozenset[str]) -> list[tuple[int, int]]:
    """First and last index of each stretch that is made of runs."""
    found: list[tuple[int, int]] = []
    for start in range(len(bare) - RUN + 1):
        if bare[start : start + RUN] in runs:
            last = start + RUN - 1
            if found and start <= found[-1][1] + 1:
                found[-1] = (found[-1][0], last)
            else:
                found.append((start, last))
    return found
