"""The ways in which a message leaves this server."""

import json
from collections.abc import Callable

from slots.letters.access import MailAccess, find_mail_access
from slots.secrets import decrypt, encrypt
from stats.models import AlertRecipient
from stats.watch.channels.by_apprise import send_by_link
from stats.watch.channels.by_email import send_by_email
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


def load_address(recipient: AlertRecipient) -> Address:
    """All that ``send_message`` needs. Two queries at most. Raises ProviderConfig."""
    address = open_address(recipient.address)
    if recipient.channel == AlertRecipient.Channel.EMAIL:
        return add_mail_access(address, find_mail_access())
    return address


def add_mail_access(address: Address, access: MailAccess | None) -> Address:
    """The mail server of the installation wins over one that an older release kept here."""
    return address if access is None else address | dump_access(access)


def dump_access(access: MailAccess) -> Address:
    return {name: str(value) for name, value in access.model_dump().items()}
