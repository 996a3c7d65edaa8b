"""Sessions and lock-outs live by the database's clock, whatever this machine's says."""

from datetime import UTC, datetime, timedelta
from unittest import mock

from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.utils import timezone

from photochanger.db import clock
from photochanger.testing.marks import both_databases
from photochanger.tests.test_login import WRONG, LoginTestCase

pytestmark = both_databases

AHEAD = timedelta(hours=20)  # more than a session lives


class SessionClockTests(LoginTestCase):
    def setUp(self) -> None:
        self.true_time = datetime.now(UTC)
        self.enterContext(mock.patch.object(clock, "now", lambda: self.true_time))

    def be_ahead(self) -> None:
        self.enterContext(mock.patch.object(timezone, "now", lambda: datetime.now(UTC) + AHEAD))

    def test_a_session_of_another_machine_opens_here_and_ends_in_time(self) -> None:
        self.client.force_login(self.serg)
        self.be_ahead()
        self.assertEqual(self.client.get("/admin/").status_code, 200)
        self.true_time += timedelta(hours=12, seconds=1)
        self.assertEqual(self.client.get("/admin/").status_code, 302)

    async def test_the_same_holds_where_the_event_loop_asks(self) -> None:
        await self.async_client.aforce_login(self.serg)
        self.be_ahead()
        self.assertEqual((await self.async_client.get("/admin/session/")).status_code, 204)

    def test_a_session_made_here_is_no_longer_for_a_clock_that_is_ahead(self) -> None:
        self.be_ahead()
        self.console()
        left = Session.objects.get().expire_date - self.true_time
        self.assertLess(abs(left - timedelta(hours=12)), timedelta(minutes=1))

    def test_a_lock_out_of_another_machine_holds_here_and_ends_in_time(self) -> None:
        AccessAttempt.objects.create(
            username="serg", ip_address="203.0.113.7", failures_since_start=9
        )
        self.true_time = datetime.now(UTC)  # django-axes has dated the row itself
        self.be_ahead()
        self.assertEqual(self.log_in(password=WRONG).status_code, 401)
        answer = self.log_in()
        self.assertEqual(answer.status_code, 429)
        self.assertLessEqual(int(answer["Retry-After"]), 15 * 60)
        self.true_time += timedelta(minutes=15, seconds=1)
        self.assertEqual(self.log_in().status_code, 200)
