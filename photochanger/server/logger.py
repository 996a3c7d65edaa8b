"""Send the log lines of gunicorn and uvicorn through our own handlers."""

import logging
from typing import Any

from gunicorn.glogging import Logger


class ServerLog(Logger):  # type: ignore[misc]  # has no types
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        # The workers hand the same handlers on to uvicorn.
        self.error_log.handlers = list(logging.getLogger().handlers)
