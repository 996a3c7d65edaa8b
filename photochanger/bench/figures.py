"""Percentiles, formatting, and the requirements that a run must meet."""

from collections.abc import Sequence
from dataclasses import dataclass, field

RATIO_BAR = 1.3
MB = 1_000_000


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


def mb(size_bytes: float) -> str:
    return f"{size_bytes / MB:.1f}"


@dataclass
class Requirements:
    """Counts that must hold on any machine. Ratios are printed and never fail a run."""

    broken: list[str] = field(default_factory=list)

    def require(self, is_held: bool, what: str) -> str:
        if not is_held:
            self.broken.append(what)
        return "[green]ok[/]" if is_held else "[red]BROKEN[/]"
