"""How the mail server is reached: stored encrypted, read by whoever sends."""

from typing import Literal

import structlog
from pydantic import BaseModel

from photochanger.errors import ProviderConfig
from photochanger.redaction import remember_secret
from slots.letters.models import MailServer
from slots.secrets import decrypt, encrypt

log = structlog.get_logger()

Security = Literal["starttls", "tls", "none"]


class MailAccess(BaseModel, frozen=True, hide_input_in_errors=True):
    """What it takes to hand an e-mail to a server."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = ""
    sender: str

    def describe(self) -> str:
        return f"{self.sender} ({self.host}:{self.port})"[:120]


def find_mail_server() -> MailServer | None:
    """One query."""
    return MailServer.objects.first()


def open_access(server: MailServer) -> MailAccess:
    """Raises ProviderConfig when none of our keys opens it."""
    access = MailAccess.model_validate_json(decrypt(server.access))
    remember_secret(access.password)
    return access


def find_mail_access() -> MailAccess | None:
    """None without a mail server, and while none of our keys opens its row. One query."""
    server = find_mail_server()
    try:
        return open_access(server) if server else None
    except ProviderConfig as exc:
        log.error("slots.mail_server.unreadable", detail=str(exc))
        return None


def save_mail_server(access: MailAccess, *, serves_guests: bool, by: str) -> None:
    """Raises ProviderConfig without FIELD_ENCRYPTION_KEY."""
    values = {
        "access": encrypt(access.model_dump_json()),
        "shown_as": access.describe(),
        "serves_guests": serves_guests,
        "updated_by": by,
    }
    MailServer.objects.update_or_create(pk=1, defaults=values)
    log.info("slots.mail_server.changed", by=by, serves_guests=serves_guests)


def remove_mail_server(*, by: str) -> None:
    MailServer.objects.all().delete()
    log.info("slots.mail_server.removed", by=by)


def serves_guests() -> bool:
    """Whether guests' pages offer to send the picture. One query."""
    return MailServer.objects.filter(serves_guests=True).exists()
