"""The models that a key's own list contains, as the last "Check key" saw them.

Announced dates are the earliest possible ones and are moved; the list is the better judge.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from photochanger.errors import ProviderConfig
from slots.models import Setting
from slots.provider_keys import provider_row_key, read_provider_key
from slots.setting_rows import load_fact, store_fact

SAME_FOR = timedelta(hours=1)  # a list that has not changed is not written again before that


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
    """Keep a key's list for later. Blocking."""
    if ids is None:
        return
    fact = {"ids": sorted(ids), "key": _hash_key(provider, api_key)}
    now, known = timezone.now(), load_fact(_fact_key(provider))
    is_same = isinstance(known, dict) and fact.items() <= known.items()
    if is_same and now - datetime.fromisoformat(known["at"]) < SAME_FOR:
        return
    store_fact(_fact_key(provider), {**fact, "at": now.isoformat()}, by="")


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
    checked_at = datetime.fromisoformat(fact["at"])
    return ListedModels(frozenset(fact["ids"]), timezone.localdate(checked_at))


def _fact_key(provider: str) -> str:
    return f"models.{provider}"


def _hash_key(provider: str, api_key: str) -> str:
    """Tells another key or another address from this one; leads back to neither."""
    address = getattr(django_settings, f"{provider.upper()}_BASE_URL", "")
    return salted_hmac("slots.checked_keys", f"{address}\n{api_key}").hexdigest()[:24]
