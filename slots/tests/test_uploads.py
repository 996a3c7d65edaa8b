"""Template pictures and test photos over HTTP: what is taken, and when it goes."""

import io
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from PIL import Image

from media import storage
from media.models import MediaObject
from slots.models import Slot, SlotTemplateMedia
from slots.tests.support import AdminTestCase, picture, upload

SLOT = "/api/slots/slot-001"


class RegisterTests(AdminTestCase):
    def test_a_template_is_stored_and_waits_for_its_slot(self) -> None:
        told = self.register(picture("PNG")).json()
        media = MediaObject.objects.get()
        self.assertEqual(told["media_object_id"], media.pk.hex)
        self.assertEqual((told["media_kind"], told["slot_id"]), ("background", "slot-001"))
        self.assertEqual((told["mime"], told["width"], told["height"]), ("image/png", 320, 240))
        self.assertEqual((media.kind, self.files()), ("template", [media.path]))
        assert media.expires_at
        self.assertAlmostEqual(
            media.expires_at, timezone.now() + timedelta(days=1), delta=timedelta(minutes=1)
        )
        shown = self.client.get(told["url"])
        self.assertEqual((shown.status_code, shown["Content-Type"]), (200, "image/png"))
        self.assertEqual(shown.content, storage.read(media.path))

    def test_metadata_is_gone_and_the_picture_is_upright(self) -> None:
        exif = Image.Exif()
        exif[0x0112], exif[0x010F] = 6, "SECRETCAMERA"
        told = self.register(picture(exif=exif)).json()
        body = storage.read(MediaObject.objects.get().path)
        self.assertNotIn(b"SECRETCAMERA", body)
        self.assertEqual(Image.open(io.BytesIO(body)).size, (240, 320))
        self.assertEqual((told["width"], told["height"]), (240, 320))

    def test_a_form_that_is_none_is_refused(self) -> None:
        for kind in ("multipart/form-data", "multipart/form-data; boundary=", "text/plain"):
            answer = self.client.post("/api/media/register", b"x", content_type=kind)
            with self.subTest(kind):
                self.assertEqual(answer.status_code, 400)
                self.assertEqual(answer.json()["failure_reason"], "invalid_request")

    def test_what_is_no_fitting_picture_is_refused_and_leaves_nothing(self) -> None:
        bomb = io.BytesIO()
        Image.new("1", (20_000, 10_000)).save(bomb, "PNG")
        gif = io.BytesIO()
        Image.new("L", (9, 9)).save(gif, "GIF")
        for path in ("/api/template-media/register", "/api/media/register"):
            for body, form, status, reason in (
                (b"GIF89a", {}, 415, "unsupported_media_type"),
                (gif.getvalue(), {}, 415, "unsupported_media_type"),
                (picture()[:3000], {}, 400, "invalid_image"),
                (bomb.getvalue(), {}, 400, "invalid_image"),
                (b"\xff\xd8\xff" + b"x" * 20 * 1024 * 1024, {}, 413, "payload_too_large"),
                (picture(), {"slot_id": "slot-016"}, 404, "slot_not_found"),
                (picture(), {"slot_id": "\0"}, 404, "slot_not_found"),
            ):
                form = {"slot_id": "slot-001", "media_kind": "style", **form}
                answer = self.client.post(path, form | {"file": upload(body)})
                with self.subTest(path=path, reason=reason, size=len(body)):
                    self.assertEqual(answer.status_code, status, answer.content)
                    self.assertEqual(answer.json()["failure_reason"], reason)
        self.assertEqual((self.files(), MediaObject.objects.count()), ([], 0))

    def test_missing_and_unknown_fields_are_named(self) -> None:
        answer = self.client.post("/api/template-media/register", {"media_kind": "hat"})
        self.assertEqual(answer.status_code, 400)
        self.assertEqual(set(answer.json()["fields"]), {"slot_id", "media_kind", "file"})

    def test_a_test_photo_lives_for_a_short_while(self) -> None:
        photo = picture()
        form = {"slot_id": "slot-001", "file": upload(photo)}
        told = self.client.post("/api/media/register", form).json()
        media = MediaObject.objects.get()
        self.assertEqual((media.kind, media.pk.hex), ("test_photo", told["media_object_id"]))
        assert media.expires_at
        lives = media.expires_at - timezone.now()
        self.assertAlmostEqual(lives.total_seconds(), settings.TEMP_TTL_SECONDS, delta=30)
        self.assertEqual(storage.read(media.path), photo)


