"""The lab: photos x recipes on the booths' own path, behind the booths, and what stays of it."""

import asyncio
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingest.cleanup import clean_up
from ingest.lab.claims import AT_ONCE, Claim, Turn, claim_cell
from ingest.lab.plan import MAX_PHOTOS
from ingest.lab.run import run_next_cell
from ingest.lab.samples import SAMPLES
from ingest.models import Job, LabCell, LabPhoto, LabRecipe, LabRun, TrialRecord
from ingest.pipeline.lab_share import choose_share
from ingest.pipeline.trial import complete_result
from ingest.tests.support import IngestTestCase, jpeg
from media.models import MediaObject
from photochanger.db import in_db
from photochanger.testing.console_pages import MOST_QUERIES
from photochanger.testing.marks import both_databases
from photochanger.testing.waiting import wait_until_async
from slots.history.records import find_entries, read_record
from slots.models import Slot
from slots.platform_settings import change_settings
from stats.services import load_overview

HTMX = {"HX-Request": "true"}
LAB = "/admin/lab/"
LITE = "gemini-3.1-flash-lite-image"
State = LabCell.State

pytestmark = both_databases


class LabTestCase(IngestTestCase):
    serg: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.serg = User.objects.create_superuser("serg", password="x")
        recipe = {"prompt": "A nebula"}
        Slot.objects.filter(pk="slot-002").update(is_active=True, settings=recipe)

    def setUp(self) -> None:
        super().setUp()
        self.async_client.force_login(self.serg)

    async def make_run(
        self, *recipes: str, photos: int = 1, starts: bool = True, name: str = "hall.jpg"
    ) -> LabRun:
        made = await self.async_client.post(LAB)
        self.run_url = made.headers["Location"]
        files = [SimpleUploadedFile(name, jpeg(), "image/jpeg") for _ in range(photos)]
        if files:
            await self.act("photos", photos=files)
        if starts:
            await self.act("start", recipe=recipes or ["slot-001:gemini-nano-banana-2.1"])
        return await LabRun.objects.alatest("pk")

    async def act(self, name: str, *, htmx: bool = False, **form: Any) -> Any:
        headers = HTMX if htmx else None
        return await self.async_client.post(f"{self.run_url}{name}/", form, headers=headers)

    async def list_states(self) -> list[str]:
        return [state async for state in LabCell.objects.values_list("state", flat=True)]

    async def finish(self, run: LabRun, *, most: int = 50) -> None:
        for _ in range(most):
            if await run_next_cell(run.pk) == Turn.OVER:
                return
        self.fail("the run does not end")


