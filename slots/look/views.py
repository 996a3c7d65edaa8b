"""The colours and the logo of an event, for guests' pages. Their addresses name no event."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from ninja import Router

from media.file_response import serve_file
from media.models import MediaObject
from media.uploads import find_upload
from photochanger.db import in_db
from photochanger.errors import MediaNotFound
from photochanger.parsing import parse_id
from slots.look.colours import COLOUR, NONE, write_stylesheet

look_router = Router(tags=["public"])

FRESH = "public, max-age=86400"


@look_router.get(
    "/look/{accent}-{background}.css", url_name="event_colours", include_in_schema=False
)
async def show_colours(request: HttpRequest, accent: str, background: str) -> HttpResponse:
    """All that it says is in its address: no event and no row is asked for."""
    for colour in (accent, background):
        if colour != NONE and not COLOUR.fullmatch(colour):
            raise Http404
    headers = {"Cache-Control": FRESH, "X-Content-Type-Options": "nosniff"}
    sheet = write_stylesheet(accent, background)
    return HttpResponse(sheet, content_type="text/css; charset=utf-8", headers=headers)


@look_router.get("/logos/{logo_id}", url_name="event_logo", include_in_schema=False)
async def show_logo(request: HttpRequest, logo_id: str) -> HttpResponseBase:
    """By its own random id."""
    key = parse_id(logo_id, MediaNotFound)
    logo = await in_db(find_upload, MediaObject.Kind.LOGO, key)
    try:
        return await serve_file(
            request, logo, disposition="inline", cache_control="private, max-age=300"
        )
    except FileNotFoundError as exc:
        raise MediaNotFound("the logo is not there") from exc
