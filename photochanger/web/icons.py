"""The template tag of the console's icons: a dashboard shows 200 of them, and an included template
for each took a third of its time."""

from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(name="icon")
@lru_cache(maxsize=256)  # more than there are in static/console/icons.svg
def draw_icon(name: str) -> SafeString:
    """The icon of that name in the sheet of icons; words beside it say what it means."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        '<use href="{}#{}" /></svg>',
        static("console/icons.svg"),
        name,
    )
