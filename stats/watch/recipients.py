"""Who is told: stored with the address encrypted, changed with an entry in the history."""

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from photochanger.db import clock
from photochanger.errors import ProviderConfig
from stats.models import AlertRecipient
from stats.watch.channels import Address, open_address, seal_address
from stats.watch.channels.failure import split_mail_addresses
from stats.watch.messages import select_waiting

Channel = AlertRecipient.Channel


def show_address(channel: str, address: Address) -> str:
    """As much of it as tells it from another one, and no more."""
    if channel == Channel.TELEGRAM:
        chat = address["chat"]
        return f"{chat[:2]}···" if chat.startswith("@") else f"···{chat[-3:]}"
    if channel == Channel.EMAIL:
        first, *others = split_mail_addresses(address["to"])
        name, _at, host = first.partition("@")
        return f"{name[:1]}···@{host}{f' + {len(others)}' if others else ''}"[:120]
    return f"{address['link'].partition('://')[0].lower()}://···"[:120]


@transaction.atomic
def save_recipient(
    recipient: AlertRecipient,
    values: Mapping[str, Any],
    address: Address,
    *,
    secrets: Collection[str],
    by: int,
) -> None:
    """Of ``address``, empty ``secrets`` stay as they are. ``by`` is a user's key.

    Raises ProviderConfig without FIELD_ENCRYPTION_KEY.
    """
    is_new = recipient.pk is None
    was_active = recipient.is_active and not is_new
    known = {} if is_new else open_address_or_nothing(recipient)
    whole = address | {name: address[name] or known.get(name, "") for name in secrets}
    for name, value in values.items():
        setattr(recipient, name, value)
    recipient.address = seal_address(whole)
    recipient.shown_as = show_address(recipient.channel, whole)
    if recipient.is_active and not was_active:
        recipient.told_from = clock.now()
    recipient.save()
    _log_change(recipient, ADDITION if is_new else CHANGE, by)
    # What waits may have waited for this very change.
    select_waiting().filter(recipient=recipient).update(next_try_at=clock.now())


def open_address_or_nothing(recipient: AlertRecipient) -> Address:
    """Nothing when it was encrypted with a key that is gone: it must be entered anew."""
    try:
        return open_address(recipient.address)
    except ProviderConfig:
        return {}


@transaction.atomic
def delete_recipient(recipient: AlertRecipient, *, by: int) -> None:
    _log_change(recipient, DELETION, by)
    recipient.delete()


def _log_change(recipient: AlertRecipient, flag: int, by: int) -> None:
    LogEntry.objects.create(
        user_id=by,
        content_type=ContentType.objects.get_for_model(AlertRecipient),
        object_id=str(recipient.pk),
        object_repr=str(recipient)[:200],
        action_flag=flag,
        change_message="",
    )
