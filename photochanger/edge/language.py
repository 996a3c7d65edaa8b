from django.conf import settings
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header


def negotiate_language(accept_language: str) -> str:
    """The best of our languages for an ``Accept-Language`` header."""
    for code, _quality in parse_accept_lang_header(accept_language.lower()):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
