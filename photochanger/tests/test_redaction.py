"""Secrets in any form are cut out of texts; everything else stays as it was."""

import base64
import json
import logging

from django.test import SimpleTestCase

from photochanger import redaction
from photochanger.environment import Environment
from photochanger.errors import ProviderAuth
from photochanger.logs import _CONSOLE, _JSON, _make_formatter
from photochanger.logs.masks import escape_controls, mask
from photochanger.redaction import LONGEST, MASK, redact, remember_secret
from providers.tests.repeating import FORMS, KEY, find_key

HARMLESS = (
    "HTTP 503: UNAVAILABLE The model is overloaded. Please try again later.",
    "GET /public/results/0b0f0f1e-1111-4222-8333-444455556666/page?lang=ru&x=100%25",
    "Слишком много запросов: лимит 20 в минуту, C:\\Users\\booth\\unsent",
    "Bearer token is missing",
    "",
)


class RedactionTests(SimpleTestCase):
    def setUp(self) -> None:
        self.addCleanup(setattr, redaction, "_known", redaction._known)
        remember_secret(KEY)

    def test_a_secret_is_cut_in_every_form_and_its_surroundings_stay(self) -> None:
        for name, form in FORMS.items():
            with self.subTest(name):
                told = redact(f"refused: {form(KEY)} (code 7)")
                self.assertEqual(find_key(told), "")
                self.assertTrue(told.startswith("refused: ") and told.endswith(" (code 7)"), told)
                self.assertIn(MASK, told)

    def test_an_encoded_one_is_cut_from_within_a_longer_word(self) -> None:
        for before in range(6):
            raw = b"Bearer"[:before] + KEY[::-1].encode() + b"!"
            for word in (base64.b64encode(raw), base64.b32encode(raw), raw.hex().encode()):
                told = redact(f"x={word.decode().strip('=')} y")
                self.assertEqual(told, f"x={MASK} y")

    def test_long_words_that_encode_nothing_stay(self) -> None:
        for word in ("0123456789abcdef" * 4, "V" * 4000, "A" * 17, "antidisestablishmentarianism"):
            self.assertEqual(redact(f"({word})"), f"({word})")

    def test_full_width_letters_and_breaks_hide_nothing(self) -> None:
        wide = "".join(chr(ord(char) + 0xFEE0) for char in KEY)
        self.assertEqual(redact(wide), MASK)
        self.assertEqual(redact("\u200b".join(KEY)), MASK)
        self.assertEqual(redact("\n".join((KEY[:13], KEY[13:26], KEY[26:]))), MASK)

    def test_what_holds_none_is_not_touched(self) -> None:
        for text in HARMLESS:
            self.assertEqual(redact(text), text)

    def test_secrets_of_others_are_known_by_their_looks(self) -> None:
        google = "AIza" + "Qq-_" * 9
        for text in (google, "Bearer 0123456789abcdef", "api_key: 0123456789abcdef"):
            self.assertEqual(redact(f"{text}!"), f"{MASK}!")

    def test_a_short_one_is_cut_as_it_stands(self) -> None:
        remember_secret("k-7xQ")
        self.assertEqual(redact("your key k-7xQ is bad"), f"your key {MASK} is bad")

    def test_memory_is_bounded_and_the_newest_stay(self) -> None:
        for number in range(3 * redaction.MAX_SECRETS):
            remember_secret(f"secret-number-{number:05}-of-many")
        self.assertEqual(len(redaction._known.secrets), redaction.MAX_SECRETS)
        self.assertEqual(redact("secret-number-00149-of-many"), MASK)

    def test_of_an_endless_text_both_ends_are_kept_and_hold_none(self) -> None:
        for place in (0, LONGEST // 2 - 10, LONGEST, 5 * LONGEST):
            told = redact(f"begun {'%41 ' * (place // 4)}{KEY}{' %41' * (2 * LONGEST)} ended")
            self.assertEqual(find_key(told), "")
            self.assertLessEqual(len(told), LONGEST + 10)
            self.assertTrue(told.startswith("begun ") and told.endswith(" ended"))

    def test_no_error_of_ours_holds_one(self) -> None:
        error = ProviderAuth(f"HTTP 403: Consumer 'api_key:{KEY}' has been suspended.")
        self.assertEqual(str(error), f"HTTP 403: Consumer 'api_key:{MASK}' has been suspended.")


class LogTests(SimpleTestCase):
    def setUp(self) -> None:
        self.addCleanup(setattr, redaction, "_known", redaction._known)
        remember_secret(KEY)

    def write(self, renderer: list[object], **extra: object) -> str:
        try:
            try:
                raise ValueError(f"the body says {KEY}")
            except ValueError as exc:
                raise RuntimeError(f"header: {KEY[::-1]}") from exc
        except RuntimeError as exc:
            failure = (RuntimeError, exc, exc.__traceback__)
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "%s", (extra,), failure)
        options = _make_formatter(renderer)
        return str(options.pop("()")(**options).format(record))

    def test_no_line_holds_one_whoever_writes_it(self) -> None:
        values = {"text": KEY, "number": 7, "error": ValueError(KEY), KEY: [KEY, {"x": (KEY,)}]}
        for renderer in (_JSON, _CONSOLE):
            line = self.write(renderer, **values)
            self.assertEqual(find_key(line), "", line)
            self.assertIn("RuntimeError: header: ***", line)
            self.assertIn("direct cause", line)

    def test_no_line_loses_its_time_to_a_secret(self) -> None:
        remember_secret("ABCDEFG-of-a-key")  # in hex 41424344454647...
        known = "2026-11-28T20:41:42.434445Z"
        self.assertIn(MASK, redact(known))
        own = {"timestamp": known, "level": "info", "logger": "x", "request_id": "0041424344454600"}
        told = mask(None, "info", {**own, "detail": known})
        self.assertEqual({name: told[name] for name in own}, own)
        self.assertIn(MASK, told["detail"])

    def test_a_terminal_is_not_commanded(self) -> None:
        path = "/api/\x1b[31mRED\x1b]0;title\x07\x9b2J\u202eabc\r\nforged line"
        line = self.write(_CONSOLE, path=path)
        printed = escape_controls(None, "", {"event": path, "exception": f"a\n  {path}"})
        for text in (str(printed["event"]), *str(printed["exception"]).split("\n")):
            self.assertTrue(text.isprintable(), text)
        self.assertEqual(len(str(printed["exception"]).split("\n")), 3)
        self.assertNotIn("\x1b[31mRED", line)
        self.assertEqual(json.loads(self.write(_JSON, path=path))["level"], "error")


class SettingsTests(SimpleTestCase):
    def setUp(self) -> None:
        self.addCleanup(setattr, redaction, "_known", redaction._known)

    def test_secrets_of_the_installation_are_known_from_the_start(self) -> None:
        variables = {
            "METRICS_TOKEN": KEY,
            "SECRET_KEY_FALLBACKS": f"{KEY[::2]}-one, {KEY[1::2]}-two",
            "LANGUAGE_CODE": "a-word-of-sixteen-letters",
        }
        environment = Environment(variables)
        environment.get_key("METRICS_TOKEN")
        environment.get_list("SECRET_KEY_FALLBACKS", [])
        environment.get_text("LANGUAGE_CODE", "")
        for secret in (KEY, f"{KEY[::2]}-one", f"{KEY[1::2]}-two"):
            self.assertEqual(redact(f"({secret})"), f"({MASK})")
        self.assertEqual(redact("a-word-of-sixteen-letters"), "a-word-of-sixteen-letters")
