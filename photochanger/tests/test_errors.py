from babel.messages.pofile import read_po
from django.conf import settings
from django.test import SimpleTestCase

from photochanger.errors import ERROR_BY_REASON, AppError, ProviderQuota, RateLimited

ERRORS = tuple(ERROR_BY_REASON.values())
# The documented table, and what no operation answers (``photochanger.web.api_not_found``).
TABLE = {
    400: {"invalid_request", "invalid_image", "checksum_mismatch"},
    401: {
        *("invalid_password", "unauthorized", "invalid_credentials"),
        *("second_factor_required", "invalid_code"),
    },
    403: {"forbidden"},
    404: {
        *("slot_not_found", "slot_disabled", "gallery_closed"),
        *("job_not_found", "result_not_found", "media_not_found", "not_found"),
    },
    405: {"method_not_allowed"},
    409: {"idempotency_conflict", "version_conflict"},
    410: {"result_expired"},
    413: {"payload_too_large"},
    415: {"unsupported_media_type"},
    429: {"rate_limited", "throttled"},
    499: {"client_gone"},
    500: {"internal_error", "storage_error", "interrupted"},
    502: {"bad_response", "content_blocked", "provider_rejected"},
    503: {
        *("network", "provider_5xx", "quota", "provider_auth", "provider_config"),
        *("second_factor_unreadable", "budget_spent"),
    },
    504: {"timeout"},
}


def subclasses(kind: type[AppError]) -> set[type[AppError]]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


class ErrorTableTests(SimpleTestCase):
    def test_every_reason_has_its_status(self) -> None:
        for status, reasons in TABLE.items():
            self.assertEqual({e.reason for e in ERRORS if e.status == status}, reasons)

    def test_every_class_has_a_registered_reason(self) -> None:
        reasons = {kind.reason for kind in subclasses(AppError)}
        self.assertEqual(reasons, set(ERROR_BY_REASON))

    def test_a_reason_belongs_to_one_class(self) -> None:
        with self.assertRaises(AssertionError):
            type("Second", (AppError,), {"reason": "timeout"})

    def test_every_sentence_is_russian_and_english(self) -> None:
        for kind in ERRORS:
            russian = str(kind().to_json("ru")["details"])
            english = str(kind().to_json("en")["details"])
            self.assertRegex(russian, "[а-я]", kind.reason)
            self.assertNotRegex(english, "[а-я]", kind.reason)

    def test_the_body_holds_what_is_known_and_no_more(self) -> None:
        error = RateLimited("slot-001 is full", retry_after_s=2.2)
        self.assertEqual(
            error.to_json("en"),
            {
                "status": "error",
                "failure_reason": "rate_limited",
                "details": "Too many photos at once. Try again in a few seconds.",
                "retry_after": 3,
            },
        )
        self.assertEqual(error.headers["Retry-After"], "3")
        self.assertNotIn("Retry-After", ProviderQuota().headers)

    def test_no_message_is_untranslated(self) -> None:
        with (settings.LOCALE_PATHS[0] / "ru/LC_MESSAGES/django.po").open("rb") as file:
            missing = [m.id for m in read_po(file) if m.id and (not m.string or m.fuzzy)]
        self.assertEqual(missing, [])
