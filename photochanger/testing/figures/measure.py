"""All figures that can be read from the files, without running anything."""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from photochanger.testing.databases import BASE_DIR
from photochanger.testing.figures import imports, reading_path
from photochanger.testing.figures.functions import Function, find_functions
from photochanger.testing.figures.names import Names, judge_names
from photochanger.testing.figures.sources import PACKAGES, product_files

MAX_FUNCTION_LINES, MAX_FILE_LINES = 40, 300


def percentile(values: Sequence[int], share: float) -> int:
    """The smallest value that at least ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def has_code(tree: ast.Module) -> bool:
    """Whether there is anything but a docstring."""
    return len(tree.body) > (ast.get_docstring(tree) is not None)


@dataclass(frozen=True)
class House:
    """The product's files, parsed once."""

    sources: Mapping[str, str]
    trees: Mapping[str, ast.Module]

    @classmethod
    def read(cls) -> "House":
        sources = {file: (BASE_DIR / file).read_text() for file in product_files()}
        return cls(sources, {file: ast.parse(text) for file, text in sources.items()})

    @cached_property
    def functions(self) -> list[Function]:
        return [found for file, tree in self.trees.items() for found in find_functions(file, tree)]

    @cached_property
    def names(self) -> Names:
        return judge_names(self.functions)

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        return imports.read_imports(self.trees)

    @property
    def files_by_app(self) -> dict[str, int]:
        """Python files that lie in the app's own folder, but for those without code."""
        flat = [
            file for file, tree in self.trees.items() if file.count("/") == 1 and has_code(tree)
        ]
        return dict(Counter(file.partition("/")[0] for file in flat).most_common())

    @property
    def long_functions(self) -> list[Function]:
        return [function for function in self.functions if function.lines > MAX_FUNCTION_LINES]

    @property
    def long_files(self) -> dict[str, int]:
        lengths = {file: text.count("\n") for file, text in self.sources.items()}
        del lengths["photochanger/settings.py"]  # a list to look things up in, of one level
        return {file: lines for file, lines in lengths.items() if lines > MAX_FILE_LINES}

    @property
    def arrows_up(self) -> list[tuple[str, str]]:
        return imports.find_arrows_up(self.imports)

    @property
    def cycles(self) -> list[list[str]]:
        """Of files, and of apps with the floor, the edge and the roof."""
        by_app = imports.group_by_app(self.imports)
        return imports.find_cycles(self.imports) + imports.find_cycles(by_app)

    @property
    def share_over_40(self) -> float:
        return len(self.long_functions) / len(self.functions)

    @property
    def comment_share(self) -> float:
        """Lines that hold a comment, of all lines that are not blank."""
        return sum(map(count_comment_lines, self.sources.values())) / self._line_count

    @property
    def docstring_share(self) -> float:
        return sum(map(count_docstring_lines, self.trees.values())) / self._line_count

    @property
    def _line_count(self) -> int:
        lines = (line for text in self.sources.values() for line in text.splitlines())
        return sum(bool(line.strip()) for line in lines)


def count_comment_lines(source: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return sum(token.type == tokenize.COMMENT for token in tokens)


def count_docstring_lines(tree: ast.Module) -> int:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [ast.get_docstring(n) for n in ast.walk(tree) if isinstance(n, documented)]
    return sum(1 for text in texts if text for line in text.splitlines() if line.strip())


def count_tests() -> int:
    """Test functions; what a subclass inherits, and subtests, are not counted again."""
    files = [path for app in PACKAGES for path in (BASE_DIR / app).rglob("test_*.py")]
    return sum(len(re.findall(r"^ *(?:async )?def test_", f.read_text(), re.M)) for f in files)


def count_readme_lines() -> int:
    return Path(BASE_DIR / "README.md").read_text().count("\n")


def measure(house: House) -> dict[str, int | float]:
    """The figures, rounded, by a name that says what they are."""
    lengths = [function.lines for function in house.functions]
    complexity = [function.complexity for function in house.functions]
    return {
        "files to read for one photo": len(reading_path.files_to_read()),
        "breaks in the reading path": len(reading_path.find_broken_arrows()),
        "modules that the spine takes its steps from": len(reading_path.find_step_modules()),
        "flat files in an app's folder, at most": max(house.files_by_app.values()),
        "files": len(house.sources),
        "files over 300 lines": len(house.long_files),
        "functions": len(house.functions),
        "functions named by a participle, %": percent(house.names.participle_share),
        "functions named by a bare noun, %": percent(house.names.bare_noun_share),
        "function length, median": percentile(lengths, 0.5),
        "function length, p90": percentile(lengths, 0.9),
        "function length, longest": max(lengths),
        "functions over 40 lines, %": percent(house.share_over_40),
        "cyclomatic complexity, median": percentile(complexity, 0.5),
        "cyclomatic complexity, p90": percentile(complexity, 0.9),
        "cyclomatic complexity, highest": max(complexity),
        "imports up": len(house.arrows_up),
        "import cycles": len(house.cycles),
        "comment lines, %": percent(house.comment_share),
        "docstring lines, %": percent(house.docstring_share),
        "lines of README": count_readme_lines(),
        "tests": count_tests(),
    }


def percent(share: float) -> float:
    return round(100 * share, 1)
