"""For parts of pages that are put into other apps' pages: what their views know nothing of."""

from django import template

from slots.platform_settings import load_platform_settings

register = template.Library()


@register.simple_tag
def waiting_time() -> int:
    """Seconds a booth waits where its slot says nothing. One query."""
    return load_platform_settings().sync_response_seconds
