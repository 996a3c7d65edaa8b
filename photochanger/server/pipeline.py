"""Requests that follow each other on one connection before the first is answered."""

from uvicorn.protocols.http.flow_control import FlowControl


class PipelineFlow(FlowControl):
    """Reads nothing more while earlier requests of the connection wait for their turn."""

    is_full = False

    def resume_reading(self) -> None:
        if not self.is_full:
            super().resume_reading()
