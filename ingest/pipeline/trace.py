"""What a booth's request leaves behind on its way, for whoever wants to know afterwards."""

import asyncio
from dataclasses import dataclass, field

from django.http import HttpRequest

from ingest.pipeline.upload import FormParser
from photochanger.request_scope import get_arrival_time
from slots.services import OpenSlot


@dataclass(slots=True)
class RequestTrace:
    """Filled by the steps of ``ingest.pipeline.receive``, as far as the request came."""

    arrived_at: float
    opened: OpenSlot | None = None
    parser: FormParser | None = None
    hash_recipe: str = ""
    marks_ms: list[tuple[str, int]] = field(default_factory=list)  # steps done, since arrival

    def mark(self, step: str) -> None:
        now = asyncio.get_running_loop().time()
        self.marks_ms.append((step, round((now - self.arrived_at) * 1000)))


def get_trace(request: HttpRequest) -> RequestTrace:
    """The request's trace, made by the first who asks for it."""
    trace: RequestTrace | None = getattr(request, "photo_trace", None)
    if trace is None:
        trace = RequestTrace(get_arrival_time(request))
        request.photo_trace = trace  # type: ignore[attr-defined]
    return trace