class LabRunTests(LabTestCase):
    async def test_each_photo_is_made_by_each_recipe_and_model(self) -> None:
        run = await self.make_run(
            "slot-001:gemini-nano-banana-2.1",
            f"slot-001:{LITE}",
            "slot-002:gemini-nano-banana-2.1",
            photos=2,
        )
        await self.finish(run)
        self.assertEqual(await self.list_states(), [State.DONE] * 6)
        sources = Job.objects.values_list("source", "status", "slot")
        self.assertEqual({row[:2] async for row in sources}, {("lab", "done")})
        models = [row async for row in Job.objects.values_list("attempts__model", flat=True)]
        self.assertEqual(models.count(LITE), 2)
        page = await self.async_client.get(self.run_url)
        self.assertContains(page, "Nano Banana 2 Lite")
        self.assertContains(page, "6 из 6")
        self.assertContains(page, "Токены")
        self.assertContains(page, "hall.jpg")

    async def test_a_saved_slot_stays_as_it_is(self) -> None:
        run = await self.make_run(f"slot-001:{LITE}")
        await self.finish(run)
        slot = await Slot.objects.aget(pk="slot-001")
        self.assertEqual((slot.settings, slot.version), (self.slot.settings, self.slot.version))

    async def test_a_failure_is_told_in_its_cell_and_the_others_go_on(self) -> None:
        await in_db(self.scenario, "400-key")
        run = await self.make_run(
            "slot-001:gemini-nano-banana-2.1", "slot-002:gemini-nano-banana-2.1"
        )
        await self.finish(run)
        self.assertEqual(sorted(await self.list_states()), [State.DONE, State.FAILED])
        page = await self.async_client.get(self.run_url)
        self.assertContains(page, "не принял наш ключ")

    async def test_what_a_page_gets_is_what_has_changed(self) -> None:
        await self.make_run()
        news = await self.act("next", htmx=True)
        self.assertEqual(news.status_code, 200)
        self.assertContains(news, 'data-phase="done"')
        self.assertContains(news, 'class="lab-cell done"')
        self.assertNotContains(news, "<h1>")
        plain = await self.act("next")
        self.assertRedirects(plain, self.run_url, fetch_redirect_response=False)

    async def test_a_run_that_is_stopped_begins_nothing_and_goes_on_when_told(self) -> None:
        run = await self.make_run(photos=2)
        await run_next_cell(run.pk)
        await self.act("stop")
        self.assertEqual(await run_next_cell(run.pk), Turn.OVER)
        self.assertContains(await self.async_client.get(self.run_url), "Дальше")
        await self.act("go")
        self.assertEqual(await run_next_cell(run.pk), Turn.MADE)
        self.assertEqual(await self.list_states(), [State.DONE, State.DONE])

    async def test_a_page_that_was_closed_pauses_the_run_and_says_so(self) -> None:
        await self.make_run(photos=2)
        long_ago = timezone.now() - timedelta(minutes=5)
        await LabRun.objects.aupdate(active_at=long_ago)
        page = await self.async_client.get(self.run_url)
        self.assertContains(page, "прогона закрыли")
        self.assertNotContains(page, "data-lane")
        self.assertContains(await self.async_client.get(LAB), "прогона закрыли")

    async def test_what_was_begun_is_finished_when_its_page_is_closed(self) -> None:
        run = await self.make_run()
        self.provider.hold()
        step = asyncio.ensure_future(run_next_cell(run.pk))
        await wait_until_async(lambda: self.provider.in_flight == 1)
        step.cancel()
        self.provider.release()
        with self.assertRaises(asyncio.CancelledError):
            await step
        self.assertEqual(await self.list_states(), [State.DONE])

    async def test_a_page_asks_the_database_little_however_large_the_run_is(self) -> None:
        await self.make_run(photos=12, starts=False)
        draft = await in_db(self.count_queries)
        await self.act("start", recipe=["slot-001:gemini-nano-banana-2.1", f"slot-002:{LITE}"])
        await self.finish(await LabRun.objects.alatest("pk"))
        run = await in_db(self.count_queries)
        self.assertLessEqual(max(draft, run), MOST_QUERIES)

    def count_queries(self) -> int:
        self.client.force_login(self.serg)
        with CaptureQueriesContext(connection) as seen:
            self.assertEqual(self.client.get(self.run_url).status_code, 200)
        return len(seen)


