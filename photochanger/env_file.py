"""The text of a ``.env`` file and of values that come from elsewhere: as written, or a clear stop.

Nothing is replaced (``$HOME`` is five signs), and no message repeats what a line holds: it may be
a secret.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from photochanger.parsing import INVISIBLE, decode_text

LINE_BREAK = re.compile(r"\r\n|\n|\r")
ASSIGNMENT = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=(.*)", re.DOTALL)
ESCAPES = re.compile(r'\\(["\\$`])')  # of a shell's double quotes; any other backslash is itself
SECRET_NAME = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|DATABASE_URL|PROXY_URL")


@dataclass(frozen=True, slots=True)
class Line:
    """One assignment of a file; ``problem`` says why its value is not clear."""

    number: int
    name: str = ""
    value: str = ""
    problem: str = ""


def decode_file(data: bytes) -> str:
    """A settings file in UTF-8, UTF-16 (Windows' "Unicode") or windows-1251."""
    sample = data[:200]
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and sample.count(0) > len(sample) // 4:
        return data.decode("utf-16-le" if sample[1::2].count(0) else "utf-16-be", "replace")
    return decode_text(data).removeprefix("\ufeff")


def read_lines(text: str) -> Iterator[Line]:
    """The assignments of a file, in order; comments and empty lines are left out."""
    for number, line in enumerate(LINE_BREAK.split(text), start=1):
        line = line.strip(INVISIBLE)
        if not line or line[0] in "#;":
            continue
        match = ASSIGNMENT.fullmatch(line)
        if match is None:
            yield Line(number, problem="this is not NAME=value, nor a comment that begins with #")
            continue
        name = match[1]
        if name.lower() == "environment" and "=" in match[2]:
            yield Line(number, problem="leave out Environment=, this file is no systemd unit")
            continue
        value, problem = read_value(name, match[2])
        yield Line(number, name, value, f"{name}: {problem}" if problem else "")


def read_value(name: str, text: str) -> tuple[str, str]:
    """A value as it is meant, and why it is not clear ("" when it is)."""
    text = text.strip(INVISIBLE)
    if "\0" in text:
        return "", "there is a NUL character in it"
    if text[:1] in ("'", '"'):
        return _read_quoted(text)
    if text.startswith("#"):
        # "NAME=   # what it is for": an empty value with a comment, but for a secret who knows.
        return "", "a value that begins with # must be put into quotes" if _is_secret(name) else ""
    bare, *comment = re.split(r"\s#", text, maxsplit=1)
    if comment and _is_secret(name):
        return "", (
            "' #' may begin a comment or belong to the value: put the value into quotes, and a "
            "comment on a line of its own"
        )
    return bare.rstrip(INVISIBLE), ""


def _is_secret(name: str) -> bool:
    return bool(SECRET_NAME.search(name.upper()))


def _read_quoted(text: str) -> tuple[str, str]:
    quote = text[0]
    body = r"[^']*" if quote == "'" else r'(?:[^"\\]|\\.)*'
    match = re.fullmatch(rf"{quote}({body}){quote}(\s*|\s+#.*)", text, re.DOTALL)
    if match is None:
        return "", (
            f"it begins with {quote} and does not end with it: close the quote, or put the whole "
            "value into quotes of the other kind"
        )
    return (match[1] if quote == "'" else ESCAPES.sub(r"\1", match[1])), ""


def clean_variable(name: str, text: str) -> str:
    """A value out of the real environment, where a shell has had its say already.

    ``docker run --env-file`` leaves quotes and comments in it; a secret may hold both.
    """
    text = text.strip(INVISIBLE)
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        value, problem = _read_quoted(text)
        return text if problem else value
    if _is_secret(name):
        return text
    return re.split(r"(?:\A|\s)#", text, maxsplit=1)[0].rstrip(INVISIBLE)
