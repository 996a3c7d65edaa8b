"""Presets by their keys, for the library's pages."""

from django.http import Http404

from slots.library.presets import LibraryPreset, find_preset


def get_preset(key: str, *, is_own: bool = False) -> LibraryPreset:
    """Raises Http404."""
    preset = find_preset(key)
    if preset is None or (is_own and not preset.is_own):
        raise Http404
    return preset
