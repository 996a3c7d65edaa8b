"""Reads deploy/runbooks: its shell blocks, line by line, and what each line calls by name."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from django.core.management import CommandError, get_commands, load_command_class
from django.urls import Resolver404, resolve

from photochanger.testing.databases import BASE_DIR

FOLDER = BASE_DIR / "deploy/runbooks"
COMPOSE = BASE_DIR / "deploy/compose.yaml"
RUNS = "<!-- runs -->"  # before a block: the test runs it, on a scratch installation

# Programs of the system: that they are there is not ours to check.
SYSTEM = {
    *("cd", "chown", "cp", "df", "diff", "du", "git", "install", "ls", "mkdir", "true"),
    *("certbot", "chmod", "nano", "nginx", "printf", "rm", "sed", "sh", "tee"),
    *("apt-get", "createdb", "createuser", "useradd", "journalctl", "systemctl", "docker", "curl"),
}
PLACEHOLDER = r"[А-ЯЁ_]{3,}"  # what the reader puts something else for
COMPOSE_OPTIONS_WITH_VALUE = {"--user", "--volume", "--entrypoint", "--tail"}


@dataclass(frozen=True, slots=True)
class Line:
    file: str
    number: int
    text: str
    runs: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.number}: {self.text}"


def pages() -> list[Path]:
    return sorted(FOLDER.glob("*.md"))


def lines(page: Path) -> Iterator[Line]:
    """The lines of the page's shell blocks; one that ends with a backslash goes on."""
    inside, runs, before, begun = False, False, "", ""
    for number, raw in enumerate(page.read_text().splitlines(), 1):
        text = raw.strip()
        if text.startswith("```"):
            inside, runs = text == "```sh", before == RUNS
        elif inside and text.endswith("\\"):
            begun += text[:-1]
        elif inside and text and not text.startswith("#"):
            yield Line(page.name, number, begun + text, runs)
            begun = ""
        before = text or before


def calls(text: str) -> Iterator[list[str]]:
    """The commands of a line, each as its words: what stands between pipes and the like."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    is_target = False
    for word in lexer:
        if word and set(word) <= set("|&;(){}"):
            yield from _call(words)
            words = []
        elif word and set(word) <= set("<>&"):
            is_target = True
        elif is_target:
            is_target = False  # a file, or the number of a stream
        else:
            words.append(word)
    yield from _call(words)


def _call(words: list[str]) -> Iterator[list[str]]:
    while words and re.fullmatch(r"sudo|as_owner|--|[A-Z_]+=.*", words[0]):
        words = words[3:] if words[:2] == ["sudo", "-u"] else words[1:]
    if words and not words[0].startswith("$"):
        yield words


def functions(file: str) -> dict[str, str]:
    """The words that native.sh and docker.sh define, with what they do."""
    text = (FOLDER / file).read_text()
    return dict(re.findall(r"^(\w+)\(\) \{\s*(.*?)\s*\}$", text, re.MULTILINE | re.DOTALL))


def complaint(words: list[str]) -> str:
    """What is wrong with a command of a runbook; "" when everything it names is there."""
    name, *rest = words
    known = {**functions("native.sh"), **functions("docker.sh")}
    if name in ("manage", "renew_secret"):
        return manage_complaint(rest if name == "manage" else [name, *rest])
    if words[:2] == [".venv/bin/python", "manage.py"]:
        return manage_complaint(rest[1:])
    if name == "make":
        text = (BASE_DIR / "Makefile").read_text()
        known_words = {*re.findall(r"^(\w+):", text, re.M), *re.findall(r"\$\(if \$\((\w+)", text)}
        named = {word.partition("=")[0] for word in rest}
        return "" if named <= known_words else f"no target or variable of make: {rest}"
    if name == ".":
        return "" if (BASE_DIR / rest[0]).is_file() else f"no such file: {rest[0]}"
    if "/" in name:
        return "" if (BASE_DIR / name).is_file() else f"no such program: {name}"
    if name in ("systemctl", "journalctl"):
        return units_complaint(rest)
    if name == "docker":
        return compose_complaint(rest) if rest[:1] == ["compose"] else ""
    if name == "curl":
        return "".join(map(address_complaint, rest))
    return "" if name in known or name in SYSTEM else f"nobody knows {name}"


def manage_complaint(arguments: list[str]) -> str:
    name, *rest = arguments
    if re.fullmatch(PLACEHOLDER, name) or "$@" in arguments:
        return ""
    if name not in get_commands():
        return f"no command of manage.py: {name}"
    app = get_commands()[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    try:
        command.create_parser("manage.py", name).parse_args(rest)
    except CommandError as exc:
        return "" if re.search(rf"invalid choice: '{PLACEHOLDER}'", str(exc)) else str(exc)
    return ""


def units_complaint(words: list[str]) -> str:
    ours = [word for word in words if word.startswith("photochanger")]
    there = BASE_DIR / "deploy/systemd"
    missing = [
        unit
        for unit in ours
        if not (there / (unit if unit.endswith(".timer") else f"{unit}.service")).is_file()
    ]
    return f"no such unit: {missing}" if missing else ""


def compose_complaint(words: list[str]) -> str:
    """Whether `docker compose -f FILE VERB ... SERVICE` names a file and services that are there.

    What stands behind the service of `run` is a command of manage.py, as in deploy/start.sh.
    """
    words = words[1:] if words[:1] == ["compose"] else words
    if words[:1] == ["-f"]:
        if not (BASE_DIR / words[1]).is_file():
            return f"no such file: {words[1]}"
        words = words[2:]
    verb, rest = words[0], words[1:]
    plain: list[str] = []
    is_entered = "--entrypoint" in rest
    while rest:
        if verb == "run" and plain:
            break
        word, *rest = rest
        if word in COMPOSE_OPTIONS_WITH_VALUE:
            rest = rest[1:]
        elif not word.startswith("-"):
            plain.append(word)
    unknown = set(plain) - set(yaml.safe_load(COMPOSE.read_text())["services"])
    if unknown:
        return f"no service of {COMPOSE.name}: {sorted(unknown)}"
    if verb == "run" and rest and rest != ["$@"] and not is_entered:
        return manage_complaint(rest)
    return ""


def address_complaint(word: str) -> str:
    if not word.startswith("http://127.0.0.1:8000"):
        return ""
    path = urlsplit(word).path
    try:
        resolve(path)
    except Resolver404:
        return f"no such address: {path}"
    return ""


def anchors(page: Path) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}
