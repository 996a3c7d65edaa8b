"""Compare two OpenAPI documents for compatibility with existing clients.

``compare`` says which part of the version must be raised: ``major`` when a client of the old
document may break, ``minor`` when something is new, ``patch`` when only texts have changed.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Literal

Change = Literal["none", "patch", "minor", "major"]
Document = dict[str, Any]
Changes = Iterator[tuple[Change, str]]

LEVELS: tuple[Change, ...] = ("none", "patch", "minor", "major")
# Texts for people, without effect on clients.
WORDS = {"description", "summary", "title", "example", "examples", "tags", "info", "servers"}
UNIONS = ("anyOf", "oneOf", "allOf")


def compute_digest(document: Document) -> str:
    """A hash of the document without its version."""
    bare = {**document, "info": {**document.get("info", {}), "version": ""}}
    return hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()


def bump_version(version: str, by: Change) -> str:
    major, minor, patch = (int(part) for part in version.split("."))
    if by == "major":
        return f"{major + 1}.0.0"
    if by == "minor":
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}" if by == "patch" else version


def compare(old: Document, new: Document) -> tuple[Change, list[str]]:
    """The smallest sufficient version bump, and the places that require it."""
    found = list(_compare_documents(old, new))
    level: Change = max((how for how, _ in found), key=LEVELS.index, default="none")
    if not found and compute_digest(old) != compute_digest(new):
        return "patch", ["words only"]
    return level, sorted(where for how, where in found if how == level)


def _compare_documents(old: Document, new: Document) -> Changes:
    before, after = _collect_operations(old), _collect_operations(new)
    for name in before.keys() - after.keys():
        yield "major", f"{name}: gone"
    for name in after.keys() - before.keys():
        yield "minor", f"{name}: new"
    for name in before.keys() & after.keys():
        yield from _compare_operation(name, before[name], after[name])


def _collect_operations(document: Document) -> dict[str, Document]:
    return {
        f"{method.upper()} {path}": _resolve(operation, document)
        for path, methods in document.get("paths", {}).items()
        for method, operation in methods.items()
    }


def _resolve(value: Any, document: Document, seen: tuple[str, ...] = ()) -> Any:
    """Resolve references (but for recursive schemas) and drop texts."""
    if isinstance(value, list):
        return [_resolve(item, document, seen) for item in value]
    if not isinstance(value, dict):
        return value
    ref = value.get("$ref")
    if isinstance(ref, str) and ref not in seen:
        target: Any = document
        for part in ref.removeprefix("#/").split("/"):
            target = target[part]
        return _resolve(target, document, (*seen, ref))
    return {
        # A field may be called "title": keys of properties are names, not texts.
        key: (
            {name: _resolve(inner, document, seen) for name, inner in item.items()}
            if key in ("properties", "links", "headers") and isinstance(item, dict)
            else _resolve(item, document, seen)
        )
        for key, item in value.items()
        if key not in WORDS
    }


def _compare_operation(name: str, old: Document, new: Document) -> Changes:
    if old.get("operationId") != new.get("operationId"):
        yield "major", f"{name}: operationId"
    if old.get("security") != new.get("security"):
        yield "major", f"{name}: security"
    yield from _compare_parameters(name, old, new)
    yield from _compare_body(name, old.get("requestBody"), new.get("requestBody"))
    before, after = old.get("responses", {}), new.get("responses", {})
    yield from _compare_keys(f"{name}, responses", before, after)
    for status in before.keys() & after.keys():
        where, was, now = f"{name}, {status}", before[status], after[status]
        for part in ("headers", "links"):
            yield from _compare_keys(f"{where}, {part}", was.get(part, {}), now.get(part, {}))
        yield from _compare_content(
            where, was.get("content", {}), now.get("content", {}), is_request=False
        )


def _compare_parameters(name: str, old: Document, new: Document) -> Changes:
    before, after = (
        {f"{p['in']} {p['name']}": p for p in operation.get("parameters", [])}
        for operation in (old, new)
    )
    for key in before.keys() - after.keys():
        yield "major", f"{name}, {key}: gone"
    for key in after.keys() - before.keys():
        yield "major" if after[key].get("required") else "minor", f"{name}, {key}: new"
    for key in before.keys() & after.keys():
        where, was, now = f"{name}, {key}", before[key], after[key]
        yield from _compare_required(where, bool(was.get("required")), bool(now.get("required")))
        yield from _compare_schema(
            where, was.get("schema", {}), now.get("schema", {}), is_request=True
        )


def _compare_body(name: str, old: Document | None, new: Document | None) -> Changes:
    where = f"{name}, body"
    if old is None or new is None:
        if old is not new:
            is_needed = new is None or new.get("required")
            yield "major" if is_needed else "minor", f"{where}: {'gone' if new is None else 'new'}"
        return
    yield from _compare_required(where, bool(old.get("required")), bool(new.get("required")))
    yield from _compare_content(
        where, old.get("content", {}), new.get("content", {}), is_request=True
    )


def _compare_required(where: str, was: bool, now: bool) -> Changes:
    if was != now:
        yield "major" if now else "minor", f"{where}: required is {now}"


def _compare_keys(where: str, old: Document, new: Document) -> Changes:
    for key in old.keys() - new.keys():
        yield "major", f"{where}, {key}: gone"
    for key in new.keys() - old.keys():
        yield "minor", f"{where}, {key}: new"


def _compare_content(where: str, old: Document, new: Document, *, is_request: bool) -> Changes:
    yield from _compare_keys(where, old, new)
    for kind in old.keys() & new.keys():
        was, now = old[kind].get("schema", {}), new[kind].get("schema", {})
        yield from _compare_schema(f"{where}, {kind}", was, now, is_request=is_request)


def _compare_schema(where: str, old: Any, new: Any, *, is_request: bool) -> Changes:
    """``is_request``: clients send it; otherwise they receive it."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield "major", f"{where}: {old} is {new}"
        return
    yield from _compare_sets(where, old, new, is_request=is_request)
    before, after = old.get("properties", {}), new.get("properties", {})
    yield from _compare_keys(where, before, after)
    for name in before.keys() & after.keys():
        yield from _compare_schema(
            f"{where}.{name}", before[name], after[name], is_request=is_request
        )
    for key in {"items", "additionalProperties"} & (old.keys() | new.keys()):
        yield from _compare_schema(
            f"{where}.{key}", old.get(key, {}), new.get(key, {}), is_request=is_request
        )
    yield from _compare_limits(where, old, new, is_request=is_request)


