"""Moving what is stored encrypted to the newest of our keys, so that the others may go."""

from dataclasses import dataclass

import structlog
from django.db import transaction

from photochanger.errors import ProviderConfig
from slots.models import Setting
from slots.secrets import decrypt, encrypt, is_of_newest_key
from slots.services import provider_row_key

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rotation:
    """Names of providers, by what became of their stored keys."""

    current: tuple[str, ...]
    moved: tuple[str, ...]
    unreadable: tuple[str, ...]  # by none of our keys


@transaction.atomic
def move_to_newest_key(*, only_look: bool = False) -> Rotation:
    """Encrypt every stored provider key anew; with ``only_look``, tell what would be moved.

    What nobody can read stays as it is: the key that opens it may yet be found.
    """
    current, moved, unreadable = [], [], []
    prefix = provider_row_key("")
    # Locked, so that a key which is entered meanwhile is not overwritten by the one before it.
    for row in Setting.objects.select_for_update().filter(key__startswith=prefix):
        if not isinstance(row.value, dict):
            continue
        provider, token = row.key.removeprefix(prefix), str(row.value["api_key"])
        if is_of_newest_key(token):
            current.append(provider)
            continue
        try:
            secret = decrypt(token)
        except ProviderConfig:
            unreadable.append(provider)
            continue
        moved.append(provider)
        if not only_look:
            Setting.objects.filter(pk=row.pk).update(value={"api_key": encrypt(secret)})
    if moved and not only_look:
        log.info("slots.keys.rotated", providers=moved)
    return Rotation(tuple(current), tuple(moved), tuple(unreadable))
