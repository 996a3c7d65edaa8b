"""Guests' letters go out beside the alerts, and never instead of them."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from media import storage
from media.guests.look import find_look
from photochanger.errors import ProviderConfig, StorageError
from slots.letters.access import MailAccess, find_mail_access
from slots.letters.composing import MAX_ATTACHED_BYTES, Letter, compose_letter
from slots.letters.models import GuestLetter
from slots.letters.queue import drop_letter, find_picture, mark_failed, mark_sent, select_due
from slots.letters.smtp import MailFailed, send_mail
from slots.secrets import decrypt
from stats.watch.channels.failure import DeliveryFailed, mask_addresses, mask_secrets
from stats.watch.delivery import Sender

MOST_AT_ONCE = 4  # large mail services refuse more connections of one sender
GIVE_UP_S = 180.0  # a picture of 7 MB through a slow line


class FinallyRefused(DeliveryFailed):
    """Trying again would bring the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterParcel:
    """A letter that is ready to go: nothing of it is read from the database any more."""

    letter: Letter
    access: MailAccess
    path: str
    mime: str
    size_bytes: int

    @property
    def id(self) -> uuid.UUID:
        return self.letter.id

    @property
    def kind(self) -> str:
        return "letter"

    def deliver(self) -> None:
        """Blocking. Raises DeliveryFailed; the address is in none of its words."""
        name = self.letter.to.rpartition("@")[0]
        secrets = {self.letter.to, self.access.password, name if len(name) > 3 else ""} - {""}
        try:
            is_small = self.size_bytes <= MAX_ATTACHED_BYTES
            picture = storage.read(self.path) if is_small else b""
            send_mail(self.access, compose_letter(self.access, self.letter, picture, self.mime))
        except MailFailed as exc:
            kind = FinallyRefused if exc.is_final else DeliveryFailed
            raise kind(mask_secrets(mask_addresses(str(exc)), secrets)) from None
        except (OSError, StorageError) as exc:
            raise DeliveryFailed(f"the picture cannot be read: {type(exc).__name__}") from None


class GuestMail:
    """The letters of one watch."""

    def __init__(self) -> None:
        self.sender = Sender[LetterParcel](MOST_AT_ONCE, GIVE_UP_S)

    def send_due(self, now: datetime) -> None:
        """One query while nothing is due."""
        letters = select_due(now)
        access = find_mail_access() if letters else None
        if access is None:
            return  # they wait, and the page of e-mail says for what
        for letter in letters:
            if not self.sender.is_on_its_way(letter.pk):
                self._send(letter, access, now)

    def _send(self, letter: GuestLetter, access: MailAccess, now: datetime) -> None:
        picture = find_picture(letter)
        if picture is None or picture.view_id is None:
            drop_letter(letter.pk)
            return
        try:
            to = decrypt(letter.address)
        except ProviderConfig as exc:
            mark_failed(letter.pk, str(exc), now, is_final=False)
            return
        words = Letter(
            id=letter.pk,
            to=to,
            language=letter.language,
            title=find_look(picture).title,
            site=letter.site,
            view_id=picture.view_id,
            expires_at=picture.expires_at,
        )
        self.sender.send(
            LetterParcel(
                letter=words,
                access=access,
                path=picture.path,
                mime=picture.mime,
                size_bytes=picture.size_bytes,
            )
        )

    def record(self, now: datetime) -> None:
        """What has come of those that were on their way."""
        for outcome in self.sender.collect():
            if outcome.failure is None:
                mark_sent(outcome.parcel.id, now)
            else:
                is_final = isinstance(outcome.failure, FinallyRefused)
                mark_failed(outcome.parcel.id, str(outcome.failure), now, is_final=is_final)
