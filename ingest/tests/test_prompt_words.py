"""Words of a prompt that change with the photo, on a photo's whole way."""

import asyncio
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import override_settings
from django.utils import timezone
from structlog.testing import capture_logs

from ingest.cleanup import clean_up
from ingest.faces.detector import detector
from ingest.models import Attempt, Job
from ingest.pipeline import admission, prompt_words
from ingest.pipeline.closing import Closing
from ingest.pipeline.order import Order
from ingest.tests.support import PASSWORD, IngestTestCase, jpeg
from media.models import MediaObject
from photochanger.db import in_db
from photochanger.testing.faces import FOLDER, need_engine
from photochanger.testing.marks import both_databases
from photochanger.testing.waiting import PATIENCE_S
from providers.simulator.people import make_group
from slots.models import Slot
from slots.platform_settings import change_settings

pytestmark = both_databases

GUEST = {"name": "guest", "label": "the guest's name", "default": "our guest"}
CITY = {"name": "city", "source": "url", "field": "Town"}


class PromptTestCase(IngestTestCase):
    async def configure(self, prompt: str, *variables: dict[str, Any], **columns: Any) -> None:
        columns |= {"settings": {"prompt": prompt}, "variables": list(variables)}
        await Slot.objects.filter(pk="slot-001").aupdate(**columns)

    @property
    def prompts(self) -> list[str]:
        """The operator's words, without what the driver adds."""
        return [call.prompt.split("\n\n")[0] for call in self.provider.calls]


class TextTests(PromptTestCase):
    async def test_texts_of_form_and_link_come_into_the_prompt(self) -> None:
        await self.configure("For {guest} of {city}", GUEST, CITY)
        for path, fields, prompt in (
            ("?Town=Rome", {"guest": "Anna"}, "For «Anna» of «Rome»"),
            ("?town=%D0%9E%D1%80%D1%91%D0%BB", {"Guest": "Анна"}, "For «Анна» of «Орёл»"),
            ("?town=%CE%F0%B8%EB", {"guest[]": "Анна"}, "For «Анна» of «Орёл»"),  # windows-1251
            ("?town=&town=Rome&town=Pisa", {}, "For our guest of «Rome»"),
            ("?town={town}", {"guest": " {survey1} "}, "For our guest of "),  # unknown to the booth
            ("?guest=Eve", {"town": "Rome"}, "For our guest of "),
        ):
            answer = await self.post(path=f"/ingest/slot-001{path}", **fields)
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(self.prompts[-1], prompt)

    async def test_only_what_the_list_has_comes_into_the_prompt(self) -> None:
        await self.configure("For {guest} {name} {password}", GUEST)
        await self.post(name="DESKTOP", guest=f"x{PASSWORD.upper()}x")
        self.assertEqual(self.prompts, ["For our guest {name} {password}"])

    async def test_a_long_text_is_cut_where_a_letter_ends(self) -> None:
        await self.configure("For {guest}", GUEST | {"max_length": 100})
        await self.post(guest="a" + "Ж" * 8000)
        self.assertEqual(self.prompts, [f"For «a{'Ж' * 99}»"])

    async def test_the_job_keeps_them_and_no_log_does(self) -> None:
        await self.configure("For {guest} of {city} [sim:400-quoting]", GUEST, CITY)
        with capture_logs() as lines:
            answer = await self.post(path="/ingest/slot-001?town=Rome", guest="Annabella")
        self.assertEqual(answer.status_code, 502)
        job, call = await Job.objects.aget(), await Attempt.objects.aget()
        self.assertEqual(job.guest_texts, {"guest": "Annabella", "city": "Rome"})
        for words in (job.failure_detail, call.detail, str(lines), answer.content.decode()):
            self.assertNotIn("Annabella", words)
        self.assertIn("For «…» of «…»", call.detail)

    async def test_a_second_call_has_them_too(self) -> None:
        await self.configure("For {guest} [sim:no-image-then-ok]", GUEST)
        await self.post(guest="Anna")
        self.assertEqual(self.prompts, ["For «Anna» [sim:no-image-then-ok]"] * 2)

    async def test_a_test_run_has_the_examples(self) -> None:
        await self.configure("For {guest} of {city}", GUEST | {"example": "Anna"}, CITY)
        await self.async_client.aforce_login(await User.objects.acreate(username="serg"))
        await User.objects.aupdate(is_staff=True, is_superuser=True)
        form = {"provider": "gemini", "recipe-gemini-prompt": "As of {guest} in {city}!"}
        answer = await self.async_client.post("/admin/slot/slot-001/try/", form)
        self.assertEqual((answer.status_code, self.prompts), (200, ["As of «Anna» in !"]))


