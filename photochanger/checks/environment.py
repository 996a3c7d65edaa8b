"""System checks: a wrong installation does not start, and says what to do."""

import re
from collections.abc import Collection, Iterator
from typing import Any

import structlog
from cryptography.fernet import Fernet
from django.conf import settings
from django.core import checks
from django.db import DatabaseError
from django.utils import translation
from django.utils.module_loading import import_string

from ingest.pipeline.input_links import find_public_base
from photochanger.checks.addresses import check_addresses
from photochanger.errors import InvalidFields, ProviderConfig
from photochanger.logs.syslog import parse_address
from providers.registry import DRIVERS
from slots.models import Slot
from slots.passwords import check_can_be_sent, is_soon_guessed
from slots.provider_keys import get_environment_key

log = structlog.get_logger()

# Of every number of the environment.
BOUNDS = {
    "SYNC_RESPONSE_SECONDS": (10, 60),
    "RESULT_TTL_HOURS": (1, 24 * 365),
    "TEMP_TTL_SECONDS": (60, 24 * 3600),
    "UPLOAD_IDLE_SECONDS": (1, 60),
    "JWT_LIFETIME_MINUTES": (5, 7 * 24 * 60),
    "LOG_RETENTION_DAYS": (1, 3650),
    "GEMINI_MAX_REQUEST_MB": (1, 100),
    "WEB_CONCURRENCY": (1, 256),
    "WORKER_MAX_REQUESTS": (0, 1_000_000_000),
    "LEAVE_SECONDS": (0, 10),
    "BACKUP_KEEP": (1, 10_000),
    "DATABASE_LOCK_SECONDS": (1, 60),
    "DATABASE_STATEMENT_SECONDS": (1, 300),
    "DATABASE_IDLE_SECONDS": (1, 600),
    "HSTS_SECONDS": (0, 2 * 365 * 24 * 3600),
}


@checks.register()
def check_environment(**kwargs: Any) -> list[checks.CheckMessage]:
    return [
        *_check_spelling(),
        *_check_secrets(),
        *_check_booth_password(),
        *_check_bounds(),
        *_check_addresses(),
        *_check_folders(),
        *_check_bucket(),
        *_check_middleware(),
    ]


