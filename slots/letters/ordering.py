"""A guest orders a letter: within limits that hold for all processes together."""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from media.models import MediaObject
from photochanger.db import clock
from photochanger.errors import InvalidRequest, PathNotFound, RateLimited
from slots.letters.addresses import clean_address, hash_for_counting, mask_address
from slots.letters.models import GuestLetter, MailServer
from slots.secrets import encrypt

log = structlog.get_logger()

Status = GuestLetter.Status
PER_PICTURE = 5  # that arrive: one to an address that does not exist may be typed anew
PER_ADDRESS, ADDRESS_WINDOW = 10, timedelta(hours=24)
# Guests in the Wi-Fi of a hall share one address.
PER_SOURCE, SOURCE_WINDOW = 120, timedelta(hours=1)
MOST_WAITING = 2000


class NoLetters(PathNotFound):
    sentence = _("Pictures are not sent by e-mail here.")


class NoConsent(InvalidRequest):
    sentence = _("Without your consent we may not use the address. Tick the sentence.")


class TooManyLetters(RateLimited):
    """Says no number: whoever tries to send too much need not know how much is too much."""

    sentence = _("Too many letters at once. Try again later, or download the picture.")


class PictureSentEnough(TooManyLetters):
    """For good: no later try helps."""

    sentence = _(
        "This picture has gone to as many addresses as it may. Download it and send it yourself."
    )


@transaction.atomic
def order_letter(
    picture: MediaObject,
    address: str,
    *,
    has_consent: bool,
    source: str,
    site: str,
    language: str,
) -> GuestLetter:
    """A letter with this picture, to be sent by the watch. The same again is the same letter.

    ``source``: where the request came from. Raises NoLetters, NoConsent, BadAddress,
    TooManyLetters, ProviderConfig.
    """
    # One after the other, or two processes would both count before either has written.
    if not MailServer.objects.select_for_update(no_key=True).filter(serves_guests=True).first():
        raise NoLetters("guests may not send letters")
    if not has_consent:
        raise NoConsent("no consent")
    to, now = clean_address(address), clock.now()
    who, source_hash = hash_for_counting("address", to), hash_for_counting("source", source)
    of_picture = GuestLetter.objects.filter(job_id__in=[picture.job_id])
    is_known = of_picture.filter(address_hash=who, status__in=(Status.WAITING, Status.SENT))
    if known := is_known.first():
        return known
    _check_limits(of_picture, who, source_hash, now)
    letter = _add_letter(picture, to, language=language, site=site, source_hash=source_hash)
    log.info("slots.letter.ordered", letter=str(letter.pk), slot=letter.slot_id)
    return letter


def _add_letter(picture: MediaObject, to: str, **columns: str) -> GuestLetter:
    now, job_id = clock.now(), picture.job_id
    assert job_id is not None  # or no link would lead to it
    return GuestLetter.objects.create(
        job_id=job_id,
        slot_id=picture.slot_id,
        event_id=picture.event_id,
        address=encrypt(to),
        address_hash=hash_for_counting("address", to),
        shown_as=mask_address(to),
        created_at=now,
        next_try_at=now,
        **columns,
    )


def _check_limits(
    of_picture: QuerySet[GuestLetter], who: str, source_hash: str, now: datetime
) -> None:
    """Raises TooManyLetters, PictureSentEnough."""
    retry_after_s = SOURCE_WINDOW.total_seconds()
    if of_picture.filter(status__in=(Status.WAITING, Status.SENT)).count() >= PER_PICTURE:
        raise PictureSentEnough("enough letters of this picture", retry_after_s=retry_after_s)
    letters = GuestLetter.objects.all()
    recent = letters.filter(address_hash=who, created_at__gt=now - ADDRESS_WINDOW)
    here = letters.filter(source_hash=source_hash, created_at__gt=now - SOURCE_WINDOW)
    for limit, found in (
        (PER_ADDRESS, recent),
        (PER_SOURCE, here),
        (MOST_WAITING, letters.filter(status=Status.WAITING)),
    ):
        if found.count() >= limit:
            raise TooManyLetters("too many letters", retry_after_s=retry_after_s)
