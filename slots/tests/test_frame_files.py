"""A slot's frame as a file: what is kept of it, and what its editor is told."""

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import override
from PIL import Image

from media import storage
from media.models import MediaObject
from media.uploads import store_upload
from photochanger.bench.prints import make_frame_picture
from photochanger.errors import InvalidFields
from photochanger.pictures.photo import MIN_PHOTO_SIDE_PX, PictureTooSmall
from slots.editing import change_slot
from slots.models import Slot
from slots.prints.frames import FRAME, MAX_FRAME_SIDE_PX, choose_template_side_px, load_frame
from slots.prints.plans import build_print_plan
from slots.schemas import SlotIn
from slots.tests.support import AdminTestCase
from slots.uploads import register_template

REFUSAL = (400, "invalid_image")


def save(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class FrameFileTests(AdminTestCase):
    def store(self, body: bytes) -> MediaObject:
        kind = MediaObject.Kind.TEMPLATE
        return store_upload(
            *(kind, "slot-001", body), mime="image/png", extension="png", expires_at=None
        )

    def change(self, media: MediaObject | None = None, **values: Any) -> Slot:
        if media is not None:
            one = {"media_kind": FRAME, "media_object_id": media.pk.hex}
            values["template_media"] = [one]
        return change_slot("slot-001", SlotIn.model_validate(values), by="serg")

    def test_a_frame_without_a_paper_is_decoded_no_larger_than_any_paper(self) -> None:
        media = self.store(save(make_frame_picture((5000, 6000))))
        self.assertEqual(max(load_frame(media, "").image.size), MAX_FRAME_SIDE_PX)

    def test_a_flat_frame_is_made_smaller_at_its_upload_too(self) -> None:
        file = SimpleUploadedFile("frame.png", save(make_frame_picture((3000, 4500))))
        side_px = choose_template_side_px(FRAME)
        done = register_template("slot-001", file, by="serg", side_px=side_px)
        body = io.BytesIO(storage.read(done.media.path))
        self.assertEqual(max(Image.open(body).size), MAX_FRAME_SIDE_PX)

    def test_a_frame_that_is_too_narrow_is_refused_for_that_and_not_as_unreadable(self) -> None:
        for size in ((15, 600), (600, 15)):
            file = SimpleUploadedFile("frame.png", save(Image.new("RGBA", size)))
            with self.assertRaises(PictureTooSmall) as caught:
                register_template("slot-001", file, by="serg")
            self.assertEqual((caught.exception.status, caught.exception.reason), REFUSAL)
            with override("ru"):
                words = str(caught.exception.sentence)
            self.assertIn(f"не меньше {MIN_PHOTO_SIDE_PX} пикселей", words)
        file = SimpleUploadedFile("frame.png", save(Image.new("RGBA", (16, 600))))
        self.assertEqual(register_template("slot-001", file, by="serg").width, 16)

    def test_a_frame_that_cannot_be_read_is_told_beside_its_field(self) -> None:
        with self.assertRaises(InvalidFields) as caught:
            self.change(self.store(save(make_frame_picture((400, 600)))[:-400]))
        with override("en"):
            words = str(caught.exception.fields["template_media"])
        self.assertIn("cannot be read", words)

    def test_a_slot_with_a_broken_frame_is_switched_off_all_the_same(self) -> None:
        media = self.store(save(make_frame_picture((400, 600))))
        self.change(media, settings={"prompt": "Oil"}, is_active=True)
        storage.remove(media.path)
        storage.write(media.path, b"no picture")
        with self.assertRaises(InvalidFields):
            self.change(display_name="Party")
        self.assertFalse(self.change(is_active=False).is_active)

    def test_a_picture_for_which_nothing_is_to_be_done_is_left_as_it_is(self) -> None:
        slot = Slot(frame_qr="top-left", frame_text=" \n")
        plan: dict[str, Any] = {"find_heads": lambda image: (), "texts": {}}
        self.assertIsNone(build_print_plan(slot, **plan))
        self.assertIsNotNone(build_print_plan(slot, address="https://example.com", **plan))
