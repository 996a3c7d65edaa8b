"""Finding and describing faces with the real models, on portraits in the public domain."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.test import SimpleTestCase
from PIL import Image, ImageEnhance, ImageOps

from media.faces.decoding import FileView, open_for_detection, view_file
from media.faces.loading import SUMS, face_nets
from media.faces.verdict import PHOTO, Report, Verdict, compare_faces
from media.net_files import protobuf
from media.sorter.loading import SORTER
from photochanger.testing.faces import FOLDER, need_engine
from providers.simulator.people import (
    PEOPLE,
    add_person,
    load_person,
    lose_person,
    make_group,
    swap_person,
)

if TYPE_CHECKING:
    from media.faces.engine import Engine
    from media.faces.face import Face

GROUP = ("biden", "obama", "collins")


class EngineTests(SimpleTestCase):
    engine: "Engine"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.engine = need_engine()

    def find(self, image: Image.Image, *, describe: bool = True) -> "list[Face]":
        return self.engine.find_faces(image, least_score=0.3, describe=describe)

    def compare(self, before: Image.Image, after: Image.Image) -> Report:
        return compare_faces(self.find(before), self.find(after), PHOTO)

    def test_each_person_is_found_once_where_they_are(self) -> None:
        for count in range(1, len(PEOPLE) + 1):
            faces = [face for face in self.find(make_group(PEOPLE[:count])) if face.score > 0.4]
            self.assertEqual(len(faces), count)
            columns = sorted(int(face.centre[0] * max(count, 1.25)) for face in faces)
            self.assertEqual(columns, list(range(count)))

    def test_people_are_unlike_each_other_and_like_themselves_restyled(self) -> None:
        described = {name: self.find(load_person(name))[0] for name in PEOPLE}
        for name, face in described.items():
            restyled = ImageEnhance.Brightness(ImageOps.mirror(load_person(name))).enhance(0.7)
            self.assertLess(face.distance_to(self.find(restyled)[0]), 0.4, name)
            for other in set(PEOPLE) - {name}:
                self.assertGreater(face.distance_to(described[other]), PHOTO.limit, name)

    def test_mistakes_of_a_service_are_noticed(self) -> None:
        photo = make_group(GROUP)
        mistakes: tuple[tuple[Callable[[Image.Image, int], Image.Image], Verdict, int], ...] = (
            (lambda image, people: ImageOps.grayscale(image).convert("RGB"), Verdict.KEPT, 3),
            (lose_person, Verdict.LOST, 2),
            (add_person, Verdict.STRANGER, 4),
            (swap_person, Verdict.CHANGED, 3),
        )
        for make, verdict, people_out in mistakes:
            report = self.compare(photo, make(photo, 3))
            self.assertEqual((report.verdict, report.people_out), (verdict, people_out))

    def test_a_picture_without_people_has_no_faces(self) -> None:
        for size in ((1, 1), (3, 700), (640, 480)):
            self.assertEqual(self.find(Image.new("RGB", size, "teal")), [])

    def test_counting_describes_nobody(self) -> None:
        faces = self.find(make_group(GROUP), describe=False)
        self.assertEqual({face.descriptor for face in faces}, {None})

    def test_a_large_face_is_described_as_a_small_one(self) -> None:
        small = load_person("collins")
        large = small.resize((1280, 1600), Image.Resampling.BICUBIC)
        self.assertLess(self.find(small)[0].distance_to(self.find(large)[0]), 0.15)


class LookingTests(SimpleTestCase):
    def encode(self, image: Image.Image, kind: str, **options: object) -> io.BytesIO:
        out = io.BytesIO()
        image.save(out, kind, **options)
        out.seek(0)
        return out

    def test_pictures_of_every_kind_come_upright_and_small(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        wide = Image.new("RGB", (4000, 2000), "teal")
        for kind, mode in (("JPEG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("PNG", "I;16")):
            image = wide.convert(mode) if mode != "I;16" else Image.new("I;16", wide.size)
            seen = open_for_detection(self.encode(image, kind, exif=exif))
            self.assertEqual(seen.mode, "RGB")
            self.assertLess(seen.width, seen.height, kind)
            self.assertLess(seen.height, 2048, kind)

    def test_a_file_is_read_beside_others_and_after_they_close_it(self) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(b"0123456789")
            file.flush()
            view = view_file(file, size_bytes=10, in_memory_bytes=4)
            file.seek(7)
            self.assertEqual(view.read(3), b"012")
            self.assertEqual(file.read(), b"789")
        self.assertEqual(view.read(), b"3456789")
        view.close()
        self.assertTrue(view.closed)

    def test_a_view_closes_its_own_descriptor_only(self) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(b"abc")
            file.flush()
            FileView(file.fileno(), 3).close()
            file.seek(0)
            self.assertEqual(file.read(), b"abc")

    def test_what_is_in_memory_is_copied(self) -> None:
        file = io.BytesIO(b"abc")
        view = view_file(file, size_bytes=3, in_memory_bytes=4)
        file.close()
        self.assertEqual(view.read(), b"abc")


class WithoutModelsTests(SimpleTestCase):
    def setUp(self) -> None:
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def test_their_absence_is_said_once(self) -> None:
        with self.assertLogs("media.nets.loader", "WARNING") as logged:
            self.assertIsNone(face_nets.load(self.folder))
            self.assertIsNone(face_nets.load(self.folder))
        self.assertEqual(len(logged.records), 1)
        self.assertIn("people are not counted", str(logged.output))
        self.assertTrue(face_nets.is_absent(self.folder))
        self.assertFalse(face_nets.are_files_there(self.folder))

    def test_a_damaged_file_is_never_run(self) -> None:
        for name in SUMS:
            (Path(self.folder) / name).write_bytes(b"not a net")
        self.assertTrue(face_nets.are_files_there(self.folder))
        with self.assertLogs("media.nets.loader", "WARNING") as logged:
            self.assertIsNone(face_nets.load(self.folder))
        self.assertIn("is damaged", str(logged.output))
        self.assertTrue(face_nets.is_absent(self.folder))

    def test_no_folder_is_no_folder(self) -> None:
        self.assertFalse(face_nets.are_files_there(""))


class ProtobufTests(SimpleTestCase):
    def test_what_is_written_is_read_again(self) -> None:
        numbers = (0, 1, 127, 128, 300, 2**31, 2**40)
        fields = [protobuf.write_int(3, number) for number in numbers]
        message = b"".join([*fields, protobuf.write_bytes(17, "x" * 300)])
        found = list(protobuf.read_fields(message))
        self.assertEqual([field.number for field in found], [3] * len(numbers) + [17])
        self.assertEqual(b"".join(field.whole for field in found), message)
        self.assertEqual(protobuf.find_field(message, 17), b"x" * 300)

    def test_other_wire_types_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            list(protobuf.read_fields(bytes([1 << 3 | 5, 1, 2, 3, 4])))


class ModelFilesTests(SimpleTestCase):
    def test_the_nets_are_those_of_every_other_machine(self) -> None:
        need_engine()
        self.assertEqual({file.name for file in Path(FOLDER).glob("*.onnx")}, {*SUMS, SORTER})
