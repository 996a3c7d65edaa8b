"""The people of photo and result, measured beside the photo's path by running servers."""

import io
import json
import re
import threading
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

import httpx
from asgiref.sync import async_to_sync
from django.test import override_settings
from PIL import Image

from ingest.faces.detector import MOST_WAITING, detector
from ingest.faces.measure import compare_pictures
from ingest.faces.search import FaceSearch, start_face_search
from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import IngestTestCase
from media.faces.verdict import PHOTO
from photochanger.pictures import Photo
from photochanger.testing.faces import FOLDER, need_engine
from photochanger.testing.waiting import PATIENCE_S, wait_until
from providers.simulator.people import make_group
from slots.models import Slot
from slots.platform_settings import PlatformSettings

FIGURES = "people_in, people_out, faces, likeness"


class Seen(NamedTuple):
    people_in: int | None
    people_out: int | None
    faces: str
    likeness: int | None


def encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


class LiveFacesTests(LiveTestCase):
    group = make_group(("biden", "obama", "collins"))

    @classmethod
    def setUpClass(cls) -> None:
        cls.engine = need_engine()
        super().setUpClass()
        cls.site.env["FACES_DIR"] = FOLDER
        cls.scenario("slot-001", "ok")
        cls.server = cls.enterClassContext(cls.site.server())

    @classmethod
    def scenario(cls, slot_id: str, name: str, **columns: Any) -> None:
        recipe = {"prompt": f"A warm poster [sim:{name}]"}
        cls.site.configure_all(
            {slot_id: {"settings": recipe, **columns}}, limits={"faces": "likeness"}
        )

    def measure(self, slot_id: str) -> Seen:
        """Send the group, and wait for the figures of its job and of its last call."""
        answer = self.post(self.server, encode(self.group), slot=slot_id)
        self.assertEqual(answer.status_code, 200, answer.text[:300])
        where = f"job_id = '{self.to_key(answer)}'"
        job = f"select {FIGURES} from job_history where {where}"
        wait_until(lambda: self.site.rows(job)[0][2])
        call = f"select {FIGURES} from job_attempt where {where} order by number desc limit 1"
        self.assertEqual(self.site.rows(call), self.site.rows(job))
        return Seen(*self.site.rows(job)[0])

    def test_everybody_kept(self) -> None:
        seen = self.measure("slot-001")
        self.assertEqual(seen[:3], (3, 3, "kept"))
        self.assertGreater(seen.likeness or 0, 60)

    def test_a_face_lost_added_and_replaced(self) -> None:
        for number, (name, out, verdict) in enumerate(
            (
                ("lose-face=3", 2, "lost"),
                ("add-face=3", 4, "stranger"),
                ("swap-face=3", 3, "changed"),
            )
        ):
            slot_id = f"slot-00{number + 2}"
            self.scenario(slot_id, name)
            self.assertEqual(self.measure(slot_id)[:3], (3, out, verdict), name)

    def test_a_face_lost_is_asked_for_once_more_and_the_better_picture_is_sent(self) -> None:
        self.scenario("slot-007", "lose-face-unless-told=3", faces="retry")
        answer, job, calls = self.post_until_judged("slot-007")
        self.assertEqual(job[:3], (3, 3, "kept"))
        self.assertEqual([call[2] for call in calls], ["lost", "kept"])
        self.assertEqual(calls[1][:4], job)
        stored = httpx.get(f"{self.server.url}/public/results/{answer.headers['X-Job-Id']}")
        self.assertEqual(stored.content, answer.content)
        with Image.open(io.BytesIO(answer.content)) as image:
            faces = self.engine.find_faces(image.convert("RGB"), least_score=0.4, describe=False)
        self.assertEqual(len(faces), 3)

    def test_the_first_picture_is_sent_where_the_second_is_no_better(self) -> None:
        for slot_id, name, verdicts, reasons in (
            ("slot-008", "lose-face=3", ["lost", "lost"], ["", ""]),
            ("slot-009", "lose-face-then-503=3", ["lost", ""], ["", "provider_5xx"]),
        ):
            self.scenario(slot_id, name, faces="retry")
            answer, job, calls = self.post_until_judged(slot_id)
            self.assertEqual(job[:3], (3, 2, "lost"), name)
            self.assertEqual([call[2] for call in calls], verdicts, name)
            self.assertEqual([call[4] for call in calls], reasons, name)
            stored = httpx.get(f"{self.server.url}/public/results/{answer.headers['X-Job-Id']}")
            self.assertEqual(stored.content, answer.content)

    def test_nothing_is_asked_again_where_it_would_not_help(self) -> None:
        """Everybody is there; or the style changes faces by itself, so that it was braked."""
        self.scenario("slot-010", "ok", faces="retry")
        _answer, _job, calls = self.post_until_judged("slot-010")
        self.assertEqual([call[2] for call in calls], ["kept"])

    def post_until_judged(
        self, slot_id: str
    ) -> tuple[httpx.Response, tuple[Any, ...], list[tuple[Any, ...]]]:
        """The answer to a photo whose pictures were judged in time, with its figures.

        A booth waits for a judgement for a short time only: on a busy machine that may pass.
        """
        for number in range(5):
            key = {"Idempotency-Key": f"{slot_id}-{number}"}
            answer = self.post(self.server, encode(self.group), slot=slot_id, headers=key)
            self.assertEqual(answer.status_code, 200)
            job, calls = self.read_figures(answer)
            if all(call[2] or call[4] for call in calls):
                return answer, job, calls
        raise AssertionError("no picture was judged in time")

    def read_figures(self, answer: httpx.Response) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]]:
        """Of the job, and of its calls with their failure's reason. They stand in rows already."""
        where = f"job_id = '{self.to_key(answer)}'"
        [job] = self.site.rows(f"select {FIGURES} from job_history where {where}")
        calls = f"select {FIGURES}, failure_reason from job_attempt where {where} order by number"
        return tuple(job), [tuple(call) for call in self.site.rows(calls)]

    def to_key(self, answer: httpx.Response) -> str:
        """A job's id as its database writes it."""
        return answer.headers["X-Job-Id"].replace("-", "")

    def test_figures_are_counted_and_nothing_of_a_face_stays(self) -> None:
        self.scenario("slot-006", "ok")
        self.measure("slot-006")
        exposition = self.get("/metrics")
        kept = 'photochanger_faces_checked_total{slot="slot-006",verdict="kept"} 1.0'
        self.assertIn(kept, exposition)
        self.assertNotIn("photochanger_faces_seconds_count 0.0", exposition)
        self.assertEqual(json.loads(self.get("/healthz"))["parts"]["faces"]["state"], "installed")
        rows = self.site.rows("select * from job_history") + self.site.rows(
            "select * from job_attempt"
        )
        for text in (self.server.log_text(), repr(rows)):
            self.assertNotRegex(text, r"descriptor|centre=")
            # A row of figures such as a face's description has 128 of.
            self.assertIsNone(re.search(r"(-?0\.\d+[, ]+){8}", text))

    def get(self, path: str) -> str:
        return httpx.get(self.server.url + path, timeout=60).text


