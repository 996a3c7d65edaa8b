"""A driver's settings schema as a flat list of settings, and their values in the nested JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.base import ProviderDriver

WORDS = ("title", "description", "default")
MISSING = object()


@dataclass(frozen=True, slots=True)
class SchemaField:
    """One setting that is no object: ``path`` leads to it."""

    path: tuple[str, ...]
    schema: dict[str, Any]
    is_required: bool
    is_nullable: bool

    @property
    def name(self) -> str:
        return ".".join(self.path)


def list_operation_fields(driver: ProviderDriver[Any], operation: str) -> list[SchemaField]:
    """Those an operation makes something of: the prompt first, then the driver's own."""
    wanted, own = driver.settings_for(operation), driver.Settings.__annotations__
    shown = [found for found in list_schema_fields(driver) if found.path[0] in wanted]
    return sorted(shown, key=lambda found: (found.path[0] != "prompt", found.path[0] not in own))


def list_schema_fields(driver: ProviderDriver[Any]) -> list[SchemaField]:
    """All of a driver's, in the order of its class; of nested objects the inner ones."""
    schema = driver.Settings.model_json_schema()
    return _walk_schema(schema, schema.get("$defs", {}), ())


def _walk_schema(
    schema: dict[str, Any], defs: dict[str, Any], path: tuple[str, ...]
) -> list[SchemaField]:
    found: list[SchemaField] = []
    for name, described in schema["properties"].items():
        options = described.get("anyOf", [described])
        kinds = [_resolve(option, defs) for option in options if option.get("type") != "null"]
        merged = (
            described | kinds[0] | {word: described[word] for word in WORDS if word in described}
        )
        if "properties" in merged:
            found += _walk_schema(merged, defs, (*path, name))
            continue
        if len(kinds) > 1:
            merged = described | {"type": "any"}
        is_required = name in schema.get("required", ())
        found.append(SchemaField((*path, name), merged, is_required, len(kinds) < len(options)))
    return found


def _resolve(schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref") or next((o["$ref"] for o in schema.get("allOf", ())), None)
    return defs[reference.rsplit("/", 1)[1]] if reference else schema


def read_nested(settings: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The stored value of a setting, or ``MISSING``."""
    found: Any = settings
    for name in path:
        found = found.get(name, MISSING) if isinstance(found, Mapping) else MISSING
    return found


def write_nested(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *outer, last = path
    for name in outer:
        settings = settings.setdefault(name, {})
    settings[last] = value