class LabPlaceTests(LabTestCase):
    """Booths go first."""

    async def fill_slot(self, count: int, source: str = "ingest") -> None:
        now = timezone.now()
        for _ in range(count):
            await Job.objects.acreate(
                slot=self.slot,
                slot_version=1,
                source=source,
                provider="gemini",
                operation="image_edit",
                started_at=now,
                deadline=now + timedelta(minutes=1),
                photo_sha256="0" * 64,
                photo_bytes=1,
            )

    async def test_the_lab_takes_no_place_that_booths_have(self) -> None:
        run = await self.make_run()
        await self.fill_slot(4)
        self.assertEqual(await run_next_cell(run.pk), Turn.WAITS)
        self.assertEqual(await self.list_states(), [State.WAITING])
        news = await self.act("next", htmx=True)
        self.assertEqual(news.status_code, 202)
        await Job.objects.aupdate(status="done")
        self.assertEqual(await run_next_cell(run.pk), Turn.MADE)

    async def test_the_lab_gets_a_quarter_of_the_places_and_at_least_one(self) -> None:
        self.assertEqual([choose_share(n) for n in (1, 3, 4, 7, 8, 30)], [1, 1, 1, 1, 2, 7])
        run = await self.make_run()
        await self.fill_slot(1, source="lab")
        self.assertEqual(await run_next_cell(run.pk), Turn.WAITS)
        await in_db(change_settings, {"max_jobs_per_slot": 8}, by="test")
        self.assertEqual(await run_next_cell(run.pk), Turn.MADE)

    async def test_a_booth_is_let_in_though_the_lab_is_at_work(self) -> None:
        await in_db(change_settings, {"max_jobs_per_slot": 1}, by="test")
        await in_db(change_settings, {"max_jobs_per_provider": 1}, by="test")
        await self.fill_slot(1, source="lab")
        self.assertEqual((await self.post()).status_code, 200)
        await self.fill_slot(1)
        self.assertEqual((await self.post()).status_code, 429)

    async def test_a_cell_that_found_no_place_lets_others_go_first(self) -> None:
        run = await self.make_run(
            "slot-001:gemini-nano-banana-2.1", "slot-002:gemini-nano-banana-2.1"
        )
        await self.fill_slot(4)
        turns = [await run_next_cell(run.pk) for _ in range(2)]
        self.assertEqual(turns, [Turn.WAITS, Turn.MADE])

    async def test_a_run_makes_two_pictures_at_once(self) -> None:
        run = await self.make_run(photos=3)
        claims = [await in_db(claim_cell, run.pk) for _ in range(AT_ONCE + 1)]
        self.assertEqual([isinstance(one, Claim) for one in claims], [True, True, False])

    async def test_the_lab_is_a_test_for_every_figure_and_list(self) -> None:
        run = await self.make_run()
        await self.finish(run)
        overview = (await in_db(load_overview)).window
        self.assertEqual((overview.outcomes.jobs, overview.test_runs), (0, 1))
        gallery = await self.async_client.get("/public/slots/slot-001?format=json")
        self.assertEqual(gallery.json()["results"], [])
        self.assertEqual(await TrialRecord.objects.acount(), 0)
        job = await Job.objects.aget()
        self.assertIsNone(job.replay_key)
        log = await self.async_client.get("/admin/ingest/job/")
        self.assertContains(log, "лаборатория")

    async def test_a_guests_photo_is_never_answered_by_a_picture_of_the_lab(self) -> None:
        photo = jpeg()
        made = await self.async_client.post(LAB)
        self.run_url = made.headers["Location"]
        await self.act("photos", photos=SimpleUploadedFile("a.jpg", photo, "image/jpeg"))
        await self.act("start", recipe=["slot-001:gemini-nano-banana-2.1"])
        await self.finish(await LabRun.objects.alatest("pk"))
        self.assertNotIn("X-PhotoChanger-Replay", (await self.post(photo)).headers)