@checks.register(checks.Tags.database)
def check_public_address(
    databases: Collection[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """A provider that fetches photos from us must be able to reach us, or each of them fails."""
    return [message for name in DRIVERS for message in _check_reachability(name, bool(databases))]


def log_public_address() -> None:
    """At the start of the server: log active slots that cannot work. Queries the database."""
    for message in check_public_address(databases=["default"]):
        log.warning("server.public_address.missing", detail=message.msg)


def _check_reachability(provider: str, may_ask: bool) -> Iterator[checks.CheckMessage]:
    if not DRIVERS[provider].requires_public_media:
        return
    try:
        find_public_base(provider)
    except ProviderConfig as exc:
        slots = _find_active_slots(provider) if may_ask else []
        if slots or get_environment_key(provider):
            who = f"photos of {', '.join(slots)} will fail" if slots else "its slots cannot work"
            yield checks.Warning(
                f"{exc}; {who} ({provider}).",
                hint="Set PUBLIC_MEDIA_BASE_URL to the address under which the provider's "
                "servers reach this one from the internet.",
                id="photochanger.W001",
            )


def _find_active_slots(provider: str) -> list[str]:
    try:
        active = Slot.objects.filter(provider=provider, is_active=True)
        return list(active.values_list("pk", flat=True))
    except DatabaseError:  # unavailable or not migrated yet: reported elsewhere
        return []


def _check_secrets() -> Iterator[checks.CheckMessage]:
    for name in settings.MISSING_SECRETS:
        yield checks.Error(
            f"{name} is not set.",
            hint=f"Put it into the environment, into .env, or name a file in {name}_FILE. "
            "`make env` writes a .env with fresh random secrets.",
            id="photochanger.E001",
        )
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
        if name not in settings.MISSING_SECRETS and len(getattr(settings, name)) < 32:
            yield checks.Error(
                f"{name} is shorter than 32 characters.",
                hint='Use: python -c "import secrets; print(secrets.token_urlsafe(48))"',
                id="photochanger.E002",
            )
    for key in settings.FIELD_ENCRYPTION_KEYS:
        try:
            Fernet(key)
        except ValueError:
            yield checks.Error(
                "FIELD_ENCRYPTION_KEY holds a value that is not a Fernet key.",
                hint="Use: python -c "
                '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
                id="photochanger.E003",
            )


def _check_spelling() -> Iterator[checks.CheckMessage]:
    for words in settings.MISSPELLED_VARIABLES:
        yield checks.Warning(
            words, hint=".env.example lists every variable.", id="photochanger.W008"
        )


def _check_booth_password() -> Iterator[checks.CheckMessage]:
    if not settings.INGEST_PASSWORD:
        return
    try:
        check_can_be_sent(settings.INGEST_PASSWORD)
    except InvalidFields as exc:
        with translation.override("en"):
            yield checks.Error(
                f"INGEST_PASSWORD: {exc.fields['ingest_password']}",
                hint="Or leave it empty and use `manage.py booth_password`.",
                id="photochanger.E013",
            )
    # A warning only: booths of an installation that works may have it already.
    if is_soon_guessed(settings.INGEST_PASSWORD):
        yield checks.Warning(
            "INGEST_PASSWORD is easy to guess, and nothing else keeps strangers' photos out.",
            hint="`manage.py booth_password --generate` makes a better one, which then wins.",
            id="photochanger.W009",
        )


def _check_bounds() -> Iterator[checks.CheckMessage]:
    for name, (low, high) in BOUNDS.items():
        if not low <= getattr(settings, name) <= high:
            yield checks.Error(
                f"{name} is {getattr(settings, name)}, allowed is {low}-{high}.",
                id="photochanger.E004",
            )


def _check_addresses() -> Iterator[checks.CheckMessage]:
    yield from check_addresses()
    try:
        parse_address(settings.SYSLOG_ADDRESS or "/dev/log")
    except ValueError as exc:
        yield checks.Error(
            f"SYSLOG_ADDRESS: {exc}.",
            hint="Use /dev/log for this machine's syslog, or host:514 for another one's by UDP.",
            id="photochanger.E010",
        )
    if settings.BIND.startswith("unix:") and "*" not in (settings.TRUSTED_PROXIES or ["*"]):
        yield checks.Warning(
            "TRUSTED_PROXIES lists addresses, but who comes through the socket of BIND has none.",
            hint="Say TRUSTED_PROXIES=*: only who may open the socket can come through it.",
            id="photochanger.W010",
        )
    if not settings.ALLOWED_HOSTS:
        yield checks.Error(
            "ALLOWED_HOSTS is empty: every request would be refused.",
            hint="List the names and addresses under which booths and people reach the server.",
            id="photochanger.E006",
        )


def _check_folders() -> Iterator[checks.CheckMessage]:
    if settings.S3_BUCKET:
        return
    try:
        settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        yield checks.Error(
            f"MEDIA_ROOT cannot be made: {exc.strerror}.",
            hint="Pictures are stored there; the server's user must be able to write to it.",
            id="photochanger.E007",
        )


def _check_bucket() -> Iterator[checks.CheckMessage]:
    key, secret = settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY
    if not settings.S3_BUCKET and (key or secret or settings.S3_ENDPOINT_URL or settings.S3_PREFIX):
        yield checks.Error(
            "S3 is set up without S3_BUCKET: pictures would go to the disk.",
            hint="Name the bucket, or unset the other S3_ variables.",
            id="photochanger.E011",
        )
    if bool(key) != bool(secret):
        yield checks.Error(
            "Only one of S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY is set.",
            hint="Set both, or none on a machine whose own role may use the bucket.",
            id="photochanger.E011",
        )
    if settings.S3_BUCKET and not re.fullmatch(r"[A-Za-z0-9._-]{3,63}", settings.S3_BUCKET):
        yield checks.Error(
            "S3_BUCKET is not the name of a bucket.",
            hint="Its name alone, such as `photos`; its server is S3_ENDPOINT_URL.",
            id="photochanger.E011",
        )


def _check_middleware() -> Iterator[checks.CheckMessage]:
    for path in (*settings.MIDDLEWARE, *settings.MACHINE_MIDDLEWARE):
        if not getattr(import_string(path), "async_capable", False):
            yield checks.Error(
                f"The middleware {path} is synchronous only.",
                hint="Under it every photo that waits for its provider holds one of our few "
                "threads, so that only a handful can wait at once. Use an async-capable one.",
                id="photochanger.E009",
            )
