"""Budgets: what they count, what they let in, and what the booth gets at the limit."""

import re
from datetime import date, timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingest.budgets.models import Budget
from ingest.budgets.queries import BudgetState, load_all_states
from ingest.budgets.reservation import estimate_photo
from ingest.cleanup import close_overdue
from ingest.costs.estimate import estimate_call
from ingest.costs.models import Spending
from ingest.costs.price_table import PriceTable, load_shipped
from ingest.costs.spending import Amounts, choose_day, load_slots
from ingest.models import Job
from ingest.pipeline.closing import CLOSED_AFTER, Closing
from ingest.pipeline.in_flight import count_in_flight
from ingest.pipeline.row_locks import lock_rows
from ingest.refusals.notes import notebook
from ingest.tests.support import IngestTestCase, jpeg
from photochanger.db import clock, in_db
from photochanger.testing.marks import both_databases
from slots.models import Event, Slot
from slots.services import OpenSlot, open_slot

PRICES = PriceTable(load_shipped())
ADMISSION_QUERIES = 3  # lock the rows, count photos in flight, open the job


def make_budget(**values: Any) -> Budget:
    now = clock.now()
    today = timezone.localdate()
    defaults = {"counts_from": today, "updated_at": now, "at_limit": Budget.AtLimit.REFUSE}
    return Budget.objects.create(**defaults | values)


def load_state(budget: Budget, day: date | None = None) -> BudgetState:
    return load_all_states(day=day or timezone.localdate(), now=clock.now())[budget.pk]


