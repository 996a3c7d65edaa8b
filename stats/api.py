from datetime import timedelta
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from slots.schemas import SlotId
from stats import services
from stats.openapi import OVERVIEW, STATISTICS, describe_operation
from stats.schemas import (
    OverviewOut,
    SlotStatisticsOut,
    make_overview_out,
    make_slot_statistics_out,
)

stats_router = Router(tags=["stats"])

WindowMinutes = Annotated[
    int,
    Query(
        60,
        ge=1,
        le=services.MAX_WINDOW_MINUTES,
        description="How far to look back, at most 31 days; more than a day may be 30 s old.",
    ),
]


@stats_router.get(
    "/overview",
    response={200: OverviewOut},
    operation_id="get_stats_overview",
    summary="Look at all slots",
    openapi_extra=describe_operation(OVERVIEW),
)
def stats_overview(
    request: HttpRequest,
    window_minutes: WindowMinutes,
    slot: Annotated[
        str | None, Query(None, description="Only this one in `slots`.", example="slot-001")
    ],
) -> OverviewOut:
    """How the platform and each slot did within the window, and how they are now.

    Test runs, and photos whose booth hung up, are shown and count in no share.
    """
    return make_overview_out(services.load_overview(timedelta(minutes=window_minutes), slot))


@stats_router.get(
    "/slots/{slot_id}",
    response={200: SlotStatisticsOut},
    operation_id="get_slot_statistics",
    summary="Look at one slot over time",
    openapi_extra=describe_operation(STATISTICS),
)
def slot_stats(
    request: HttpRequest,
    slot_id: SlotId,
    window_minutes: WindowMinutes,
) -> SlotStatisticsOut:
    """Outcomes and times per interval, and the last failures with the provider's words."""
    window = timedelta(minutes=window_minutes)
    return make_slot_statistics_out(services.load_slot_statistics(slot_id, window))
