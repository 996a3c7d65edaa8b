"""Slots, settings and providers over HTTP, as an administrator's program sees them."""

import json
from typing import Any

from django.conf import settings
from django.test import override_settings

from photochanger.testing.marks import both_databases
from slots import openapi
from slots.checked_keys.listed_models import remember_models
from slots.models import Setting, Slot
from slots.passwords import set_ingest_password
from slots.platform_settings import change_settings, load_platform_settings
from slots.provider_keys import read_provider_key
from slots.secrets import password_matches
from slots.tests.support import AdminTestCase

pytestmark = both_databases

SLOT = "/api/slots/slot-001"
HOSTILE = "<script>alert(1)</script>" * 20


class ReadSlotTests(AdminTestCase):
    def test_all_slots_are_listed_with_three_queries(self) -> None:
        with self.assertNumQueries(3):  # the account, the slots, their template pictures
            answer = self.client.get("/api/slots")
        slots = answer.json()
        self.assertEqual([one["id"] for one in slots], [f"slot-{n:03}" for n in range(1, 16)])
        first = slots[0]
        self.assertEqual(
            (first["provider"], first["is_active"], first["version"]), ("gemini", False, 1)
        )
        self.assertEqual(first["ingest_url"], "http://testserver/ingest/slot-001")
        self.assertIn("updated_at", first)

    def test_a_slot_is_told_whole_in_six_queries(self) -> None:
        with self.assertNumQueries(6):  # account, slot, settings, templates, reserves, results
            slot = self.client.get(SLOT).json()
        self.assertEqual(
            (slot["sync_response_seconds"], slot["effective_sync_response_seconds"]), (None, 48)
        )
        self.assertEqual((slot["template_media"], slot["recent_results"]), ([], []))
        self.assertFalse(slot["ingest_password_set"])
        self.assertNotIn("hash", str(slot))

    def test_links_are_under_the_public_address_where_there_is_one(self) -> None:
        with override_settings(PUBLIC_BASE_URL="https://photos.example.com"):
            slot = self.client.get(SLOT).json()
        self.assertEqual(slot["ingest_url"], "https://photos.example.com/ingest/slot-001")

    def test_there_are_no_other_slots(self) -> None:
        for slot_id in ("slot-016", "x" * 300, "%00", "%F0%9F%98%80"):
            for method in (self.client.get, self.client.put):
                with self.subTest(slot_id=slot_id):
                    answer = method(f"/api/slots/{slot_id}", content_type="application/json")
                    status = 404 if method == self.client.get else 400  # no body
                    self.assertEqual(answer.status_code, status)
            refused = self.put(f"/api/slots/{slot_id}", {})
            self.assertEqual(refused.json()["failure_reason"], "slot_not_found")


