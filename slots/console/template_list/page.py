"""The page of all template pictures and frames, whichever slot has them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from media.models import MediaObject
from media.previews import shrink_upload
from media.uploads import find_upload
from photochanger.errors import AppError
from slots.console.pages import console_page, show_picture
from slots.console.template_list.rows import KINDS, list_templates
from slots.library.samples import WEBP
from slots.models import Slot


@require_GET
def template_list_page(request: HttpRequest) -> HttpResponse:
    """Three queries of its own, however many slots."""
    slots = list(Slot.objects.all())
    slot_id, kind = request.GET.get("slot", ""), request.GET.get("kind", "")
    slot_id = slot_id if slot_id in {slot.pk for slot in slots} else ""
    kind = kind if kind in KINDS else ""
    context = {
        "title": _("Templates and frames"),
        "cards": list_templates(slot_id=slot_id, kind=kind),
        "slots": slots,
        "kinds": KINDS.items(),
        "chosen_slot": slot_id,
        "chosen_kind": kind,
    }
    return console_page(request, "slots/console/template_list/template_list.html", context)


@require_GET
def template_small(request: HttpRequest, media_id: str) -> HttpResponse:
    """Its thumbnail."""
    try:
        media = find_upload(MediaObject.Kind.TEMPLATE, media_id)
        return show_picture(shrink_upload(media.path), WEBP)
    except (AppError, FileNotFoundError) as exc:
        raise Http404 from exc
