"""One reading of ``.env``, the environment and ``NAME_FILE`` for all variables.

What is not clear stops the start: every fault in one message, with the variable's name and line,
never with its value.
"""

import difflib
import os
import re
import sys
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import environ

from photochanger.database_url import build_database
from photochanger.env_file import clean_variable, decode_file, read_lines
from photochanger.host_names import normalize_address
from photochanger.parsing import decode_text
from photochanger.redaction import remember_secret
from photochanger.value_checks import check_path

T = TypeVar("T")
Check = Callable[[str], str]
TRUE, FALSE = {"true", "1", "yes", "on", "y", "t"}, {"false", "0", "no", "off", "n", "f"}
MAX_FILE_BYTES = 1024 * 1024
FROM_ENVIRONMENT = "in the environment"
SECRET_NAME = re.compile(r"(_KEY|_KEY_ID|_KEY_FALLBACKS|_TOKEN)$")
SHORTEST_SECRET = 16  # shorter ones of tests and demos are words, which logs need
# Beside ours in the same file, and near to them in spelling only.
FOREIGN = {"ENV_FILE", "SITE_ADDRESS", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD"}


@dataclass(frozen=True, slots=True)
class Text:
    """A variable's text, and where it stands: for people."""

    value: str
    where: str


class Environment:
    """Reads variables; faults are collected, and ``stop_if_wrong`` tells all of them at once."""

    def __init__(self, variables: MutableMapping[str, str]) -> None:
        self.faults: list[str] = []
        self._asked: set[str] = set()
        self._texts: dict[str, Text] = {}
        for name, raw in variables.items():
            value = clean_variable(name, decode_text(os.fsencode(raw)))
            self._texts[name] = Text(value, FROM_ENVIRONMENT)

    def read_file(self, path: str, *, is_required: bool) -> None:
        """Take the variables of a ``.env`` file that the environment does not set."""
        if not is_required and not Path(path).exists():
            return
        text = self._read_text(path, "ENV_FILE" if is_required else Path(path).name)
        if text is None:
            return
        lines: dict[str, tuple[int, str]] = {}
        for line in read_lines(text):
            where = f"{Path(path).name}, line {line.number}"
            if line.problem:
                self.faults.append(f"{where}: {line.problem}.")
            elif line.name in lines and lines[line.name][1] != line.value:
                first = lines[line.name][0]
                self.faults.append(f"{where}: {line.name} is there twice, see line {first}.")
            lines.setdefault(line.name, (line.number, line.value))
            if line.name:
                self._texts.setdefault(line.name, Text(line.value, where))

    def export(self, variables: MutableMapping[str, str]) -> None:
        """Hand the file's variables on to libraries, which look into the environment."""
        for name, text in self._texts.items():
            if "\0" not in text.value:
                variables.setdefault(name, text.value)

    def _read_text(self, path: str, name: str) -> str | None:
        """The text of a file; None, and a fault, when it cannot be had."""
        try:
            with Path(check_path(path)).open("rb") as file:
                data = file.read(MAX_FILE_BYTES)
        except OSError as exc:
            self.faults.append(f"{name}: the file cannot be read ({exc.strerror}).")
            return None
        except ValueError as exc:
            words = "is not a path" if "\0" in path else exc
            self.faults.append(f"{name} {words}.")
            return None
        return decode_file(data)

    def find(self, name: str) -> Text | None:
        """The variable's text; None when it is empty or not there."""
        self._asked |= {name, f"{name}_FILE"}
        file = self._texts.get(f"{name}_FILE")
        if file is None or not file.value:
            return self._texts.get(name)
        text = self._read_text(file.value, f"{name}_FILE")
        if text is None:
            return Text("", "")
        value = clean_variable(f"{name}_SECRET", text)  # its blanks at the ends are the editor's
        if re.search(r"[\0\r\n]", value):
            self.faults.append(f"{name}_FILE: the file must hold the value alone, on one line.")
            return Text("", "")
        return Text(value, f"from {name}_FILE")

    def _convert(self, name: str, default: T, convert: Callable[[str], T]) -> T:
        """``convert`` raises ValueError with words that do not repeat the value."""
        text = self.find(name)
        if text is None or not text.value:
            return default
        self._remember(name, text.value)
        try:
            return convert(text.value)
        except ValueError as exc:
            self.faults.append(f"{name} ({text.where}) {exc}.")
            return default

    def _remember(self, name: str, value: str) -> None:
        """No log line may hold it from now on."""
        for secret in value.split(",") if SECRET_NAME.search(name) else ():
            if len(secret.strip()) >= SHORTEST_SECRET:
                remember_secret(secret.strip())

    def get_text(self, name: str, default: str, *, check: Check | None = None) -> str:
        """``check`` returns the value as it shall be, or raises ValueError without repeating it."""
        return self._convert(name, default, lambda text: (check or str)(_check_printable(text)))

    def get_key(self, name: str, default: str = "") -> str:
        """A key that travels in a header: as the console accepts it."""
        return self._convert(name, default, _check_key)

    def get_flag(self, name: str, default: bool) -> bool:
        return self._convert(name, default, _parse_bool)

    def get_number(self, name: str, default: int) -> int:
        return self._convert(name, default, _parse_int)

    def get_choice(self, name: str, default: str, *, of: Sequence[str]) -> str:
        """One of a few words, in any case."""

        def pick(text: str) -> str:
            for word in of:
                if word.lower() == text.lower():
                    return word
            raise ValueError(f"must be one of: {', '.join(of)}")

        return self._convert(name, default, pick)

    def get_list(self, name: str, default: list[str], *, check: Check | None = None) -> list[str]:
        """Separated by commas; set to nothing it is empty. ``check`` returns each as meant."""
        text = self.find(name)
        if text is not None and not text.value:
            return []
        return self._convert(name, default, lambda value: _split(value, check or str))

    def get_address(self, name: str, default: str) -> str:
        """An address as it is called and handed out, without a slash at its end."""
        return self.get_text(name, default, check=normalize_address).rstrip("/")

    def get_path(self, name: str, default: Path) -> Path:
        return Path(self.get_text(name, str(default), check=check_path))

    def get_database(self, name: str, default: str) -> dict[str, Any]:
        default_database: dict[str, Any] = environ.Env.db_url_config(default)
        return self._convert(name, default_database, build_database)

    def find_misspelled(self) -> list[str]:
        """Unknown names that look like ours; in the environment, only those very near."""
        known = sorted(name for name in self._asked if not name.endswith("_FILE"))
        found = []
        for name, text in self._texts.items():
            if name in self._asked or name in FOREIGN:
                continue
            cutoff = 0.9 if text.where == FROM_ENVIRONMENT else 0.78
            if near := difflib.get_close_matches(name.upper(), known, n=1, cutoff=cutoff):
                found.append(f"{name} ({text.where}) is not known. Is {near[0]} meant?")
        return found

    def stop_if_wrong(self) -> None:
        """Raises SystemExit with every fault in words."""
        if self.faults:
            listed = "\n".join(f"  - {fault}" for fault in self.faults)
            sys.exit(f"PhotoChanger cannot start, its settings are not clear:\n{listed}")


def _check_printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("has characters that cannot be seen")
    return value


def _check_key(value: str) -> str:
    if not re.fullmatch(r"[!-~]{1,500}", value):
        raise ValueError("must have neither spaces nor special characters, and at most 500 in all")
    return value


def _parse_bool(value: str) -> bool:
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise ValueError("must be true or false")


def _parse_int(value: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", value):
        raise ValueError("must be a whole number, without a unit")
    return int(value)


def _split(value: str, check: Check) -> list[str]:
    items = [item.strip().strip("'\"") for item in value.split(",")]
    for item in filter(None, items):
        if re.search(r"\s|;", item) or not item.isprintable():
            raise ValueError("must be a list separated by commas")
    return [check(item) for item in items if item]
