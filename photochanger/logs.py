"""Structured logs: one line per fact, JSON for machines or colours for people."""

import logging
import logging.config
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
_LOGGERS = {
    # httpx logs every request's address at INFO; ours says more with less.
    "httpx": {"level": "WARNING"},
    "uvicorn.access": {"level": "WARNING"},
    "django.request": {"filters": ["news"]},
}


def _is_news(record: logging.LogRecord) -> bool:
    """Django repeats every 4xx and 5xx answer; only its tracebacks are not told by us already."""
    return record.exc_info is not None


def configure(*, log_format: str, level: str) -> None:
    """Send structlog and the standard library's loggers through one renderer to stderr.

    ``log_format`` is ``json`` or ``console``; anything else is reported by a system check and
    read as ``json`` here, since a log must exist before the checks run.
    """
    renderer: list[Any] = (
        # Plain tracebacks: the fancy ones print local variables, passwords among them.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if log_format == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": _SHARED,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *renderer,
                    ],
                }
            },
            "filters": {"news": {"()": lambda: _is_news}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": _LOGGERS,
        }
    )
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
