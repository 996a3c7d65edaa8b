"""The URLs of the lab."""

from django.urls import URLPattern, path

from ingest.console.lab import building, pages, running
from slots.console.pages import AdminView


def get_lab_urls(
    admin_view: AdminView,
) -> list[URLPattern]:
    run = "lab/<int:run_id>/"
    return [
        path("lab/", admin_view(pages.lab_page), name="lab"),
        path(run, admin_view(pages.run_page), name="lab_run"),
        path(f"{run}news/", admin_view(pages.run_news), name="lab_news"),
        path(f"{run}photos/", admin_view(building.add_photos), name="lab_photos"),
        path(f"{run}samples/", admin_view(building.add_sample_photos), name="lab_samples"),
        path(
            f"{run}photo/<int:photo_id>/",
            admin_view(pages.photo_picture, cacheable=True),
            name="lab_photo",
        ),
        path(
            f"{run}photo/<int:photo_id>/remove/",
            admin_view(building.remove_lab_photo),
            name="lab_photo_remove",
        ),
        path(f"{run}start/", admin_view(building.start_lab_run), name="lab_start"),
        path(f"{run}next/", running.next_picture, name="lab_next"),
        path(f"{run}stop/", admin_view(running.stop_lab_run), name="lab_stop"),
        path(f"{run}go/", admin_view(running.resume_lab_run), name="lab_go"),
        path(f"{run}take/<int:recipe_id>/", admin_view(running.take_winner), name="lab_take"),
        path(f"{run}delete/", admin_view(running.delete_lab_run), name="lab_delete"),
    ]
