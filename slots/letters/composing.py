"""The words of a guest's letter: all of them ours, none typed by who ordered it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from slots.letters.access import MailAccess
from slots.letters.smtp import build_mail

# Mail servers take 10 to 25 MB, and an attachment grows by a third on its way.
MAX_ATTACHED_BYTES = 7 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """All that a letter says."""

    id: uuid.UUID
    to: str
    language: str
    title: str  # what the operator set for guests; may be empty
    site: str  # empty where the link opens in the hall only
    view_id: uuid.UUID  # the link that shows the picture: a mistyped address must not delete it
    expires_at: datetime | None


def compose_letter(access: MailAccess, letter: Letter, picture: bytes, mime: str) -> EmailMessage:
    """``picture`` goes with it; empty: it is too large, and only the link does."""
    with translation.override(letter.language):
        subject = _("Your picture: %(title)s") % {"title": letter.title}
        if not letter.title:
            subject = _("Your picture from the photo booth")
        name = letter.title or "PhotoChanger"
        body = "\n\n".join(_write_lines(letter, has_picture=bool(picture))) + "\n"
        mail = build_mail(
            access, to=[letter.to], subject=subject, body=body, name=name, number=str(letter.id)
        )
    if picture:
        extension = {"image/jpeg": "jpg"}.get(mime, mime.rpartition("/")[2])
        mail.attach(f"photo.{extension}", picture, mime)
    return mail


def _write_lines(letter: Letter, *, has_picture: bool) -> list[str]:
    lines = [_("Hello!")]
    if has_picture:
        lines.append(_("Here is your picture from the photo booth: it is attached to this letter."))
    else:
        lines.append(_("Your picture from the photo booth is too large for a letter."))
    if letter.site:
        path = reverse("api:guest_page", kwargs={"job_id": letter.view_id})
        lines.append(_("Its page:") + f" {letter.site}{path}")
        if letter.expires_at:
            until = date_format(timezone.localtime(letter.expires_at), "j E, H:i")
            lines.append(_("The page is there until %(until)s.") % {"until": until})
    lines.append(
        _(
            "Somebody typed this address on the page of the picture. If it was not you, delete "
            "this letter: no other comes, and the address is forgotten together with the picture."
        )
    )
    return lines
