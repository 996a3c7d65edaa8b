"""The settings page of the administrators: everything that can be changed there, in one go."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings as django_settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from photochanger.errors import InvalidFields
from providers.registry import DRIVERS
from slots.history.records import CHANGED, REMOVED, State, write_settings
from slots.models import Setting
from slots.passwords import (
    PASSWORD_KEY,
    StoredPassword,
    prepare_new_password,
    store_ingest_password,
)
from slots.platform_settings import PlatformSettings, change_settings
from slots.provider_keys import clean_key, get_environment_key, provider_row_key, set_provider_key
from slots.schemas import ProviderKeyOut, SettingsIn, SettingsOut
from slots.validation_messages import FieldMessages, join_path, messages_by_field

log = structlog.get_logger()

SECRETS = {"ingest_password", "provider_keys"}


def read_settings() -> SettingsOut:
    """What may be shown: of keys and passwords only whether and since when. One query."""
    keys = [*PlatformSettings.model_fields, *map(provider_row_key, DRIVERS)]
    rows = {row.key: row for row in Setting.objects.filter(key__in=keys)}
    values = {key: row.value for key, row in rows.items() if key in PlatformSettings.model_fields}
    now = PlatformSettings.model_validate(values)
    password = rows.get(PASSWORD_KEY)
    return SettingsOut(
        **now.model_dump(include=set(SettingsOut.model_fields)),
        galleries_open=now.galleries != "closed",
        ingest_password_rotated_at=password.updated_at if password else None,
        ingest_password_rotated_by=password.updated_by if password else None,
        ingest_password_set=bool(now.ingest_password_hash or django_settings.INGEST_PASSWORD),
        provider_keys={
            name: _key_state(name, rows.get(provider_row_key(name))) for name in DRIVERS
        },
    )


def _key_state(provider: str, row: Setting | None) -> ProviderKeyOut:
    if row is not None and row.value:
        return ProviderKeyOut(configured=True, updated_at=row.updated_at, source="console")
    if get_environment_key(provider):
        return ProviderKeyOut(configured=True, updated_at=None, source="environment")
    return ProviderKeyOut(configured=False, updated_at=None, source=None)


def save_settings(change: SettingsIn, *, by: str) -> None:
    """All of it or nothing; booths and photos see it at once. Blocking, by bcrypt too.

    Raises InvalidFields.
    """
    # In one order, whoever saves: two at once wait for each other's rows and never in a circle.
    names = sorted(change.model_fields_set)
    secrets = _check_secrets(change)
    values = {name: getattr(change, name) for name in names if name not in SECRETS}
    with transaction.atomic():
        before = get_history_state(read_settings())
        refused = dict(secrets.refused)
        try:
            change_settings(_translate_switch(values), by=by)
        except ValidationError as exc:
            refused |= messages_by_field(exc.errors(include_input=False))
        if refused:
            raise InvalidFields(refused)
        secrets.store(by=by)
        after = get_history_state(read_settings()) | secrets.describe_changes()
        write_settings(before, after, by=by)
    changed = [name for name in names if name != "provider_keys"]
    changed += [f"provider_keys.{name}" for name in secrets.keys]
    log.info("slots.settings.changed", names=changed, by=by)


def _translate_switch(values: dict[str, Any]) -> dict[str, Any]:
    """``galleries_open`` of older programs as what it means now."""
    rest = {name: value for name, value in values.items() if name != "galleries_open"}
    if len(rest) == len(values) or "galleries" in rest:
        return rest
    if not values["galleries_open"]:
        return rest | {"galleries": "closed"}
    return rest | ({"galleries": "open"} if read_settings().galleries == "closed" else {})


@dataclass(slots=True)
class _NewSecrets:
    """A new booth password and new provider keys, and what is wrong with those given."""

    password: StoredPassword | None = None
    keys: dict[str, str] = field(default_factory=dict)
    refused: FieldMessages = field(default_factory=dict)

    def store(self, *, by: str) -> None:
        if self.password:
            store_ingest_password(self.password, by=by)
        for provider, key in self.keys.items():
            set_provider_key(provider, key, by=by)

    def describe_changes(self) -> State:
        """What the history may know of them."""
        password = {"ingest_password": CHANGED} if self.password else {}
        keys = {f"provider_keys.{n}": CHANGED if key else REMOVED for n, key in self.keys.items()}
        return password | keys


def _check_secrets(change: SettingsIn) -> _NewSecrets:
    secrets = _NewSecrets()
    if "provider_keys" in change.model_fields_set:
        with _collect_refusals(secrets.refused):
            secrets.keys = _clean_keys(change.provider_keys)
    if "ingest_password" in change.model_fields_set:
        with _collect_refusals(secrets.refused):
            secrets.password = prepare_new_password(change.ingest_password)
    return secrets


def get_history_state(now: SettingsOut) -> State:
    """What the history says of the settings: no secret, not even whether there is one."""
    return now.model_dump(mode="json", include=set(PlatformSettings.model_fields))


@contextmanager
def _collect_refusals(refused: FieldMessages) -> Iterator[None]:
    """Collect all that is wrong, to report it at once and not field by field."""
    try:
        yield
    except InvalidFields as exc:
        refused |= exc.fields


def _clean_keys(keys: dict[str, str | None]) -> dict[str, str]:
    unknown = [name for name in keys if name not in DRIVERS]
    if unknown:
        words = _("There is no such provider.")
        raise InvalidFields({join_path(["provider_keys", name]): words for name in unknown[:20]})
    return {name: clean_key(name, keys[name]) for name in sorted(keys)}
