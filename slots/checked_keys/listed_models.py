"""The models that a key's own list contains, as the last "Check key" saw them.

Announced dates are the earliest possible ones and are moved; the list is the better judge.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings as django_settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import salted_hmac

from photochanger.db import clock
from photochanger.errors import ProviderConfig
from slots.models import Setting
from slots.provider_keys import provider_row_key, read_provider_key
from slots.setting_rows import replace_fact

PEEK_S = 600


@dataclass(frozen=True, slots=True)
class ListedModels:
    """What the key that is in use may call, and the day of the check that said so."""

    ids: frozenset[str]
    checked_on: date

    def is_alive_after(self, model_id: str, day: date) -> bool:
        return model_id in self.ids and self.checked_on >= day

    def is_gone_after(self, model_id: str, day: date) -> bool:
        return model_id not in self.ids and self.checked_on >= day


def remember_models(provider: str, api_key: str, ids: Iterable[str] | None) -> None:
    """Keep a key's list for later. Blocking; one query."""
    if ids is not None:
        fact: dict[str, Any] = {"ids": sorted(ids), "key": _hash_key(provider, api_key)}
        fact["at"] = clock.now().isoformat()
        replace_fact(_fact_key(provider), fact)
        cache.set(_fact_key(provider), _read_fact(fact), PEEK_S)


def load_listed_models(provider: str) -> ListedModels | None:
    """None where the key in use was never checked. One query."""
    names = (_fact_key(provider), provider_row_key(provider))
    rows = dict(Setting.objects.filter(key__in=names).values_list("key", "value"))
    fact: Any = rows.get(names[0])
    if not isinstance(fact, dict):
        return None
    try:
        key = read_provider_key(provider, rows.get(names[1]))
    except ProviderConfig:
        return None
    if fact["key"] != _hash_key(provider, key):
        return None
    cache.set(names[0], found := _read_fact(fact), PEEK_S)
    return found


def peek_listed_models(provider: str) -> ListedModels | None:
    """What this process has seen lately, without a query: for lists that are asked for often."""
    found: ListedModels | None = cache.get(_fact_key(provider))
    return found


def _read_fact(fact: dict[str, Any]) -> ListedModels:
    checked_on = timezone.localdate(datetime.fromisoformat(fact["at"]))
    return ListedModels(frozenset(fact["ids"]), checked_on)


def _fact_key(provider: str) -> str:
    return f"models.{provider}"


def _hash_key(provider: str, api_key: str) -> str:
    """Tells another key or another address from this one; leads back to neither."""
    address = getattr(django_settings, f"{provider.upper()}_BASE_URL", "")
    return salted_hmac("slots.checked_keys", f"{address}\n{api_key}").hexdigest()[:24]
