"""The hundred services that Apprise speaks to, by a link.

Apprise returns only whether it worked. Why it did not stands in its log, at the level of debugging
and with tokens in it; so its log goes nowhere but into this module, which masks it.
"""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stats.watch.channels.failure import DeliveryFailed, mask_secrets, split_link

TIMEOUT_S = 10.0  # to connect, and for each answer
DETAIL = re.compile(r"^(?:Socket|SMTP) Exception: |^SMTP recipient ")  # a mailto:// may be a link
# They would show windows on the server, or write into its log, and reach nobody.
LOCAL = {"dbus", "qt", "glib", "kde", "gnome", "macosx", "windows", "syslog", "blink1"}


def send_by_link(address: dict[str, str], title: str, body: str) -> None:
    """Blocking, some 20 s at most. Raises DeliveryFailed."""
    service = _make_service(address["link"])
    if service is None:
        raise DeliveryFailed("Apprise does not understand the link")
    service.socket_connect_timeout = service.socket_read_timeout = TIMEOUT_S
    _notify(service, title, body, secrets=split_link(address["link"]))


def is_known_link(link: str) -> bool:
    """Whether Apprise can send by it, to somebody who is not this machine. Sends nothing."""
    service = _make_service(link)
    return service is not None and link.partition("://")[0].lower() not in LOCAL


def _make_service(address: str) -> Any:
    # 0.7 s and 40 MB: only for those who send something.
    from apprise import Apprise, AppriseAsset

    with _own_log():
        asset = AppriseAsset(
            app_id="PhotoChanger",
            app_desc="PhotoChanger",
            app_url="",
            storage_mode="memory",
            async_mode=False,
        )
        return Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


def _notify(service: Any, title: str, body: str, *, secrets: set[str]) -> None:
    with _own_log() as lines:
        try:
            is_sent = service.notify(title=title, body=body)
        except Exception as exc:  # whatever a plugin of a hundred raises, the message stays
            raise DeliveryFailed(mask_secrets(f"{type(exc).__name__}: {exc}", secrets)) from None
    if not is_sent:
        raise DeliveryFailed(mask_secrets(_choose_reason(lines), secrets))


def _choose_reason(lines: list[str]) -> str:
    """The exception's own words where there are some: they say more than that it failed."""
    details = [DETAIL.sub("", line) for line in lines if DETAIL.match(line)]
    return (details or lines or ["the service did not take it"])[-1]


class _Lines(logging.Handler):
    """Keeps what the thread that made it logs: several messages are sent at once."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.thread, self.lines = threading.get_ident(), list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        is_word = record.levelno >= logging.WARNING or DETAIL.match(record.getMessage())
        if is_word and record.thread == self.thread:
            self.lines.append(record.getMessage())


@contextmanager
def _own_log() -> Iterator[list[str]]:
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    handler = _Lines()
    logger.addHandler(handler)
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
