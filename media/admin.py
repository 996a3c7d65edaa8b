from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
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


def find_thumbnail_url(media: MediaObject) -> str:
    """Empty for what only the AI service or a test run may see, and for what is over."""
    if media.is_over():
        return ""
    if media.kind in (MediaObject.Kind.RESULT, MediaObject.Kind.PREVIEW) and media.job_id:
        return reverse("api:public_preview", kwargs={"job_id": media.job_id})
    if media.kind == MediaObject.Kind.TEMPLATE:
        return reverse("admin:slot_template", args=[media.slot_id, media.pk.hex])
    if media.kind == MediaObject.Kind.SAMPLE:
        return reverse("admin:library_kept_sample", args=[media.pk.hex])
    return ""


@admin.register(MediaObject)
class MediaObjectAdmin(admin.ModelAdmin):
    """The files that exist; of a deleted file only the row remains, for a while."""

    list_display = ("picture", "kind", "slot_id", "size", "created_at", "expires_at")
    list_display_links = ("picture", "kind")
    list_filter = ("kind", SlotFilter)
    ordering = ("-created_at",)
    list_per_page = 50  # each with its thumbnail: a screen or two
    paginator = CappedPaginator
    show_full_result_count = False

    @admin.display(description=_("picture"))
    def picture(self, media: MediaObject) -> str:
        """Small where there is a small one: of results and of templates."""
        url = find_thumbnail_url(media)
        words = str(media.get_kind_display())
        if not url:
            return words
        image = '<img class="file-picture" src="{}" alt="{}" width="56" height="56" loading="lazy">'
        return format_html(image, url, words)

    @admin.display(description=_("size"), ordering="size_bytes")
    def size(self, media: MediaObject) -> str:
        return filesizeformat(media.size_bytes)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MediaObject]:
        return super().get_queryset(request).filter(cleaned_at__isnull=True)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: MediaObject | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: MediaObject | None = None) -> bool:
        return False  # deleting a row would leave its file for ever
