"""The kept sample pictures, for administrators only."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from photochanger.errors import AppError
from slots.console.library.access import for_editors
from slots.library.samples import WEBP, read_sample


@require_GET
@for_editors
def kept_sample(request: HttpRequest, media_id: str) -> HttpResponse:
    try:
        body = read_sample(media_id)
    except AppError as exc:
        raise Http404 from exc
    return HttpResponse(body, content_type=WEBP, headers={"Cache-Control": "private, max-age=3600"})
