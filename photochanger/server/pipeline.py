"""Requests that follow each other on one connection before the first is answered."""

from collections import deque
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class PipelineFlow(FlowControl):
    """Reads nothing more while earlier requests of the connection wait for their turn."""

    is_full = False

    def resume_reading(self) -> None:
        if not self.is_full:
            super().resume_reading()


def drop_incomplete(
    pipeline: deque[tuple[RequestResponseCycle, Any]], running: RequestResponseCycle | None
) -> RequestResponseCycle | None:
    """The newest request that is whole and waits for its answer; None where none is.

    One behind it, whose body has not come, is forgotten. The newest stands first.
    """
    if pipeline and pipeline[0][0].more_body:
        pipeline.popleft()
    last = pipeline[0][0] if pipeline else running
    is_due = last is not None and not last.response_complete and not last.more_body
    return last if is_due else None