class BindTests(AdminTestCase):
    def bind(self, *ids: str, kind: str = "style") -> list[str]:
        pictures = [{"media_kind": kind, "media_object_id": one} for one in ids]
        answer = self.put(SLOT, {"template_media": pictures})
        self.assertEqual(answer.status_code, 200, answer.content)
        return [one["media_object_id"] for one in answer.json()["template_media"]]

    def test_a_slot_keeps_its_templates_for_good_and_in_order(self) -> None:
        first, second = self.template(), self.template()
        self.assertEqual(self.bind(second, first), [second, first])
        self.assertEqual(set(MediaObject.objects.values_list("expires_at", flat=True)), {None})
        self.put(SLOT, {"display_name": "absent keeps"})
        self.assertEqual(SlotTemplateMedia.objects.count(), 2)

    def test_both_spellings_of_an_id_are_taken(self) -> None:
        media_id = self.template()
        dashed = str(MediaObject.objects.get().pk)
        self.assertEqual(self.bind(dashed), [media_id])
        self.assertEqual(self.bind(media_id.upper()), [media_id])

    def test_a_list_replaces_and_deletes_what_is_no_longer_used(self) -> None:
        old, kept, new = (self.template() for _ in range(3))
        self.bind(old, kept)
        self.assertEqual(self.bind(kept, new), [kept, new])
        self.assertEqual(len(self.files()), 2)
        gone = MediaObject.objects.get(pk=old)
        self.assertIsNotNone(gone.cleaned_at)
        self.assertEqual(self.bind(), [])
        self.assertEqual(self.files(), [])

    def test_pictures_of_others_and_of_other_kinds_are_refused(self) -> None:
        foreign = self.template(slot_id="slot-002")
        form = {"slot_id": "slot-001", "file": upload(picture())}
        test_photo = self.client.post("/api/media/register", form).json()["media_object_id"]
        late = self.template()
        MediaObject.objects.filter(pk=late).update(expires_at=timezone.now())
        for media_id in (foreign, test_photo, late):
            pictures = [{"media_kind": "style", "media_object_id": media_id}]
            fields = self.refused(SLOT, {"template_media": pictures})
            self.assertEqual(list(fields), ["template_media.0.media_object_id"])
        self.assertEqual(Slot.objects.get(pk="slot-001").version, 1)

    def test_a_refused_change_deletes_nothing(self) -> None:
        media_id = self.template()
        self.bind(media_id)
        self.refused(SLOT, {"template_media": [], "size_limit_mb": 99})
        self.assertEqual((SlotTemplateMedia.objects.count(), len(self.files())), (1, 1))

    def test_deleting_unbinds_and_deletes_once(self) -> None:
        media_id = self.template()
        self.bind(media_id)
        version = Slot.objects.get(pk="slot-001").version
        with self.captureOnCommitCallbacks(execute=True):
            answer = self.client.delete(f"/api/template-media/{media_id}")
        self.assertEqual((answer.status_code, answer.content), (204, b""))
        self.assertEqual((self.files(), SlotTemplateMedia.objects.count()), ([], 0))
        self.assertEqual(Slot.objects.get(pk="slot-001").version, version + 1)
        for path in (media_id, "7" * 32, "nonsense", "%00"):
            for method in (self.client.delete, self.client.get):
                answer = method(f"/api/template-media/{path}")
                self.assertEqual(answer.json()["failure_reason"], "media_not_found")