@both_databases
class BudgetTests(IngestTestCase):
    def setUp(self) -> None:
        super().setUp()
        notebook.clear()

    async def make(self, **values: Any) -> Budget:
        return await in_db(lambda: make_budget(**values))

    async def state(self, budget: Budget) -> BudgetState:
        return await in_db(load_state, budget)

    async def test_pictures_are_made_until_the_limit_and_not_one_more(self) -> None:
        budget = await self.make(hard_pictures=2)
        statuses = [(await self.post(jpeg())).status_code for _ in range(4)]
        assert statuses == [200, 200, 503, 503]
        state = await self.state(budget)
        assert (state.spent_pictures, state.reserved_pictures, state.used_percent) == (2, 0, 100)
        assert await Job.objects.acount() == 2

    async def test_a_refusal_says_that_money_is_spent_and_never_that_we_are_busy(self) -> None:
        await self.make(hard_micros=10)
        answer = await self.post(jpeg(), headers={"Accept-Language": "ru"})
        assert answer.status_code == 503
        assert "Retry-After" not in answer.headers
        assert b'"failure_reason": "budget_spent"' in answer.content.replace(b'":"', b'": "')
        assert "бюджет" in answer.content.decode().lower()
        assert [kind.cause for kind in notebook.take()] == ["budget_spent"]

    async def test_the_booth_gets_its_own_photo_where_an_operator_wants_that(self) -> None:
        await self.make(hard_micros=10, at_limit=Budget.AtLimit.ORIGINAL)
        answer = await self.post(jpeg())
        assert answer.status_code == 200
        assert answer.headers["X-PhotoChanger-Fallback"] == "original"
        assert "X-Job-Id" not in answer.headers
        assert not await Job.objects.aexists() and not self.provider.calls
        assert [kind.cause for kind in notebook.take()] == ["budget_spent"]

    async def test_a_budget_that_only_tells_stops_nothing(self) -> None:
        budget = await self.make(hard_pictures=1, at_limit=Budget.AtLimit.ALARM)
        for _photo in range(2):
            assert (await self.post(jpeg())).status_code == 200
        assert (await self.state(budget)).used_percent == 200

    async def test_money_counts_what_photos_really_cost_once_they_are_closed(self) -> None:
        budget = await self.make(hard_micros=1_000_000)
        await self.post(jpeg())
        job = await Job.objects.aget()
        state = await self.state(budget)
        assert (state.spent_micros, state.reserved_micros) == (job.cost_micros, 0)
        assert (job.cost_micros or 0) <= (job.reserved_micros or 0)

    async def test_a_budget_concerns_its_slot_its_event_and_its_day_alone(self) -> None:
        now = clock.now()
        times = {"starts_at": now, "ends_at": now + timedelta(hours=5)}
        ball = await Event.objects.acreate(name="Летний бал", **times)
        yesterday = timezone.localdate() - timedelta(days=1)
        for values in (
            {"slot_id": "slot-002"},
            {"event": ball},
            {"is_active": False},
            {"is_daily": False, "counts_from": yesterday, "hard_pictures": 5},
        ):
            await self.make(**{"hard_pictures": 0} | values)
        assert (await self.post(jpeg())).status_code == 200
        await Slot.objects.filter(pk="slot-001").aupdate(event=ball)
        assert (await self.post(jpeg())).status_code == 503

    async def test_a_budget_in_all_counts_what_was_spent_before(self) -> None:
        await self.post(jpeg())
        budget = await self.make(is_daily=False, hard_pictures=1)
        assert (await self.state(budget)).spent_pictures == 1
        assert (await self.post(jpeg())).status_code == 503
        tomorrow = timezone.localdate() + timedelta(days=1)
        states = await in_db(lambda: load_all_states(day=tomorrow, now=clock.now()))
        assert states[budget.pk].spent_pictures == 1

    async def test_each_day_begins_anew(self) -> None:
        budget = await self.make(hard_pictures=1)
        await self.post(jpeg())
        tomorrow = timezone.localdate() + timedelta(days=1)
        states = await in_db(lambda: load_all_states(day=tomorrow, now=clock.now()))
        assert (states[budget.pk].spent_pictures, states[budget.pk].spent_micros) == (0, 0)

    async def test_an_equal_photo_gets_its_picture_though_all_is_spent(self) -> None:
        await self.make(hard_pictures=1)
        photo = jpeg()
        assert (await self.post(photo)).status_code == 200
        again = await self.post(photo)
        assert (again.status_code, again.headers["X-PhotoChanger-Replay"]) == (200, "1")

    async def test_photos_reserve_before_a_budget_limits_them(self) -> None:
        """So that those in work count from when one is set, or no longer only tells."""
        await self.post(jpeg())
        await self.make(hard_pictures=9, at_limit=Budget.AtLimit.ALARM)
        await self.post(jpeg())
        reserved = [job.reserved_micros async for job in Job.objects.all()]
        assert len(reserved) == 2 and all((micros or 0) > 4 * 34_000 for micros in reserved)

    async def test_of_two_that_are_spent_the_stricter_one_decides(self) -> None:
        await self.make(hard_pictures=0, at_limit=Budget.AtLimit.ORIGINAL)
        await self.make(hard_pictures=0, at_limit=Budget.AtLimit.REFUSE)
        await self.make(hard_pictures=0, at_limit=Budget.AtLimit.ORIGINAL)
        assert (await self.post(jpeg())).status_code == 503

    def test_a_picture_counts_as_long_as_a_server_may_still_write_it(self) -> None:
        budget = make_budget(hard_pictures=1)
        job = self.open_job()
        for overdue, reserved in ((CLOSED_AFTER / 2, 1), (2 * CLOSED_AFTER, 0)):
            Job.objects.filter(pk=job.pk).update(deadline=clock.now() - overdue)
            assert load_state(budget).reserved_pictures == reserved

    async def test_an_event_that_began_after_the_photo_arrived_has_its_budget_asked(self) -> None:
        now = clock.now()
        times = {"starts_at": now, "ends_at": now + timedelta(hours=5)}
        ball = await Event.objects.acreate(name="Летний бал", **times)
        await self.make(hard_pictures=0, event=ball)

        def begin(slot_id: str) -> OpenSlot:
            opened = open_slot(slot_id)
            Slot.objects.filter(pk=slot_id).update(event=ball)
            return opened

        with mock.patch("ingest.pipeline.receive.open_slot", begin):
            assert (await self.post(jpeg())).status_code == 503

    def test_spending_is_read_from_a_budgets_first_day_on_by_its_index(self) -> None:
        make_budget(hard_pictures=1)
        seen = CaptureQueriesContext(connection)
        with seen:
            load_all_states(day=timezone.localdate(), now=clock.now())
        (asked,) = seen.captured_queries
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":  # a table of a few rows is read whole
                cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"{explain} {asked['sql']}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert re.search(r"Index.*spending_place|SEARCH spending USING .*\(day>\?", plan), plan

    def open_job(self, **more: Any) -> Job:
        long_ago = clock.now() - timedelta(minutes=5)
        return Job.objects.create(
            slot_id="slot-001",
            slot_version=1,
            source=Job.Source.INGEST,
            provider="gemini",
            operation="image_edit",
            started_at=long_ago,
            deadline=long_ago + timedelta(seconds=48),
            photo_sha256="0" * 64,
            photo_bytes=1,
            **more,
        )

    def test_a_dead_servers_picture_is_free_again_and_its_money_probably_paid(self) -> None:
        budget = make_budget(hard_micros=1_000_000, hard_pictures=1)
        job = self.open_job(reserved_micros=200_000)
        day = choose_day(job.started_at)
        state = load_state(budget, day)
        assert (state.reserved_pictures, state.reserved_micros) == (0, 200_000)
        assert close_overdue() == 1
        state = load_state(budget, day)
        assert (state.spent_pictures, state.reserved_micros, state.spent_micros) == (0, 0, 200_000)
        assert load_slots(timezone.localdate() - timedelta(days=1)) == [
            ("slot-001", Amounts(photos=1, probable_micros=200_000))
        ]
        job.refresh_from_db()
        self.close_late(job)  # its server was alive after all
        state = load_state(budget, day)
        assert (state.spent_micros, state.spent_pictures) == (35_000, 1)

    def close_late(self, job: Job) -> None:
        closing = Closing.of(job, [], finished_at=clock.now(), status=Job.Status.DONE)
        closing.job.cost_micros, closing.job.probable_micros = 35_000, 0
        assert closing.write()

    def test_a_dead_photo_that_nobody_reserved_for_is_of_unknown_price(self) -> None:
        job = self.open_job()
        close_overdue()
        job.refresh_from_db()
        assert (job.cost_micros, job.probable_micros, job.unpriced_calls) == (0, 0, 1)

    def test_a_reservation_covers_every_call_that_may_be_made(self) -> None:
        day = timezone.localdate()
        slot = Slot(pk="slot-001", provider="gemini", settings={"prompt": "A nebula"})
        plain = estimate_photo([slot], PRICES, day, kinds=[])
        dear = Slot(
            pk="slot-001", provider="gemini", settings={**slot.settings, "image_size": "4K"}
        )
        unknown = Slot(pk="slot-001", provider="turbotext", settings={"prompt": "A nebula"})
        assert plain is not None and plain > 4 * 35_000
        assert (estimate_photo([dear], PRICES, day, kinds=["style", "base"]) or 0) > 4 * 113_000
        assert estimate_photo([slot, slot], PRICES, day, kinds=[]) == plain + plain // 2
        slot.faces = Slot.Faces.RETRY
        assert estimate_photo([slot], PRICES, day, kinds=[]) == plain + plain // 4
        assert estimate_photo([unknown], PRICES, day, kinds=[]) is None
        slot.faces = Slot.Faces.OFF
        assert estimate_photo([unknown, slot], PRICES, day, kinds=[]) == plain

    def test_a_model_without_a_price_leaves_the_others_reserved(self) -> None:
        day = timezone.localdate()
        slot = Slot(pk="slot-001", provider="gemini", settings={"prompt": "A nebula"})
        plain = estimate_photo([slot], PRICES, day, kinds=[])
        slot.settings = {**slot.settings, "fallback_model": "gemini-of-tomorrow"}
        assert estimate_photo([slot], PRICES, day, kinds=[]) == plain
        assert estimate_call(slot, PRICES, day, kinds=[], is_strict=True) is None

    async def test_a_budget_costs_a_photo_no_query_more(self) -> None:
        await self.post(jpeg())  # what is read once is known
        without = await self.count_queries()
        await self.make(hard_pictures=9, hard_micros=10**9)
        assert without == await self.count_queries() == ADMISSION_QUERIES

    def test_admission_adds_up_what_the_page_of_budgets_shows(self) -> None:
        now, today = clock.now(), timezone.localdate()
        times = {"starts_at": now, "ends_at": now + timedelta(hours=5)}
        ball = Event.objects.create(name="Летний бал", **times)
        Slot.objects.filter(pk="slot-001").update(event=ball)
        scopes: list[dict[str, Any]] = [{}, {"slot_id": "slot-001"}, {"event": ball}]
        for values in scopes:
            for is_daily in (True, False):
                first = today - timedelta(days=3)
                more = {"is_daily": is_daily, "counts_from": first, "hard_micros": 10**9}
                make_budget(hard_pictures=100, **more, **values)
        amount = 1
        for slot_id, event_id in (("slot-001", ball.pk), ("slot-001", 0), ("slot-002", 0)):
            for days in (0, 2, 5):
                place = {"day": today - timedelta(days=days), "event_number": event_id}
                Spending.objects.create(
                    slot_id=slot_id,
                    pictures=amount,
                    known_micros=7 * amount,
                    probable_micros=amount,
                    **place,
                )
                amount *= 2
        self.open_job(reserved_micros=1000, event=ball)
        late = self.open_job(reserved_micros=5000)
        Job.objects.exclude(pk=late.pk).update(deadline=now + timedelta(seconds=9))
        slot = Slot.objects.get(pk="slot-001")
        with transaction.atomic():
            limits = lock_rows(slot, today).limits
            counted = count_in_flight("slot-001", "gemini", besides=uuid4(), limits=limits)
        states = load_all_states(day=today, now=clock.now())
        assert len(counted.uses) == len(states) == 6
        for use in counted.uses:
            state = states[use.limit.budget_id]
            assert use.micros == state.spent_micros + state.reserved_micros
            assert use.pictures == state.spent_pictures + state.reserved_pictures
        assert len({use.pictures for use in counted.uses}) == 6

    async def count_queries(self) -> int:
        """Of an admission, from its lock to the row that it opens."""
        asked: list[str] = []

        def note(run: Any, sql: str, *call: Any) -> Any:
            asked.append(sql)
            return run(sql, *call)

        await in_db(lambda: self.enterContext(connection.execute_wrapper(note)))
        await self.post(jpeg())
        first = next(n for n, sql in enumerate(asked) if "FROM slot JOIN settings" in sql)
        last = next(n for n, sql in enumerate(asked) if sql.startswith('INSERT INTO "job_history"'))
        return last - first + 1