class ReplayTests(PromptTestCase):
    async def send(self, photo: bytes, **fields: Any) -> HttpResponse:
        return await self.post(photo, **fields)

    async def test_other_words_are_another_picture(self) -> None:
        photo = jpeg()
        await self.configure("For {guest}", GUEST, CITY)
        first = await self.send(photo, guest="Anna", town="x")
        other = await self.send(photo, guest="Eve")
        again = await self.send(photo, guest=" Anna ", path="/ingest/slot-001?town=unused")
        replays = [one.headers.get("X-PhotoChanger-Replay") for one in (first, other, again)]
        self.assertEqual(replays, [None, None, "1"])
        self.assertEqual(again.headers["X-Job-Id"], first.headers["X-Job-Id"])
        self.assertEqual(self.prompts, ["For «Anna»", "For «Eve»"])
        keys = [job.replay_key or "" async for job in Job.objects.all()]
        self.assertFalse([key for key in keys if "Anna" in key or len(key) > 300])

    async def test_equal_photos_that_come_at_once_are_one_order_for_the_same_words(self) -> None:
        photo, guests = jpeg(), ("Anna", "Anna", "Eve", "Anna")
        await self.configure("For {guest}", GUEST)
        answers = await asyncio.gather(*(self.send(photo, guest=guest) for guest in guests))
        self.assertEqual([one.status_code for one in answers], [200] * 4)
        self.assertEqual(sorted(self.prompts), ["For «Anna»", "For «Eve»"])

    async def test_a_key_with_other_words_is_refused(self) -> None:
        photo, key = jpeg(), {"Idempotency-Key": "k1"}
        await self.configure("For {guest}", GUEST)
        answers = [
            await self.send(photo, guest=guest, headers=key) for guest in ("Anna", "Anna", "Eve")
        ]
        self.assertEqual([one.status_code for one in answers], [200, 200, 409])

    async def test_words_follow_the_list_that_holds_when_the_photo_is_let_in(self) -> None:
        """An operator saved the slot while the photo arrived."""
        await self.configure("For {guest}", GUEST)
        admit, slot = admission.admit, Slot.objects.filter(pk="slot-001")

        def save_first(order: Order) -> admission.Admission:
            slot.update(settings={"prompt": "Of {city}"}, variables=[CITY], version=9)
            return admit(order)

        with mock.patch.object(admission, "admit", save_first):
            await self.post(path="/ingest/slot-001?town=Rome", guest="Anna")
        self.assertEqual(self.prompts, ["Of «Rome»"])
        self.assertEqual((await Job.objects.aget()).guest_texts, {"city": "Rome"})


class ForgettingTests(PromptTestCase):
    async def test_words_go_with_their_picture(self) -> None:
        await self.configure("For {guest}", GUEST)
        jobs = [(await self.post(guest=guest)).headers["X-Job-Id"] for guest in ("Anna", "Eve")]
        await self.scenario_of_failure()
        ago = timezone.now() - timedelta(hours=2)
        await Job.objects.aupdate(started_at=ago)
        await in_db(clean_up, by="test")
        self.assertEqual(await self.list_texts(), {"Anna", "Eve"})  # the failed one has none now
        gone = MediaObject.objects.filter(job_id=jobs[0], kind=MediaObject.Kind.RESULT)
        await gone.aupdate(expires_at=ago)
        await in_db(clean_up, by="test")
        self.assertEqual(await self.list_texts(), {"Eve"})

    async def scenario_of_failure(self) -> None:
        await self.configure("For {guest} [sim:400]", GUEST)
        await self.post(guest="Zoe")
        self.assertEqual(await self.list_texts(), {"Anna", "Eve", "Zoe"})

    async def list_texts(self) -> set[str]:
        kept = Job.objects.exclude(guest_texts=None).values_list("guest_texts__guest", flat=True)
        return {text async for text in kept}

    async def test_the_end_of_a_job_that_waits_in_a_file_holds_none(self) -> None:
        job = Job(slot_id="slot-001", started_at=timezone.now(), guest_texts={"guest": "Anna"})
        closing = Closing.of(job, [], finished_at=timezone.now(), status="failed")
        self.assertNotIn("Anna", closing.to_json())
        self.assertEqual(job.guest_texts, {"guest": "Anna"})  # its calls still need them


