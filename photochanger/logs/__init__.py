"""Structured logs: one line per fact, JSON for machines or colours for people."""

import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from photochanger.logs.masks import Event, escape_controls, mask

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
# Plain tracebacks: the fancy ones print local variables, passwords among them.
_CONSOLE: list[Any] = [
    structlog.processors.format_exc_info,
    mask,
    escape_controls,
    structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
]
_JSON: list[Any] = [
    structlog.processors.format_exc_info,
    mask,
    structlog.processors.JSONRenderer(),
]
_LOGGERS = {
    # httpx logs every request's address at INFO; ours says more with less.
    "httpx": {"level": "WARNING"},
    # At DEBUG both write tokens that stand in an address.
    "urllib3": {"level": "WARNING"},
    "apprise": {"level": "WARNING", "propagate": False},
    "uvicorn.access": {"level": "WARNING"},
    # photochanger/web/login.py logs every log-in itself.
    "axes": {"level": "ERROR"},
    "django.request": {"filters": ["tracebacks"]},
}


def _has_traceback(record: logging.LogRecord) -> bool:
    """Django repeats every 4xx and 5xx response; only its tracebacks are new to our log."""
    return record.exc_info is not None


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def configure(
    *,
    log_format: str,
    level: str,
    syslog_address: str = "",
    folder: str = "",
    keep_days: int = 30,
) -> None:
    """Send structlog and the standard library's loggers through one renderer to stderr.

    ``log_format`` is ``json`` or ``console``; anything else is reported by a system check and
    read as ``json`` here, since a log must exist before the checks run. Syslog, when there is an
    address, and daily files, when there is a folder, get the same lines, always as JSON.
    """
    handlers = _make_handlers(syslog_address, folder, keep_days)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": _make_formatter(_CONSOLE if log_format == "console" else _JSON),
                "json": _make_formatter(_JSON),
            },
            "filters": {"tracebacks": {"()": lambda: _has_traceback}},
            "handlers": handlers,
            "root": {"handlers": list(handlers), "level": level},
            "loggers": _LOGGERS,
        }
    )
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _make_handlers(syslog_address: str, folder: str, keep_days: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "stderr": {"class": "logging.StreamHandler", "formatter": "structured"}
    }
    if syslog_address:
        found["syslog"] = {
            "()": "photochanger.logs.syslog.NonBlockingSyslogHandler",
            "address": syslog_address,
            "formatter": "json",
        }
    if folder:
        found["files"] = {
            "()": "photochanger.logs.daily_files.DailyFiles",
            "folder": folder,
            "keep_days": keep_days,
            "formatter": "json",
        }
    return found


def _calm(logger: Any, method: str, event: Event) -> Event:
    """What Django calls a security error is a request of a stranger's that it has refused."""
    if event["logger"].startswith("django.security."):
        event.pop("exc_info", None)
        event["level"] = "warning"
    return event


def _make_formatter(renderer: list[Any]) -> dict[str, Any]:
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*_SHARED, _calm],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    }


@contextmanager
def mute_terminal() -> Iterator[None]:
    """Of a command whose answer people read: below warnings nothing of the log goes to a terminal.

    Syslog and files have it as ever.
    """
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler)
        and getattr(handler.stream, "isatty", lambda: False)()
    ]
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(max(handler.level, logging.WARNING))
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels, strict=True):
            handler.setLevel(level)
