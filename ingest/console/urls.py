"""The URLs of this package's pages, for the console's site."""

from django.urls import URLPattern, path

from ingest.console import (
    capture,
    compare_trials,
    event,
    event_links,
    kept_trials,
    library,
    maintenance,
    refusals,
    trial,
)
from ingest.console.costs.urls import get_costs_urls
from ingest.console.lab.urls import get_lab_urls
from slots.console.pages import AdminView


def get_console_urls(
    admin_view: AdminView,
) -> list[URLPattern]:
    """``admin_view`` is the site's; the asynchronous pages are ``async_admin_view`` already."""
    return [
        path("event/", admin_view(event.event_page), name="event"),
        path("event/check/<slug:name>/", admin_view(event.event_check), name="event_check"),
        path("event/try/<slug:slot_id>/", event.event_trial, name="event_trial"),
        path("event/phone/", admin_view(event.save_phone), name="event_phone"),
        path("event/link/", admin_view(event_links.link_bytes), name="event_link"),
        path(
            "event/link/verdict/", admin_view(event_links.link_verdict), name="event_link_verdict"
        ),
        path(
            "event/link/<slug:provider>/",
            event_links.link_to_service,
            name="event_link_service",
        ),
        *_list_trial_urls(admin_view),
        *get_lab_urls(admin_view),
        *get_costs_urls(admin_view),
        path(
            "slot/sample.jpg", admin_view(trial.sample_photo, cacheable=True), name="trial_sample"
        ),
        path(
            "library/preset/<slug:key>/drawn/",
            admin_view(library.drawn_sample, cacheable=True),
            name="library_drawn",
        ),
        path("refusals/", admin_view(refusals.refusals_page), name="refusals"),
        path("capture/", admin_view(capture.capture_page), name="capture"),
        path("capture/news/", admin_view(capture.capture_news), name="capture_news"),
        path("settings/key/<slug:provider>/check/", maintenance.check_key, name="check_key"),
        path("settings/cache/clean/", admin_view(maintenance.clean_cache), name="clean_cache"),
    ]


def _list_trial_urls(
    admin_view: AdminView,
) -> list[URLPattern]:
    """Of a slot's test runs."""
    return [
        path("slot/<slug:slot_id>/try/", trial.slot_trial, name="slot_trial"),
        path("slot/<slug:slot_id>/tests/", admin_view(kept_trials.kept_trials), name="slot_trials"),
        path(
            "slot/<slug:slot_id>/tests/<uuid:job_id>/take/",
            admin_view(kept_trials.take_trial),
            name="slot_trial_take",
        ),
        path(
            "slot/<slug:slot_id>/tests/<uuid:job_id>/sample/",
            admin_view(library.keep_as_sample),
            name="slot_trial_sample",
        ),
        path(
            "slot/<slug:slot_id>/tests/<uuid:job_id>/preset/",
            admin_view(library.preset_of_trial),
            name="slot_trial_preset",
        ),
        path(
            "slot/<slug:slot_id>/tests/<uuid:job_id>/compare/",
            admin_view(compare_trials.compare_page),
            name="slot_trial_compare",
        ),
    ]
