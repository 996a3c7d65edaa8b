"""Who may act on an event, and what they are answered once it is gone."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from slots.console.pages import for_editors
from slots.models import Event


def for_event_editors(page: Callable[..., HttpResponse]) -> Callable[..., Any]:
    """``for_editors``. An event that somebody deletes after it was read, and before it is locked,
    is as little there as one that was deleted a minute ago."""

    @for_editors
    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return page(request, *args, **kwargs)
        except Event.DoesNotExist as exc:
            raise Http404 from exc

    return guarded
