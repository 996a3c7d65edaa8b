from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from media.models import MediaObject

MAX_COUNTED = 2000  # of the newest: older files are found by their kind or slot
SLOTS = [f"slot-{number:03}" for number in range(1, 16)]


class CappedPaginator(Paginator):
    """Counts at most ``MAX_COUNTED`` rows: a page of a hundred must not count a million."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[MediaObject] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[:MAX_COUNTED].count()


class SlotFilter(admin.SimpleListFilter):
    """Fixed choices: to collect the slots from the files would scan the whole table."""

    title, parameter_name = _("slot"), "slot_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(slot, slot) for slot in SLOTS]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[MediaObject]
    ) -> QuerySet[MediaObject]:
        return queryset.filter(slot_id=self.value()) if self.value() else queryset


@admin.register(MediaObject)
class MediaObjectAdmin(admin.ModelAdmin):
    """The files that exist; of a deleted file only the row remains, for a while."""

    list_display = ("path", "kind", "slot_id", "size_bytes", "created_at", "expires_at")
    list_filter = ("kind", SlotFilter)
    ordering = ("-created_at",)
    paginator = CappedPaginator
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[MediaObject]:
        return super().get_queryset(request).filter(cleaned_at__isnull=True)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: MediaObject | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MediaObject | None = None) -> bool:
        return False  # deleting a row would leave its file for ever
