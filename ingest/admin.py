from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ingest.models import Attempt, Job


class ReadOnly:
    """Rows that the photo's path writes are history: nobody edits them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AttemptInline(ReadOnly, admin.TabularInline):
    model = Attempt
    extra = 0


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "started_at",
        "slot",
        "status",
        "failure_reason",
        "provider",
        "duration_ms",
        "provider_ms",
        "source",
    )
    list_filter = ("status", "failure_reason", "slot", "provider", "source")
    list_select_related = ("slot",)
    search_fields = ("job_id",)
    date_hierarchy = "started_at"
    inlines = (AttemptInline,)
    exclude = ("replay_key",)
