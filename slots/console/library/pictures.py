"""The kept sample pictures, for administrators only."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from photochanger.errors import AppError
from slots.console.pages import show_picture
from slots.library.samples import WEBP, read_sample


@require_GET
def kept_sample(request: HttpRequest, media_id: str) -> HttpResponse:
    try:
        body = read_sample(media_id)
    except AppError as exc:
        raise Http404 from exc
    return show_picture(body, WEBP)