def _compare_sets(where: str, old: Document, new: Document, *, is_request: bool) -> Changes:
    """Accepting more values is compatible, fewer is not; for required fields it is the reverse."""
    for key in ("enum", *UNIONS):
        was, now = ({json.dumps(v, sort_keys=True) for v in s.get(key, [])} for s in (old, new))
        if was - now or (now and not was and is_request):
            yield "major", f"{where}: {key} has less"
        elif now - was:
            yield "minor", f"{where}: {key} has more"
    was, now = set(old.get("required", [])), set(new.get("required", []))
    for name in was ^ now:
        is_harder = (name in now) == is_request
        yield "major" if is_harder else "minor", f"{where}.{name}: required is {name in now}"


def _compare_limits(where: str, old: Document, new: Document, *, is_request: bool) -> Changes:
    """Other keywords, like ``maxLength``: looser for requests is minor, all else major."""
    known = {"enum", *UNIONS, "required", "properties", "items", "additionalProperties", "default"}
    for key in (old.keys() | new.keys()) - known:
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        yield ("minor" if is_request and _is_looser(key, was, now) else "major"), f"{where}: {key}"


def _is_looser(key: str, was: Any, now: Any) -> bool:
    if now is None:
        return True
    if was is None:
        return False
    if key.startswith(("max", "exclusiveMax")):
        return bool(now > was)
    return key.startswith(("min", "exclusiveMin")) and bool(now < was)