class LabPlanTests(LabTestCase):
    async def test_the_starter_set_is_added_once(self) -> None:
        run = await self.make_run(photos=0, starts=False)
        await self.act("samples")
        await self.act("samples")
        self.assertEqual(await LabPhoto.objects.filter(run=run).acount(), len(SAMPLES))
        photo = await LabPhoto.objects.afirst()
        assert photo
        small = await self.async_client.get(f"{self.run_url}photo/{photo.pk}/")
        self.assertEqual(small.headers["Content-Type"], "image/webp")

    async def test_a_run_takes_photos_only_and_thirty_at_most(self) -> None:
        await self.make_run(photos=0, starts=False)
        gif = SimpleUploadedFile("film.gif", b"GIF89a", "image/gif")
        answer = await self.act("photos", htmx=True, photos=gif)
        self.assertContains(answer, "film.gif: ")
        run = await LabRun.objects.alatest("pk")
        for number in range(MAX_PHOTOS):
            row = LabPhoto(run=run, number=number, name="x", media_id=uuid4())
            await row.asave()
        photo = SimpleUploadedFile("one.jpg", jpeg(), "image/jpeg")
        answer = await self.act("photos", htmx=True, photos=photo)
        self.assertContains(answer, "не больше 30 фото")
        self.assertEqual(await LabPhoto.objects.acount(), MAX_PHOTOS)
        self.assertEqual([name for name in self.files() if name.startswith("test-photos")], [])

    async def test_a_photo_is_removed_with_its_file(self) -> None:
        await self.make_run(starts=False)
        photo = await LabPhoto.objects.aget()
        await self.act(f"photo/{photo.pk}/remove")
        self.assertEqual(await LabPhoto.objects.acount(), 0)
        self.assertEqual(self.files(), [])

    async def test_a_run_needs_photos_and_recipes_and_its_recipe_must_work(self) -> None:
        await self.make_run(photos=1, starts=False)
        for recipes, words in (
            ([], "хотя бы один рецепт"),
            (["slot-009:", "nonsense"], "уже нельзя попробовать"),
        ):
            await self.act("start", recipe=recipes)
            self.assertContains(await self.async_client.get(self.run_url), words)
        self.assertEqual(await LabCell.objects.acount(), 0)

    async def test_names_of_files_are_cut_and_never_drawn_as_code(self) -> None:
        await self.make_run(starts=False, name="<b>" + "x" * 200 + ".jpg")
        self.assertLessEqual(len((await LabPhoto.objects.aget()).name), 60)
        self.assertContains(await self.async_client.get(self.run_url), "&lt;b&gt;")

    async def test_a_photo_stays_in_a_browser_for_ten_minutes_and_one_that_is_gone_is_a_404(
        self,
    ) -> None:
        await self.make_run(starts=False)
        photo = await LabPhoto.objects.aget()
        address = f"{self.run_url}photo/{photo.pk}/"
        small = await self.async_client.get(address)
        self.assertEqual(small["Cache-Control"], "private, max-age=600")
        for name in self.files():
            (settings.MEDIA_ROOT / name).write_bytes(b"no picture")
        self.assertEqual((await self.async_client.get(address)).status_code, 404)
        await MediaObject.objects.aupdate(expires_at=timezone.now())
        self.assertEqual((await self.async_client.get(address)).status_code, 404)