class JobPageTests(PromptTestCase):
    async def test_texts_are_shown_as_what_they_are(self) -> None:
        await self.configure("For {guest}", GUEST | {"label": "<b>name</b>"})
        answer = await self.post(guest="<script>Anna & Eve</script>")
        job_id = answer.headers["X-Job-Id"]
        await Job.objects.aupdate(guest_texts={"guest": "<i>x</i>"}, people_told=0)
        user = await User.objects.acreate(username="s", is_staff=True, is_superuser=True)
        await self.async_client.aforce_login(user)
        page = await self.async_client.get(
            f"/admin/ingest/job/{job_id}/change/", headers={"Accept-Language": "en"}
        )
        self.assertContains(page, "<bdi>&lt;i&gt;x&lt;/i&gt;</bdi>")
        self.assertContains(page, "<bdi>&lt;b&gt;name&lt;/b&gt;</bdi>")
        self.assertContains(page, "not known in time")


def encode(count: int) -> bytes:
    out = io.BytesIO()
    make_group(("biden", "obama", "collins")[:count]).save(out, "JPEG", quality=92)
    return out.getvalue()


class PeopleTests(PromptTestCase):
    PROMPT = "Of {people|these} guests, {people: alone | in a pair | in a group | together}"

    async def test_the_number_of_people_and_the_words_for_it(self) -> None:
        need_engine()
        await self.configure(self.PROMPT)
        patient = mock.patch.object(prompt_words, "PEOPLE_WAIT_S", PATIENCE_S)
        with patient, override_settings(FACES_DIR=FOLDER):
            for count, words in ((1, "alone"), (2, "in a pair"), (3, "in a group")):
                self.assertEqual((await self.post(encode(count))).status_code, 200)
                self.assertEqual(self.prompts[-1], f"Of {count} guests, {words}")
        told = [job.people_told async for job in Job.objects.order_by("started_at")]
        self.assertEqual(told, [1, 2, 3])

    async def test_nobody_in_the_photo_is_a_number_that_is_not_known(self) -> None:
        need_engine()
        await self.configure(self.PROMPT)
        with override_settings(FACES_DIR=FOLDER):
            await self.post()
        self.assertEqual(self.prompts, ["Of these guests, together"])

    async def test_without_an_engine_the_other_words_serve(self) -> None:
        await self.configure(self.PROMPT)
        with override_settings(FACES_DIR=""):
            await self.post()
        self.assertEqual(self.prompts, ["Of these guests, together"])
        self.assertEqual((await Job.objects.aget()).people_told, 0)

    async def test_where_people_are_not_looked_at_the_other_words_serve(self) -> None:
        need_engine()
        await self.configure(self.PROMPT)
        await in_db(change_settings, {"faces": "off"}, by="test")
        with override_settings(FACES_DIR=FOLDER):
            await self.post(encode(1))
        self.assertEqual(self.prompts, ["Of these guests, together"])

    async def test_a_look_that_does_not_come_is_not_waited_for(self) -> None:
        need_engine()
        await self.configure(self.PROMPT)
        with self.held_engine(), override_settings(FACES_DIR=FOLDER):
            answer = await asyncio.wait_for(self.post(encode(1)), PATIENCE_S)
        self.assertEqual((answer.status_code, self.prompts), (200, ["Of these guests, together"]))

    async def test_only_prompts_that_ask_wait_for_the_look(self) -> None:
        need_engine()
        await self.configure("A poster for everybody, {nobody: asks | here}")
        with self.held_engine(), override_settings(FACES_DIR=FOLDER):
            answer = await self.post(encode(1))
        self.assertEqual(answer.status_code, 200)
        self.assertIsNone((await Job.objects.aget()).people_told)

    @contextmanager
    def held_engine(self) -> Iterator[None]:
        """It looks at nothing while the block lasts."""
        gate = threading.Event()
        held = detector._executor.submit(gate.wait)
        try:
            yield
        finally:
            gate.set()
            held.result()
