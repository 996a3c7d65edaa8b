"""The pages of this package, for the console's own list of addresses."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from ingest.console import capture, event, maintenance, trial


def own_pages(closed: Callable[[Callable[..., Any]], Callable[..., Any]]) -> list[URLPattern]:
    """``closed`` lets administrators in only; pages that wait long have that door already."""
    return [
        path("event/", closed(event.event_page), name="event"),
        path("event/check/<slug:name>/", closed(event.event_check), name="event_check"),
        path("event/try/<slug:slot_id>/", event.event_try, name="event_try"),
        path("slot/<slug:slot_id>/try/", trial.slot_try, name="slot_try"),
        path("slot/sample.jpg", closed(trial.sample_photo), name="try_sample"),
        path("capture/", closed(capture.capture_page), name="capture"),
        path("capture/news/", closed(capture.capture_news), name="capture_news"),
        path("settings/key/<slug:provider>/check/", maintenance.check_key, name="check_key"),
        path("settings/cache/clean/", closed(maintenance.clean_cache), name="clean_cache"),
    ]