class ChangeSlotTests(AdminTestCase):
    def test_the_specified_example_is_taken_word_for_word(self) -> None:
        media_id = self.template()
        body = json.loads(json.dumps(openapi.SLOT_EXAMPLE))
        body["template_media"][0]["media_object_id"] = media_id
        answer = self.put(SLOT, body)
        self.assertEqual(answer.status_code, 200, answer.content)
        told = answer.json()
        template = told["template_media"][0]
        self.assertEqual(
            {name: template[name] for name in ("media_kind", "media_object_id")},
            body["template_media"][0],
        )
        for name in body.keys() - {"template_media"}:
            self.assertEqual(told[name], body[name], name)
        self.assertEqual((told["version"], told["updated_by"]), (2, "serg"))
        self.assertEqual(self.client.get(SLOT).json(), told)

    def test_absent_keys_keep_their_values(self) -> None:
        self.put(SLOT, {"display_name": "Oil", "size_limit_mb": 7, "settings": {"prompt": "x"}})
        told = self.put(SLOT, {"is_active": True}).json()
        self.assertEqual((told["display_name"], told["size_limit_mb"]), ("Oil", 7))
        self.assertEqual(told["public_title"], "")
        told = self.put(SLOT, {"public_title": "The wedding"}).json()
        self.assertEqual((told["display_name"], told["public_title"]), ("Oil", "The wedding"))
        self.assertEqual((told["settings"], told["is_active"]), ({"prompt": "x"}, True))

    def test_what_was_read_can_be_sent_back(self) -> None:
        self.put(
            SLOT,
            {
                "settings": {"prompt": "x"},
                "template_media": [{"media_kind": "style", "media_object_id": self.template()}],
            },
        )
        read = self.client.get(SLOT).json()
        answer = self.put(SLOT, read)
        self.assertEqual(answer.status_code, 200, answer.content)
        changed = {"version", "updated_at"}
        self.assertEqual(
            {k: v for k, v in answer.json().items() if k not in changed},
            {k: v for k, v in read.items() if k not in changed},
        )

    def test_each_wrong_field_gets_a_sentence(self) -> None:
        for body, field, sentence in (
            ({"settings": {}, "is_active": True}, "settings.prompt", "This field is needed."),
            (
                {"settings": {"prompt": "x", "image_size": "9K"}},
                "settings.image_size",
                "One of these is needed: 512, 1K, 2K, 4K.",
            ),
            (
                {"settings": {"prompt": "x" * 4001}},
                "settings.prompt",
                "Too long: at most 4000 characters are allowed.",
            ),
            (
                {"settings": {"prompt": "x", "promt": "y"}},
                "settings.promt",
                "There is no such field.",
            ),
            ({"settings": []}, "settings", "An object with fields is needed."),
            ({"size_limit_mb": 21}, "size_limit_mb", "Too large: at most 20 is allowed."),
            ({"size_limit_mb": "20"}, "size_limit_mb", "A whole number is needed."),
            ({"size_limit_mb": None}, "size_limit_mb", "A whole number is needed."),
            (
                {"sync_response_seconds": 9},
                "sync_response_seconds",
                "Too small: at least 10 is needed.",
            ),
            ({"is_active": "yes"}, "is_active", "Yes or no (true or false) is needed."),
            ({"provider": "midjourney"}, "provider", "There is no such provider."),
            ({"operation": "dance"}, "operation", "The provider has no such operation."),
            ({"no_such": 1}, "no_such", "There is no such field."),
            ({"on_failure": "cry"}, "on_failure", "One of these is needed: error, original."),
            (
                {"ingest_password": "short"},
                "ingest_password",
                "Too short: at least 6 characters are needed.",
            ),
            (
                {"template_media": [{"media_kind": "style", "media_object_id": "7" * 32}]},
                "template_media.0.media_object_id",
                "This slot has no such template picture. Upload it again.",
            ),
            (
                {"template_media": [{"media_kind": "hat", "media_object_id": "7" * 32}]},
                "template_media.0.media_kind",
                "One of these is needed: style, background, base, overlay, face, frame.",
            ),
        ):
            with self.subTest(body=body):
                fields = self.refused(SLOT, body)
                self.assertEqual(fields.get(field), sentence, fields)
        self.assertEqual(Slot.objects.get(pk="slot-001").version, 1)

    def test_what_would_fail_every_photo_is_refused_while_the_slot_is_on(self) -> None:
        style = {"provider": "turbotext", "operation": "style_transfer", "settings": {"seed": 5}}
        self.assertEqual(
            list(self.refused(SLOT, {**style, "is_active": True})),
            ["settings.seed", "template_media"],
        )
        edit = style | {"operation": "image_edit", "is_active": True}
        self.assertEqual(list(self.refused(SLOT, edit)), ["settings.prompt"])
        self.assertEqual(self.put(SLOT, style).status_code, 200)  # off: a recipe in the making
        media = [{"media_kind": "style", "media_object_id": self.template()}]
        done = {"settings": {"prompt": "x"}, "template_media": media, "is_active": True}
        self.assertEqual(self.put(SLOT, done).status_code, 200)
        self.assertEqual(list(self.refused(SLOT, {"template_media": []})), ["template_media"])

    def test_several_wrong_fields_are_told_at_once_and_in_russian(self) -> None:
        answer = self.put(
            SLOT,
            {"size_limit_mb": 0, "is_active": 3, "display_name": 5},
            **{"Accept-Language": "ru"},
        )
        fields = answer.json()["fields"]
        self.assertEqual(set(fields), {"size_limit_mb", "is_active", "display_name"})
        self.assertEqual(fields["display_name"], "Нужен текст.")

    def test_nothing_hostile_comes_back(self) -> None:
        for body in (
            {HOSTILE: 1},
            {"settings": {HOSTILE: 1, "prompt": HOSTILE * 20}},
            {"provider": HOSTILE[:30], "operation": HOSTILE[:50]},
            {"settings": {f"x{n}": 1 for n in range(1000)}, "is_active": True},
        ):
            with self.subTest(body=list(body)[0][:20]):
                answer = self.put(SLOT, body)
                self.assertEqual(answer.status_code, 400)
                self.assertNotIn("<", answer.content.decode())
                self.assertLess(len(answer.content), 5000)

    def test_what_no_database_keeps_is_a_bad_request(self) -> None:
        for body in (
            b'{"display_name": "a\\u0000"}',
            b'{"settings": {"prompt": "\\ud800"}}',
            b'{"settings": {"prompt": NaN}}',
            b"{",
            b"[]",
            b"7",
            b"",
        ):
            with self.subTest(body=body):
                self.assertEqual(self.put(SLOT, body).status_code, 400)
        self.assertEqual(self.refused(SLOT, b"{"), {"": "This is not JSON."})
        kept = self.put(SLOT, b'{"display_name": "\\\\u0000"}').json()["display_name"]
        self.assertEqual(kept, "\\u0000")  # a backslash and letters: no NUL

    def test_a_stale_version_is_refused_and_told_the_current_one(self) -> None:
        self.put(SLOT, {"display_name": "A", "version": 1})
        answer = self.put(SLOT, {"display_name": "B", "version": 1})
        self.assertEqual(answer.status_code, 409)
        self.assertEqual(answer.json()["failure_reason"], "version_conflict")
        self.assertEqual(answer.json()["version"], 2)
        self.assertEqual(Slot.objects.get(pk="slot-001").display_name, "A")

    def test_a_slots_own_password_is_set_and_removed_but_never_told(self) -> None:
        told = self.put(SLOT, {"ingest_password": "own-password"})
        self.assertTrue(told.json()["ingest_password_set"])
        self.assertNotIn("own-password", told.content.decode())
        hashed = Slot.objects.get(pk="slot-001").ingest_password_hash
        self.assertTrue(password_matches("own-password", hashed))
        self.put(SLOT, {"display_name": "other"})
        self.assertEqual(Slot.objects.get(pk="slot-001").ingest_password_hash, hashed)
        self.assertFalse(self.put(SLOT, {"ingest_password": ""}).json()["ingest_password_set"])

    def test_a_gallery_can_be_given_an_end(self) -> None:
        told = self.put(
            SLOT,
            {
                "gallery_until": "2026-11-30T18:00:00Z",
                "is_active": True,
                "settings": {"prompt": "x"},
            },
        ).json()
        self.assertEqual(told["gallery_until"], "2026-11-30T18:00:00Z")
        told = self.put(SLOT, {"gallery_until": None}).json()
        self.assertEqual((told["gallery_until"], told["gallery_open"]), (None, True))
        for wrong in ("2026-11-30T18:00:00", "0001-01-01T00:00:00+14:00", "soon"):
            fields = self.refused(SLOT, {"gallery_until": wrong})
            self.assertEqual(list(fields), ["gallery_until"])

    def test_numbers_written_as_text_are_numbers_in_a_recipe(self) -> None:
        told = self.put(SLOT, {"settings": {"prompt": "x", "output_quality": "90"}}).json()
        self.assertEqual(told["settings"], {"prompt": "x", "output_quality": 90})