class LabWinnerTests(LabTestCase):
    async def take(self, slot_id: str, *, version: int | None = None) -> Any:
        recipe = await LabRecipe.objects.alatest("pk")
        slot = await Slot.objects.aget(pk=slot_id)
        target = f"{slot_id}:{version or slot.version}"
        return await self.act(f"take/{recipe.pk}", target=target, confirmed="1")

    async def test_the_winner_goes_into_its_slot_and_the_grid_stays_with_that_version(self) -> None:
        run = await self.make_run(f"slot-001:{LITE}")
        await self.finish(run)
        await self.take("slot-001")
        slot = await Slot.objects.aget(pk="slot-001")
        self.assertEqual(slot.settings["model"], LITE)
        recipe = await LabRecipe.objects.aget()
        self.assertEqual((recipe.taken_slot, recipe.taken_version), ("slot-001", slot.version))
        entry = await in_db(lambda: find_entries(Slot, "slot-001").first())
        assert entry is not None
        record = read_record(entry)
        assert record is not None
        self.assertEqual((record.version, record.lab_run), (slot.version, run.pk))
        history = await self.async_client.get("/admin/slots/slot/slot-001/history/")
        self.assertContains(history, self.run_url)
        await in_db(change_settings, {"result_ttl_hours": 1}, by="test")
        await MediaObject.objects.aupdate(created_at=timezone.now() - timedelta(days=40))
        await in_db(clean_up, by="test")
        page = await self.async_client.get(self.run_url)
        self.assertNotContains(page, "уже не хранится")
        self.assertContains(page, "/preview")
        photo = await LabPhoto.objects.aget()
        small = await self.async_client.get(f"{self.run_url}photo/{photo.pk}/")
        self.assertEqual(small.status_code, 200)

    async def test_another_slot_gets_the_recipe_whole(self) -> None:
        run = await self.make_run(f"slot-001:{LITE}")
        await self.take("slot-003")
        slot = await Slot.objects.aget(pk="slot-003")
        self.assertEqual(slot.settings["prompt"], "As an oil painting")
        self.assertFalse(slot.is_active)
        await self.finish(run)  # what is made afterwards stays too
        kept = MediaObject.objects.filter(kind="result", expires_at__isnull=True)
        self.assertEqual(await kept.acount(), 1)

    async def test_a_slot_that_has_changed_meanwhile_is_not_replaced(self) -> None:
        await self.make_run(f"slot-001:{LITE}")
        await Slot.objects.filter(pk="slot-001").aupdate(version=9)
        await self.take("slot-001", version=1)
        page = await self.async_client.get(self.run_url)
        self.assertContains(page, "Кто-то изменил слот")
        self.assertEqual((await Slot.objects.aget(pk="slot-001")).version, 9)

    async def test_the_server_asks_before_a_slot_gets_another_recipe(self) -> None:
        run = await self.make_run(f"slot-001:{LITE}")
        recipe = await LabRecipe.objects.aget()
        for slot_id, words in (
            ("slot-001", "Слот 1» сейчас принимает фото. Поставить в него рецепт A?"),
            ("slot-003", "Поставить рецепт A в «"),
        ):
            with self.subTest(slot_id):
                asked = await self.act(f"take/{recipe.pk}", target=f"{slot_id}:1")
                self.assertContains(asked, words)
                self.assertContains(asked, f'name="target" value="{slot_id}:1"')
                self.assertContains(asked, f'href="{self.run_url}"')
                self.assertEqual((await Slot.objects.aget(pk=slot_id)).version, 1)
        for target in ("slot-099:1", "a\0b:1", "x" * 100 + ":1"):
            with self.subTest(target):
                answer = await self.act(f"take/{recipe.pk}", target=target)
                self.assertRedirects(answer, self.run_url, fetch_redirect_response=False)
        await run.arefresh_from_db()
        self.assertIsNotNone(run.expires_at)


