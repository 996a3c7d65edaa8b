"""What a page of an event answers once the event is gone."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from slots.models import Event


def answer_deleted_event(page: Callable[..., HttpResponse]) -> Callable[..., Any]:
    """An event that somebody deletes after it was read, and before it is locked, is as little there
    as one that was deleted a minute ago."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return page(request, *args, **kwargs)
        except Event.DoesNotExist as exc:
            raise Http404 from exc

    return guarded
