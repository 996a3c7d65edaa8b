"""The part of a slot's page that says who sees the pictures."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from media.sorter.loading import sorter_nets
from photochanger.errors import AppError
from slots.console.pages import confirm_page
from slots.gallery.addresses import (
    build_gallery_path,
    build_gallery_url,
    replace_gallery_address,
)
from slots.gallery.modes import find_gallery_mode
from slots.models import Slot
from slots.platform_settings import PlatformSettings

Mode = Slot.GalleryMode


@dataclass(frozen=True, slots=True, kw_only=True)
class GallerySection:
    """What the page tells of the stored slot, whatever is typed into its form."""

    is_open: bool  # for somebody
    path: str
    secret_url: str  # empty where no link of ours is a secret one
    limit: str  # why less is shown than the slot says
    lacks_sorter: bool  # the slot's pictures are to be sorted, and nothing here can do that

    @classmethod
    def of(cls, request: HttpRequest, slot: Slot, platform: PlatformSettings) -> "GallerySection":
        is_secret = Mode.SECRET in (slot.gallery_mode, platform.galleries)
        return cls(
            is_open=find_gallery_mode(slot, platform) != Mode.CLOSED,
            path=build_gallery_path(slot, platform),
            secret_url=build_gallery_url(request, slot, platform) if is_secret else "",
            limit=_describe_limit(slot, platform),
            lacks_sorter=slot.publishing == Slot.Publishing.SORTED
            and not sorter_nets.are_files_there(settings.FACES_DIR),
        )


def _describe_limit(slot: Slot, platform: PlatformSettings) -> str:
    if slot.gallery_mode == Mode.CLOSED or platform.galleries == "open":
        return ""
    if platform.galleries == "closed":
        return _("The settings have closed the galleries of all slots.")
    return _("The settings let all galleries be found by their secret addresses only.")


@require_POST
def replace_address(request: HttpRequest, slot_id: str) -> HttpResponse:
    if "confirmed" not in request.POST:
        return confirm_page(
            request,
            title=_("Make a new secret address?"),
            words=_(
                "Links and QR codes with the present one lead nowhere from then on, printed ones "
                "too."
            ),
            yes=_("New address"),
        )
    try:
        replace_gallery_address(slot_id, by=request.user.get_username())
    except AppError as exc:
        messages.error(request, str(exc.sentence))
    else:
        messages.success(request, _("The gallery has a new secret address."))
    return redirect("admin:slots_slot_change", slot_id)
