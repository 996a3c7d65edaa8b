"""The keys of the AI services: checked, stored encrypted, read, moved to a new encryption key."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from django.apps import apps
from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from photochanger.errors import InvalidFields, ProviderConfig
from slots.models import Setting
from slots.passwords import SEALED_KEY
from slots.secrets import CiphertextField, decrypt, encrypt, is_of_newest_key
from slots.setting_rows import store_row

log = structlog.get_logger()

MAX_KEY = 500


def provider_row_key(provider: str) -> str:
    """The settings row of a provider: it holds the key, and admission locks it."""
    return f"provider.{provider}"


def make_provider_row(provider: str) -> None:
    """The row that admission locks for a provider; made at its first photo."""
    Setting.objects.get_or_create(key=provider_row_key(provider))


def clean_key(provider: str, key: str | None) -> str:
    """A provider's key as it can be sent; "" for none. Raises InvalidFields."""
    key = (key or "").strip()
    if not re.fullmatch(rf"[!-~]{{0,{MAX_KEY}}}", key):
        raise InvalidFields(
            {f"provider_keys.{provider}": _("A key has neither spaces nor special characters.")}
        )
    return key


def set_provider_key(provider: str, api_key: str, *, by: str) -> None:
    """Store a provider's key encrypted; from now on it wins over the environment's.

    An empty one takes the stored key away again.
    """
    value = {"api_key": encrypt(api_key)} if api_key else None
    store_row(provider_row_key(provider), value, by=by)


def read_provider_key(provider: str, stored: object) -> str:
    """The key to call a provider with, or "" when there is none. Raises ProviderConfig.

    ``stored`` is the value of the provider's settings row, as JSON text or read.
    """
    if isinstance(stored, str):
        stored = json.loads(stored)
    if isinstance(stored, dict):
        return decrypt(str(stored["api_key"]))
    return get_environment_key(provider)


def load_provider_key(provider: str) -> str:
    """The same, of the row as it is now. One query. Raises ProviderConfig."""
    row = Setting.objects.filter(pk=provider_row_key(provider)).first()
    return read_provider_key(provider, row.value if row else None)


def get_environment_key(provider: str) -> str:
    return str(getattr(django_settings, f"{provider.upper()}_API_KEY", ""))


def list_keyless(providers: Iterable[str]) -> list[str]:
    """Those of them that nobody has given a key. One query."""
    asked = {provider_row_key(name): name for name in providers}
    values = dict(Setting.objects.filter(key__in=asked).values_list("key", "value"))
    return [
        name
        for key, name in asked.items()
        if not isinstance(values.get(key), dict) and not get_environment_key(name)
    ]


@dataclass(frozen=True, slots=True)
class Rotation:
    """Names of providers and of others with a secret, by what became of what is stored."""

    current: tuple[str, ...]
    moved: tuple[str, ...]
    unreadable: tuple[str, ...]  # by none of our keys


@transaction.atomic
def move_to_newest_key(*, dry_run: bool = False) -> Rotation:
    """Encrypt all that is stored encrypted anew; with ``dry_run``, tell what would be moved.

    What nobody can read stays as it is: the key that opens it may yet be found.
    """
    current, moved, unreadable = [], [], []
    stored = [*_iterate_provider_keys(), *_iterate_sealed_settings(), *_iterate_ciphertexts()]
    for name, token, store in stored:
        if is_of_newest_key(token):
            current.append(name)
            continue
        try:
            secret = decrypt(token)
        except ProviderConfig:
            unreadable.append(name)
            continue
        moved.append(name)
        if not dry_run:
            store(encrypt(secret))
    if moved and not dry_run:
        log.info("slots.keys.rotated", names=moved)
    return Rotation(tuple(current), tuple(moved), tuple(unreadable))


Stored = tuple[str, str, Callable[[str], object]]  # whose it is, the ciphertext, how to store it


def _iterate_provider_keys() -> Iterator[Stored]:
    prefix = provider_row_key("")
    # Locked, so that a key which is entered meanwhile is not overwritten by the one before it.
    for row in Setting.objects.select_for_update().filter(key__startswith=prefix):
        if isinstance(row.value, dict):
            rows = Setting.objects.filter(pk=row.pk)

            def store(token: str, rows: QuerySet[Setting] = rows) -> object:
                return rows.update(value={"api_key": token})

            yield row.key.removeprefix(prefix), str(row.value["api_key"]), store


def _iterate_sealed_settings() -> Iterator[Stored]:
    """The booth password of all slots; a slot's own stands in a column."""
    for row in Setting.objects.select_for_update().filter(key=SEALED_KEY).exclude(value=""):
        rows = Setting.objects.filter(pk=row.pk)

        def store(token: str, rows: QuerySet[Setting] = rows) -> object:
            return rows.update(value=token)

        yield SEALED_KEY, str(row.value), store


def _iterate_ciphertexts() -> Iterator[Stored]:
    """Every column of secrets, of whatever app."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, CiphertextField):
                yield from _iterate_column(model, field.attname)


def _iterate_column(model: type[Model], column: str) -> Iterator[Stored]:
    manager = model._default_manager
    for row in manager.select_for_update().exclude(**{column: ""}):
        rows = manager.filter(pk=row.pk)

        def store(token: str, rows: QuerySet[Any] = rows) -> object:
            return rows.update(**{column: token})

        yield str(row), str(getattr(row, column)), store
