from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from ingest.console.job import delete_picture, job_page, undo_guest_deletion
from ingest.console.jobs import jobs_page
from ingest.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    """Jobs are history, which nobody edits; the pages are our own."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        delete = self.admin_site.admin_view(delete_picture)
        undo = self.admin_site.admin_view(undo_guest_deletion)
        return [
            path("<uuid:job_id>/delete-picture/", delete, name="ingest_job_delete_picture"),
            path("<uuid:job_id>/undo-deletion/", undo, name="ingest_job_undo_deletion"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return jobs_page(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return job_page(request, object_id)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A job is never changed, so it has no history: show its page."""
        return job_page(request, object_id)
