"""Pages of events by HTTP, where somebody else acts at the same moment."""

from datetime import timedelta
from typing import Any
from unittest import mock

from django.contrib.auth.models import User
from django.utils import timezone

from photochanger.testing.marks import both_databases
from slots.models import Event, Slot
from slots.tests.test_events import PROMPT, make_event
from stats.console.events import acts, edit
from stats.tests.support import StatsTestCase

pytestmark = both_databases
STEPS = ("start_event", "close_event", "delete_planned_event")


class GoneEventTests(StatsTestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))
        Slot.objects.filter(pk="slot-001").update(settings=PROMPT)

    def post(self, path: str, **typed: Any) -> int:
        """With an event that is there when the page reads it, and gone when it wants to lock it."""
        event = make_event("slot-001")

        def delete_first(step: Any) -> Any:
            def act(*args: Any, **kwargs: Any) -> Any:
                Event.objects.filter(pk=event.pk).delete()
                return step(*args, **kwargs)

            return act

        module = edit if path in ("edit/", "slots/slot-001/keep/") else acts
        names = ("save_event", "change_event_recipe") if module is edit else STEPS
        with mock.patch.multiple(
            module, **{name: delete_first(getattr(module, name)) for name in names}
        ):
            answer = self.client.post(f"/admin/events/{event.pk}/{path}", typed)
        return int(answer.status_code)

    def test_an_event_that_somebody_deletes_meanwhile_is_not_found(self) -> None:
        moment = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
        later = (timezone.localtime() + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M")
        form = {"name": "Ball", "starts_at": moment, "ends_at": later, "slots": ["slot-001"]}
        self.assertEqual(self.post("edit/", **form), 404)
        for path in ("start/", "close/", "delete/"):
            with self.subTest(path=path):
                self.assertEqual(self.post(path, confirmed="1"), 404)
        self.assertEqual(self.post("slots/slot-001/keep/"), 404)
