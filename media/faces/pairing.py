"""Pair rows with columns so that the sum of costs is least (the Hungarian method, O(n^3))."""

from collections.abc import Sequence
from math import inf

Costs = Sequence[Sequence[float]]


def pair_cheapest(costs: Costs) -> list[tuple[int, int]]:
    """Pairs of row and column, each in one pair at most, as many as the shorter side has."""
    if len(costs) > len(costs[0]):
        turned = [list(column) for column in zip(*costs, strict=True)]
        return sorted((row, column) for column, row in pair_cheapest(turned))
    return _Pairing(costs).solve()


class _Pairing:
    """Rows are taken in one by one; row and column 0 stand for "nobody yet"."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        columns = len(costs[0]) + 1
        # Prices: what a pair costs beyond them is its slack, and is never negative.
        self._row_price = [0.0] * (len(costs) + 1)
        self._column_price = [0.0] * columns
        self._row_of = [0] * columns

    def solve(self) -> list[tuple[int, int]]:
        for row in range(1, len(self._costs) + 1):
            self._take_in(row)
        return sorted((row - 1, j - 1) for j, row in enumerate(self._row_of) if row and j)

    def _take_in(self, row: int) -> None:
        """Find the cheapest chain of exchanges that ends at a free column, and make them."""
        columns = len(self._row_of)
        slack, came_from, is_used = [inf] * columns, [0] * columns, [False] * columns
        self._row_of[0], column = row, 0
        while self._row_of[column]:
            is_used[column] = True
            self._update_slack(column, slack, came_from, is_used)
            column = min((j for j in range(columns) if not is_used[j]), key=slack.__getitem__)
            self._change_prices(slack[column], slack, is_used)
        while column:
            self._row_of[column] = self._row_of[came_from[column]]
            column = came_from[column]

    def _update_slack(
        self, column: int, slack: list[float], came_from: list[int], is_used: list[bool]
    ) -> None:
        row = self._row_of[column]
        for j, cost in enumerate(self._costs[row - 1], start=1):
            new = cost - self._row_price[row] - self._column_price[j]
            if not is_used[j] and new < slack[j]:
                slack[j], came_from[j] = new, column

    def _change_prices(self, step: float, slack: list[float], is_used: list[bool]) -> None:
        for j, used in enumerate(is_used):
            if used:
                self._row_price[self._row_of[j]] += step
                self._column_price[j] -= step
            else:
                slack[j] -= step
