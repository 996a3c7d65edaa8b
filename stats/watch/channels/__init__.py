"""The ways in which a message leaves this server."""

import json
from collections.abc import Callable

from slots.secrets import decrypt, encrypt
from stats.models import AlertRecipient
from stats.watch.channels.by_apprise import send_by_email, send_by_link
from stats.watch.channels.telegram import send_by_telegram

Address = dict[str, str]  # the fields of a channel, secrets among them
SEND: dict[str, Callable[[Address, str, str], None]] = {
    AlertRecipient.Channel.TELEGRAM: send_by_telegram,
    AlertRecipient.Channel.EMAIL: send_by_email,
    AlertRecipient.Channel.LINK: send_by_link,
}


def send_message(channel: str, address: Address, title: str, body: str) -> None:
    """Blocking, for half a minute at most. Raises DeliveryFailed."""
    SEND[channel](address, title, body)


def seal_address(address: Address) -> str:
    """Raises ProviderConfig without FIELD_ENCRYPTION_KEY."""
    return encrypt(json.dumps(address))


def open_address(sealed: str) -> Address:
    """Raises ProviderConfig when none of our keys opens it."""
    found: Address = json.loads(decrypt(sealed))
    return found
