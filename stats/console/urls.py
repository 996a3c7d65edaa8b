"""The pages of this package, for the console's own list of addresses."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from stats.console import statistics


def own_pages(closed: Callable[[Callable[..., Any]], Callable[..., Any]]) -> list[URLPattern]:
    """``closed`` lets administrators in only."""
    return [
        path("statistics/", closed(statistics.statistics_page), name="statistics"),
        path("statistics/plots/", closed(statistics.plots_part), name="statistics_plots"),
        path("statistics/storage/", closed(statistics.storage_part), name="statistics_storage"),
    ]
