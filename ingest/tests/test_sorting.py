"""What looks safe goes on show by itself, what does not waits: by running servers."""

import io
from concurrent.futures import Future
from unittest import mock

import httpx
from asgiref.sync import async_to_sync
from django.test import SimpleTestCase, override_settings
from django.utils import timezone
from PIL import Image

from ingest import sorting
from ingest.faces.search import FaceSearch
from ingest.models import Job
from ingest.pipeline import response
from ingest.pipeline.outcome import PhotoResult
from ingest.sorting import sort_result
from ingest.tests.live_support import LiveTestCase
from media.faces.verdict import PHOTO
from media.models import MediaObject
from media.sorter.loading import sorter_nets
from media.sorter.rule import SAFE_BELOW, shrink_for_sorting
from media.tests.support import ResultsTestCase, make_picture
from photochanger import metrics
from photochanger.pictures import Picture
from photochanger.testing.faces import FOLDER, need_engine
from photochanger.testing.waiting import wait_until
from providers.simulator.people import PEOPLE, lose_person, make_group

ONE = make_group(("obama",))
MISSHAPEN = lose_person(ONE, 1)  # bare where a face was: the sorter takes that for skin


def encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


class SorterTests(SimpleTestCase):
    def setUp(self) -> None:
        need_engine()
        sorter = sorter_nets.load(FOLDER)
        assert sorter is not None
        self.sorter = sorter

    def judge(self, image: Image.Image) -> float:
        return self.sorter.judge(shrink_for_sorting(image))

    def test_people_are_safe_and_what_is_not_so_sure_is_held_back(self) -> None:
        for group in [(person,) for person in PEOPLE] + [PEOPLE]:
            self.assertLess(self.judge(make_group(group)), SAFE_BELOW / 2, group)
        self.assertGreater(self.judge(MISSHAPEN), SAFE_BELOW)

    def test_every_kind_of_picture_can_be_judged(self) -> None:
        for mode in ("1", "L", "P", "RGBA", "CMYK", "I;16"):
            with self.subTest(mode):
                self.assertLess(self.judge(Image.new(mode, (640, 480))), SAFE_BELOW)


class SortResultTests(ResultsTestCase):
    """The row: whatever hinders the sorter, the picture waits."""

    def add_result(self) -> MediaObject:
        return self.store_result(make_picture(side_px=32), has_preview=False)

    def sort(self, media: MediaObject, image: Image.Image, folder: str = FOLDER) -> str:
        assert media.job_id
        with override_settings(FACES_DIR=folder):
            async_to_sync(sort_result)(media.job_id, shrink_for_sorting(image))
        media.refresh_from_db()
        return media.review

    def test_what_looks_safe_is_let_on_show(self) -> None:
        need_engine()
        self.assertEqual(self.sort(self.add_result(), ONE), "safe")
        self.assertEqual(self.sort(self.add_result(), MISSHAPEN), "new")

    def test_what_somebody_has_decided_meanwhile_holds(self) -> None:
        need_engine()
        media = self.add_result()
        MediaObject.objects.update(review="hidden")
        with mock.patch.object(metrics, "count_sorted") as counted:
            self.assertEqual(self.sort(media, ONE), "hidden")
        counted.assert_called_once_with("waits")  # and is not counted as shown by us

    def test_without_the_model_all_wait(self) -> None:
        with self.assertLogs("media.nets.loader", "WARNING"):
            self.assertEqual(self.sort(self.add_result(), ONE, folder="/nowhere"), "new")

    def test_only_small_copies_wait_for_their_turn(self) -> None:
        """Fifty whole pictures would be a gigabyte."""
        job = Job(result_expires_at=timezone.now())
        whole = Image.new("RGB", (2400, 3600))
        search = FaceSearch(Future(), describe=False, rules=PHOTO)
        result = PhotoResult(
            job=job,
            picture=Picture(body=b"", mime="image/jpeg"),
            image=whole,
            face_image=whole,
            face_search=search,
            is_sorted=True,
        )
        with mock.patch.object(response, "run_beside") as begun:
            async_to_sync(response._begin_face_work)(result, has_file=True)
            async_to_sync(response._begin_face_work)(result, has_file=False)
        sizes = [call.args[0].args[-1].size for call in begun.call_args_list]
        self.assertEqual(sizes, [(800, 1200), (256, 256), (800, 1200)])

    def test_under_load_and_after_any_failure_it_waits(self) -> None:
        with mock.patch.object(sorting, "_places") as places:
            places.acquire.return_value = False
            self.assertEqual(self.sort(self.add_result(), ONE), "new")
        with (
            mock.patch.object(sorter_nets, "load", side_effect=RuntimeError),
            self.assertLogs("ingest.sorting", "WARNING"),
        ):
            self.assertEqual(self.sort(self.add_result(), ONE), "new")


class LiveSortingTests(LiveTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        need_engine()
        super().setUpClass()
        cls.site.env["FACES_DIR"] = FOLDER
        cls.server = cls.enterClassContext(cls.site.server())

    def post_to(self, slot_id: str, photo: Image.Image) -> None:
        recipe = {"prompt": "A warm poster [sim:ok]"}
        self.site.configure_all({slot_id: {"settings": recipe, "publishing": "sorted"}})
        answer = self.post(self.server, encode(photo), slot=slot_id)
        self.assertEqual(answer.status_code, 200, answer.text[:300])

    def review(self, slot_id: str) -> str:
        where = f"slot_id = '{slot_id}' and kind = 'result'"
        return str(self.site.rows(f"select review from media_object where {where}")[0][0])

    def test_a_safe_picture_comes_on_show_by_itself_and_another_waits(self) -> None:
        self.post_to("slot-002", MISSHAPEN)
        self.post_to("slot-001", ONE)
        wait_until(lambda: self.review("slot-001") == "safe")
        wait_until(lambda: 'outcome="waits"' in httpx.get(f"{self.server.url}/metrics").text)
        self.assertEqual(self.review("slot-002"), "new")
        wait_until(lambda: self.count_shown("slot-001") == 1)
        self.assertEqual(self.count_shown("slot-002"), 0)

    def count_shown(self, slot_id: str) -> int:
        answer = httpx.get(f"{self.server.url}/public/slots/{slot_id}?format=json")
        return len(answer.json()["results"])
