"""Who may see and change the library: whoever may change slots."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from slots.library.presets import LibraryPreset, find_preset
from slots.models import Slot


def for_editors(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(page)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not admin.site.get_model_admin(Slot).has_change_permission(request):
            raise PermissionDenied
        return page(request, *args, **kwargs)

    return checked


def get_preset(key: str, *, is_own: bool = False) -> LibraryPreset:
    """Raises Http404."""
    preset = find_preset(key)
    if preset is None or (is_own and not preset.is_own):
        raise Http404
    return preset