class WatchTests(IngestTestCase):
    """Without an engine, or when it is off, a photo goes its way and nothing is written."""

    async def test_without_models_photos_are_whole_and_not_measured(self) -> None:
        for folder in ("", "/nowhere"):
            with override_settings(FACES_DIR=folder):
                answer = await self.post()
            self.assertEqual(answer.status_code, 200)
        jobs = [job async for job in self.slot.jobs.all()]
        self.assertEqual({(job.faces, job.people_in) for job in jobs}, {("", None)})

    def test_no_search_begins_where_it_is_off(self) -> None:
        need_engine()
        for level, slot, is_searched in (
            ("off", Slot.Faces.MEASURE, False),
            ("count", Slot.Faces.OFF, False),
            ("count", Slot.Faces.MEASURE, True),
        ):
            self.slot.faces = slot
            self.assertEqual(self.start(PlatformSettings(faces=level)) is not None, is_searched)

    def test_only_likeness_describes_faces(self) -> None:
        need_engine()
        for level, describes in (("count", False), ("likeness", True)):
            search = self.start(PlatformSettings(faces=level))
            assert search is not None
            found = search.detection.result(PATIENCE_S) or []
            self.assertEqual([face.descriptor is not None for face in found], [describes] * 2)

    def test_a_photo_too_many_is_not_waited_for(self) -> None:
        need_engine()
        gate = threading.Event()
        with ExitStack() as files:
            with override_settings(FACES_DIR=FOLDER):
                held = detector.start(partial(self.open_behind, gate), describe=False)
            assert held is not None
            wait_until(held.running)
            places = [self.start(PlatformSettings(faces="count"), files) for _ in range(9)]
            begun = [search for search in places if search]
            self.assertEqual(len(begun), MOST_WAITING - 1)
        # Their results are there: what has not begun is given up.
        self.assertTrue(all(search.detection.cancelled() for search in begun))
        gate.set()
        wait_until(held.done)
        self.assertIsNotNone(self.start(PlatformSettings(faces="count")))

    def open_behind(self, gate: threading.Event) -> Image.Image:
        gate.wait(PATIENCE_S)
        return Image.new("RGB", (64, 64))

    async def test_a_detection_that_was_given_up_leaves_no_figures(self) -> None:
        search = FaceSearch(Future(), describe=True, rules=PHOTO)
        search.detection.cancel()
        self.assertIsNone(await compare_pictures(search, make_group(["biden"])))

    def start(
        self, platform: PlatformSettings, files: ExitStack | None = None
    ) -> FaceSearch | None:
        photo = Photo.open(io.BytesIO(encode(make_group(["biden", "obama"]))), max_megapixels=5)
        with override_settings(FACES_DIR=FOLDER):
            return async_to_sync(start_face_search)(
                photo, self.slot, platform, files or ExitStack()
            )