class SettingsTests(AdminTestCase):
    URL = "/api/settings"

    def test_the_specified_answer_is_given_word_for_word(self) -> None:
        set_ingest_password("booth-secret", by="serg")
        self.put(self.URL, {"provider_keys": {"gemini": "AIza-secret"}})
        told = self.client.get(self.URL).json()
        specified: dict[str, Any] = {
            "sync_response_seconds": 48,
            "result_ttl_hours": 72,
            "ingest_password_rotated_at": told["ingest_password_rotated_at"],
            "ingest_password_rotated_by": "serg",
            "provider_keys": {
                "gemini": {
                    "configured": True,
                    "updated_at": told["provider_keys"]["gemini"]["updated_at"],
                },
                "turbotext": {"configured": False, "updated_at": None},
            },
        }
        self.assertRegex(told["ingest_password_rotated_at"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
        for provider, facts in specified["provider_keys"].items():
            self.assertEqual(
                told["provider_keys"][provider] | facts, told["provider_keys"][provider]
            )
        for name in specified.keys() - {"provider_keys"}:
            self.assertEqual(told[name], specified[name], name)

    def test_before_anything_is_set(self) -> None:
        with self.assertNumQueries(2):
            told = self.client.get(self.URL).json()
        self.assertIsNone(told["ingest_password_rotated_at"])
        self.assertIsNone(told["ingest_password_rotated_by"])
        self.assertFalse(told["ingest_password_set"])

    def test_any_part_can_be_changed_alone(self) -> None:
        for change in (
            {"sync_response_seconds": 30},
            {"result_ttl_hours": 24},
            {"max_jobs_per_slot": 2},
            {"max_jobs_per_provider": 9},
            {"hash_check": "strict"},
            {"replay_by_hash": False},
            {"gallery_size": 20},
            {"galleries": "secret"},
        ):
            with self.subTest(change=change):
                told = self.put(self.URL, change).json()
                self.assertEqual(told | change, told)
                self.assertEqual(
                    load_platform_settings().model_dump() | change,
                    load_platform_settings().model_dump(),
                )
        self.assertEqual(self.put(self.URL, {}).json(), told)
        self.assertEqual(Setting.objects.get(pk="gallery_size").updated_by, "serg")

    def test_rows_are_written_in_one_order_so_that_two_who_save_never_deadlock(self) -> None:
        change = {
            "provider_keys": {"turbotext": "secret", "gemini": "AIza-secret"},
            **{"sync_response_seconds": 30, "replay_by_hash": False, "max_jobs_per_slot": 2},
            **{"max_jobs_per_provider": 9, "hash_check": "strict", "gallery_size": 20},
        }
        self.assertEqual(self.put(self.URL, change).status_code, 200)
        written = list(Setting.objects.order_by("updated_at").values_list("pk", flat=True))
        self.assertEqual(written, [*sorted(written[:-2]), "provider.gemini", "provider.turbotext"])

    def test_what_was_read_can_be_sent_back(self) -> None:
        self.put(self.URL, {"provider_keys": {"gemini": "AIza-secret"}})
        read = self.client.get(self.URL).json()
        self.assertEqual(self.put(self.URL, read).json(), read)

    def test_values_out_of_bounds_change_nothing(self) -> None:
        for change, field in (
            ({"sync_response_seconds": 9}, "sync_response_seconds"),
            ({"sync_response_seconds": 61}, "sync_response_seconds"),
            ({"sync_response_seconds": True}, "sync_response_seconds"),
            ({"sync_response_seconds": None}, "sync_response_seconds"),
            ({"gallery_size": 5, "result_ttl_hours": 0}, "result_ttl_hours"),
            ({"gallery_size": 5, "ingest_password": "x"}, "ingest_password"),
            ({"gallery_size": 5, "ingest_password": "пароль" * 10}, "ingest_password"),
            ({"gallery_size": 5, "ingest_password": " spaces "}, "ingest_password"),
            ({"gallery_size": 5, "provider_keys": {"nobody": "x"}}, "provider_keys.nobody"),
            ({"gallery_size": 5, "provider_keys": {"nobody": {}}}, "provider_keys.nobody"),
            ({"gallery_size": 5, "provider_keys": {"gemini": "a b"}}, "provider_keys.gemini"),
            ({"gallery_size": 5, "provider_keys": {"gemini": 7}}, "provider_keys.gemini"),
            ({"ingest_password_hash": "$2b$..."}, "ingest_password_hash"),
        ):
            with self.subTest(change=change):
                self.assertEqual(list(self.refused(self.URL, change)), [field])
        self.assertFalse(Setting.objects.exists())

    def test_the_limit_of_bcrypt_is_said_clearly(self) -> None:
        fields = self.refused(self.URL, {"ingest_password": "пароль" * 10})
        self.assertIn("72 bytes", fields["ingest_password"])

    def test_the_booth_password_is_rotated(self) -> None:
        answer = self.put(self.URL, {"ingest_password": "new-password"})
        self.assertNotIn("new-password", answer.content.decode())
        self.assertEqual(answer.json()["ingest_password_rotated_by"], "serg")
        self.assertTrue(
            password_matches("new-password", load_platform_settings().ingest_password_hash)
        )

    def test_a_key_of_the_console_wins_until_it_is_removed(self) -> None:
        def state() -> tuple[bool, str | None]:
            told = self.client.get(self.URL).json()["provider_keys"]["gemini"]
            return told["configured"], told["source"]

        self.assertEqual(state(), (False, None))
        with override_settings(GEMINI_API_KEY="from-env"):
            self.assertEqual(state(), (True, "environment"))
            for nothing in (None, ""):
                answer = self.put(self.URL, {"provider_keys": {"gemini": "from-console"}})
                self.assertNotIn("from-console", answer.content.decode())
                stored = Setting.objects.get(pk="provider.gemini").value
                self.assertEqual(read_provider_key("gemini", stored), "from-console")
                self.assertEqual(state(), (True, "console"))
                self.put(self.URL, {"provider_keys": {"gemini": nothing}})
                stored = Setting.objects.get(pk="provider.gemini").value
                self.assertEqual(read_provider_key("gemini", stored), "from-env")
                self.assertEqual(state(), (True, "environment"))

    def test_a_slot_that_follows_the_settings_says_how_long_it_waits(self) -> None:
        change_settings({"sync_response_seconds": 20}, by="serg")
        self.assertEqual(self.client.get(SLOT).json()["effective_sync_response_seconds"], 20)


class ProvidersTests(AdminTestCase):
    def providers(self, language: str = "en") -> dict[str, Any]:
        with self.assertNumQueries(1):
            answer = self.client.get("/api/providers", headers={"Accept-Language": language})
        return {one["provider"]: one for one in answer.json()}

    def test_a_form_finds_all_it_needs(self) -> None:
        told = self.providers()
        self.assertEqual(set(told), {"gemini", "turbotext"})
        gemini, turbotext = told["gemini"], told["turbotext"]
        old = next(one for one in gemini["models"] if one["id"] == "gemini-2.5-flash-image")
        self.assertEqual((old["retires_at"], old["is_retired"]), ("2027-03-15", False))
        due = next(one for one in gemini["models"] if one["id"] == "gemini-3.1-flash-image")
        self.assertEqual((due["retires_at"], due["is_retired"]), ("2026-10-29", True))
        remember_models("gemini", settings.GEMINI_API_KEY, [due["id"]])
        models = self.providers()["gemini"]["models"]
        due = next(one for one in models if one["id"] == due["id"])
        self.assertEqual((due["retires_at"], due["is_retired"]), ("2026-10-29", False))
        self.assertIn("prompt", gemini["settings_schema"]["properties"])
        self.assertEqual(gemini["settings_schema"]["required"], ["prompt"])
        self.assertFalse(gemini["requires_public_media"])
        self.assertTrue(turbotext["requires_public_media"])
        kinds = {one["id"]: one["media_kinds"] for one in turbotext["operations"]}
        self.assertEqual(kinds["style_transfer"], ["style"])
        self.assertEqual(turbotext["models"], [])
        self.assertEqual(gemini["input_formats"], ["image/jpeg", "image/png", "image/webp"])

    def test_it_speaks_the_readers_language(self) -> None:
        field = self.providers("ru")["gemini"]["settings_schema"]["properties"]["model"]
        self.assertEqual(field["title"], "Модель")
