"""Every function of the product, and how long and how branched it is.

Lengths are lines from ``def`` to the last one, docstring and blank lines included, decorators
not. Cyclomatic complexity is 1, and 1 more for each branch, loop, handler, ``case``, ``and``/``or``
and each ``for`` and ``if`` of a comprehension; a nested function counts for itself only.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)


@dataclass(frozen=True, slots=True)
class Function:
    file: str
    node: FunctionNode

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def place(self) -> str:
        return f"{self.file}:{self.node.lineno} {self.name}"

    @property
    def lines(self) -> int:
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1

    @property
    def complexity(self) -> int:
        return 1 + sum(count_branches(node) for node in walk_body(self.node))


def find_functions(file: str, tree: ast.Module) -> list[Function]:
    nodes = ast.walk(tree)
    return [Function(file, node) for node in nodes if isinstance(node, FunctionNode)]


def walk_body(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below, except those of nested functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, FunctionNode):
            yield child
            yield from walk_body(child)


def count_branches(node: ast.AST) -> int:
    if isinstance(node, BRANCHES):
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return 0