class LabEndTests(LabTestCase):
    async def test_a_deleted_run_leaves_neither_rows_nor_files(self) -> None:
        run = await self.make_run(photos=2)
        await self.finish(run)
        self.assertGreater(len(self.files()), 0)
        await self.act("delete", confirmed="1")
        self.assertEqual(await LabCell.objects.acount() + await LabRun.objects.acount(), 0)
        self.assertEqual(self.files(), [])
        gone = await self.async_client.get(self.run_url, follow=True)
        self.assertContains(gone, "удалён")

    async def test_the_server_asks_before_a_run_is_deleted(self) -> None:
        run = await self.make_run(starts=False)
        for values, words in (
            ({}, "Вместе с ним уйдут его фото."),
            ({"started_at": timezone.now()}, "уйдут его фото и картинки."),
            ({"expires_at": None}, "больше не покажет это сравнение"),
        ):
            await LabRun.objects.filter(pk=run.pk).aupdate(**{"made_by": "serg"} | values)
            asked = await self.act("delete")
            self.assertContains(asked, words)
            self.assertContains(asked, f'href="{self.run_url}"')
        self.assertTrue(await LabRun.objects.aexists())

    async def test_a_picture_made_after_its_run_was_deleted_goes_too(self) -> None:
        run = await self.make_run()
        with mock.patch("ingest.lab.run.complete_result", side_effect=self.delete_all):
            self.assertEqual(await run_next_cell(run.pk), Turn.MADE)
        self.assertEqual(self.files(), [])
        self.assertEqual(await run_next_cell(run.pk), Turn.OVER)

    async def delete_all(self, _result: Any) -> None:
        await self.act("delete", confirmed="1")

    async def test_a_run_ends_with_its_time(self) -> None:
        run = await self.make_run(photos=2)
        await run_next_cell(run.pk)
        await LabRun.objects.aupdate(expires_at=timezone.now())
        await MediaObject.objects.aupdate(expires_at=timezone.now())
        self.assertEqual(await run_next_cell(run.pk), Turn.OVER)
        self.assertContains(await self.async_client.get(self.run_url), "Срок истёк")
        await in_db(clean_up, by="test")
        self.assertEqual(await LabCell.objects.acount() + await LabRun.objects.acount(), 0)
        self.assertEqual(self.files(), [])

    async def test_a_claim_of_a_dead_process_runs_out_and_is_tried_once_more(self) -> None:
        run = await self.make_run()
        for is_left in (True, True, False):
            claim = await in_db(claim_cell, run.pk)
            self.assertEqual(isinstance(claim, Claim), is_left)
            await LabCell.objects.aupdate(claimed_until=timezone.now())
        cell = await LabCell.objects.aget()
        self.assertEqual((cell.state, cell.failure_reason), (State.FAILED, "interrupted"))

    async def test_a_picture_whose_cell_was_not_closed_is_found(self) -> None:
        run = await self.make_run()
        await run_next_cell(run.pk)
        now = timezone.now()
        await LabCell.objects.aupdate(state=State.RUNNING, claimed_until=now)
        self.assertEqual(await in_db(claim_cell, run.pk), Turn.OVER)
        self.assertEqual(await self.list_states(), [State.DONE])
        self.assertEqual(await Job.objects.acount(), 1)

    async def test_a_cell_of_a_killed_server_is_settled_though_nobody_asks_for_the_next(
        self,
    ) -> None:
        for settle in (self.clean_up, self.look):
            with self.subTest(settle.__name__):
                run = await self.make_run()
                self.assertIsInstance(await in_db(claim_cell, run.pk), Claim)
                await LabRun.objects.aupdate(active_at=None)
                self.assertContains(await self.async_client.get(LAB), "идёт: ")
                await run.cells.aupdate(claimed_until=timezone.now(), tries=2)
                self.assertNotContains(await self.async_client.get(LAB), "идёт: ")
                await self.act("stop")
                await settle()
                cell = await run.cells.aget()
                self.assertEqual((cell.state, cell.failure_reason), (State.FAILED, "interrupted"))

    async def test_a_picture_that_is_found_late_stays_with_the_run_that_has_won(self) -> None:
        run = await self.make_run()
        await run_next_cell(run.pk)
        await LabRun.objects.aupdate(expires_at=None)
        await LabCell.objects.aupdate(state=State.RUNNING, claimed_until=timezone.now())
        await self.clean_up()
        result = await MediaObject.objects.aget(kind="result")
        self.assertIsNone(result.expires_at)

    async def test_a_picture_that_was_settled_before_its_process_came_back_stays(self) -> None:
        run = await self.make_run()
        with mock.patch("ingest.lab.run.complete_result", side_effect=self.settle_early):
            await run_next_cell(run.pk)
        self.assertEqual(await self.list_states(), [State.DONE])
        self.assertTrue(await MediaObject.objects.filter(kind="result", cleaned_at=None).aexists())

    async def settle_early(self, result: Any) -> None:
        await complete_result(result)
        if result.closing is not None:
            await result.closing
        await LabCell.objects.aupdate(claimed_until=timezone.now())
        await self.look()

    async def clean_up(self) -> None:
        await in_db(clean_up, by="test")

    async def look(self) -> None:
        await self.async_client.get(self.run_url)
