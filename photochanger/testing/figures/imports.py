"""The import map: which file imports which, what goes up, what goes round.

Levels: the floor of ``photochanger`` below everything, then ``providers`` and ``media``, ``slots``,
``ingest``, ``stats``, and the roof of ``photochanger`` (all of it that is not the floor or the
edge) above; the edge stands on the floor, and only the roof knows it. An arrow up is an import
between two of these that the map does not allow; imports within one app are free, circles apart.
"""

import ast
from collections.abc import Iterable, Mapping

from photochanger.testing.figures.sources import PACKAGES, is_product

FLOOR = frozenset(
    f"photochanger.{name}"
    for name in (
        *("errors", "request_errors", "openapi", "db", "metrics", "logs", "request_scope"),
        *("parsing", "pictures", "redaction", "tasks", "threads", "leaving", "host_names"),
    )
)
APPS_BELOW = {
    "stats": {"ingest", "slots", "media", "providers"},
    "ingest": {"slots", "media", "providers"},
    "slots": {"media", "providers"},
    "media": set[str](),
    "providers": set[str](),
}
MAY_IMPORT = {
    "floor": set[str](),
    "edge": {"floor"},
    **{app: {"floor", *below} for app, below in APPS_BELOW.items()},
    "roof": {"floor", "edge", *APPS_BELOW},
}

# A module, and the modules of the project that it imports.
ImportMap = Mapping[str, set[str]]


def module_name(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def read_imports(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """The import map of files given as ``{file: its syntax tree}``, imports in functions included.

    ``from a.b import c`` is an import of ``a.b.c`` when that is a module, else of ``a.b``.
    Imports under ``if TYPE_CHECKING`` count too: a reader meets them as any other.
    """
    modules = {module_name(file) for file in trees}
    return {
        module_name(file): {
            module
            for name in imported_names(tree)
            if (module := find_module(name, modules)) and module != module_name(file)
        }
        for file, tree in trees.items()
    }


def imported_names(tree: ast.Module) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def find_module(name: str, modules: set[str]) -> str | None:
    """The module that ``name`` is or lies in."""
    while name not in modules and "." in name:
        name = name.rpartition(".")[0]
    return name if name in modules else None


def level_of(module: str) -> str:
    app, _, rest = module.partition(".")
    if app != "photochanger":
        return app
    if any(module == name or module.startswith(f"{name}.") for name in FLOOR):
        return "floor"
    return "edge" if rest.partition(".")[0] == "edge" else "roof"


def find_arrows_up(imports: ImportMap) -> list[tuple[str, str]]:
    arrows = []
    for module, targets in sorted(imports.items()):
        level = level_of(module)
        for target in sorted(targets):
            if target in PACKAGES:  # the package itself holds nothing
                continue
            if level_of(target) not in {level, *MAY_IMPORT[level]}:
                arrows.append((module, target))
    return arrows


def find_imports_of_tests(trees: Mapping[str, ast.Module]) -> list[tuple[str, str]]:
    """Where product code imports from tests, testing or bench."""
    found = []
    for file, tree in trees.items():
        for name in imported_names(tree):
            is_ours = name.partition(".")[0] in PACKAGES
            if is_ours and not is_product(f"{name.replace('.', '/')}.py"):
                found.append((file, name))
    return found


def find_cycles(imports: ImportMap) -> list[list[str]]:
    """The groups of modules that import each other in a circle (strong components, by Kosaraju).

    A package's ``__init__`` that imports its own modules is no circle by itself.
    """
    return [sorted(group) for group in strong_components(imports) if len(group) > 1]


def group_by_app(imports: ImportMap) -> dict[str, set[str]]:
    """The import map of the levels."""
    levels: dict[str, set[str]] = {}
    for module, targets in imports.items():
        level = level_of(module)
        below = {level_of(target) for target in targets if target not in PACKAGES}
        levels.setdefault(level, set()).update(below - {level})
    return levels


def strong_components(imports: ImportMap) -> list[list[str]]:
    order: list[str] = []
    seen: set[str] = set()
    for module in imports:
        visit(module, imports, seen, order)
    backward: dict[str, set[str]] = {module: set() for module in imports}
    for module, targets in imports.items():
        for target in targets:
            backward[target].add(module)
    seen.clear()
    groups = []
    for module in reversed(order):
        group: list[str] = []
        visit(module, backward, seen, group)
        groups.append(group)
    return groups


def visit(module: str, imports: ImportMap, seen: set[str], order: list[str]) -> None:
    """Depth first; a module is noted when all that it reaches has been."""
    if module in seen:
        return
    seen.add(module)
    for target in sorted(imports[module]):
        visit(target, imports, seen, order)
    order.append(module)
