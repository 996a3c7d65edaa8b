"""The URLs of events."""

from django.urls import URLPattern, path

from slots.console import approval
from slots.console.pages import AdminView
from stats.console.events import acts, edit, page


def get_event_urls(
    admin_view: AdminView,
) -> list[URLPattern]:
    one = "events/<int:event_id>/"
    return [
        path("events/", admin_view(page.events_page), name="events"),
        path("events/new/", admin_view(edit.new_event), name="events_new"),
        path(one, admin_view(page.event_page), name="slots_event_change"),
        path(f"{one}news/", admin_view(page.event_part), name="events_part"),
        path(f"{one}edit/", admin_view(edit.edit_event), name="events_edit"),
        path(f"{one}copy/", admin_view(edit.copy_page), name="events_copy"),
        path(f"{one}start/", admin_view(acts.start), name="events_start"),
        path(f"{one}close/", admin_view(acts.close), name="events_close"),
        path(f"{one}delete/", admin_view(acts.delete), name="events_delete"),
        path(f"{one}purge/", admin_view(acts.purge), name="events_purge"),
        path(f"{one}print/", admin_view(page.event_pack), name="events_pack"),
        path(f"{one}approval/", admin_view(approval.event_page), name="events_approval"),
        path(f"{one}approval/qr.svg", admin_view(approval.event_qr), name="events_approval_qr"),
        path(f"{one}logo/", admin_view(page.event_logo), name="events_logo"),
        path(f"{one}qr/<slug:slot_id>.svg", admin_view(page.event_qr), name="events_qr"),
        path(f"{one}pictures.zip", admin_view(page.event_zip), name="events_zip"),
        path(
            f"{one}slots/<slug:slot_id>/<slug:act>/",
            admin_view(edit.change_recipe),
            name="events_recipe",
        ),
    ]
