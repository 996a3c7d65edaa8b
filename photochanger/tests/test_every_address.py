"""Every address the product has, asked on both databases: a query that one of them refuses ends
here, whichever page or operation it belongs to.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import quote

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import QueryDict
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from ingest.lab.plan import add_photo, make_run, start_run
from ingest.models import Attempt, Job
from ingest.tests.support import IngestTestCase
from ingest.tests.test_budgets import make_budget
from media import storage
from media.models import MediaObject
from photochanger.api import api
from photochanger.testing.console_pages import PAGES
from photochanger.testing.marks import both_databases
from photochanger.web.tokens import AdminToken
from slots.approval.links import make_link
from slots.approval.scope import Scope
from slots.events.editing import save_event
from slots.events.logos import store_logo
from slots.letters.access import MailAccess, save_mail_server
from slots.models import Event, Slot
from slots.tests.support import picture, upload
from slots.tests.test_events import make_event
from stats.tests.support import job, open_job
from stats.tests.watch_support import add_recipient, telegram_address
from stats.watch.messages import add_test


def addresses(resolver: URLResolver | None = None, before: str = "/") -> Iterator[str]:
    """All that the URL configuration knows, with their parameters still in brackets."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from addresses(entry, f"{before}{entry.pattern}")
        elif isinstance(entry, URLPattern):
            yield f"{before}{entry.pattern}"


ODD_VALUES = ("\0", "x" * 300, "²", "9" * 30, "9" * 5_000)
NO_SERVER = MailAccess(host="127.0.0.1", port=1, security="none", sender="booth@example.com")


@both_databases
class EveryAddressTests(IngestTestCase):
    """With photos of all outcomes, pictures, templates, changes and accounts as in an event."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.serg = User.objects.create_superuser("serg", password="a-long-password")
        cls.picture = picture()
        cls.group = Group.objects.create(name="Operators")
        cls.change = LogEntry.objects.create(
            **{"user": cls.serg, "action_flag": CHANGE, "change_message": "[]"},
            **{"content_type": ContentType.objects.get_for_model(Slot), "object_id": "slot-001"},
        )
        photos = [
            *(job(f"slot-{n % 15 + 1:03}", ago_s=60 * n) for n in range(40)),
            *(job(reason=reason, ago_s=30) for reason in ("timeout", "quota", "client_gone")),
            job(source=Job.Source.UI_TEST, ago_s=90),
            open_job(),
            open_job(ago_s=900),
        ]
        Job.objects.bulk_create(photos)
        cls.photo = photos[0]
        facts = {"provider": "gemini", "duration_ms": 5, "failure_reason": "quota"}
        for number, photo in enumerate(photos):
            Attempt.objects.create(job=photo, number=1, started_at=photo.started_at, **facts)
            if photo.status == Job.Status.DONE:
                cls.add_picture(photo, number)

        cls.budget = make_budget(slot_id="slot-001", hard_micros=1_000_000)
        cls.approval = make_link(Scope(slot_id="slot-001"), hours=6, by="serg").link
        save_mail_server(NO_SERVER, serves_guests=True, by="serg")
        cls.anna = add_recipient("telegram", telegram_address())
        cls.message = add_test(cls.anna)
        cls.event, cls.over = (make_event("slot-001", name=name) for name in ("Now", "Before"))
        begun = timezone.now() - timedelta(hours=1)
        Event.objects.update(started_at=begun)
        Event.objects.filter(pk=cls.over.pk).update(closed_at=timezone.now())
        save_event(
            cls.event, ["slot-001"], by="serg", logo=store_logo(upload(picture()), by="serg")
        )
        Slot.objects.filter(pk="slot-001").update(event=cls.event)

    @classmethod
    def add_picture(cls, photo: Job, number: int) -> None:
        path = f"results/{photo.slot_id}/{photo.pk}/payload.jpg"
        MediaObject.objects.create(
            **{"slot_id": photo.slot_id, "job_id": photo.pk, "kind": "result", "path": path},
            **{"mime": "image/jpeg", "size_bytes": len(cls.picture), "fetches": number % 3},
            expires_at=timezone.now() + timedelta(hours=-1 if number % 4 == 1 else number + 1),
        )

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.serg)
        results = MediaObject.objects.filter(kind="result")
        self.paths = list(results.values_list("path", flat=True))
        self.token = f"Bearer {AdminToken.for_user(self.serg)}"
        form = {"slot_id": "slot-001", "media_kind": "background", "file": upload(picture())}
        template = self.ask("post", "/api/template-media/register", data=form)
        self.template = template.json()["media_object_id"]
        self.lab_run = make_run(by="serg")
        self.lab_photo = add_photo(self.lab_run, upload(picture()), "hall.jpg")
        start_run(self.lab_run.pk, ["slot-001:gemini-nano-banana-2.1"])

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """With the cookie and the token of an administrator; what it writes is taken back."""
        headers = {"Authorization": self.token, "Accept-Language": "ru"}
        return getattr(self.client, method)(path, headers=headers, **options)

    def write_files(self) -> None:
        for path in self.paths:
            if not (settings.MEDIA_ROOT / path).exists():
                storage.write(path, self.picture)

    def taken_back(self, method: str, path: str, **options: Any) -> Any:
        self.write_files()  # those that the address before has deleted
        with transaction.atomic():
            answer = self.ask(method, path, **options)
            transaction.set_rollback(True)
        return answer

    def filled(self, address: str) -> str:
        """The address with rows of ours in it."""
        model = re.match(r"/admin/\w+/(\w+)/", address)
        rows = {
            **{"": self.serg.pk},
            **{"job": self.photo.pk, "slot": "slot-001", "setting": "platform"},
            **{"mediaobject": MediaObject.objects.earliest("pk").pk},
            **{"user": self.serg.pk, "group": self.group.pk},
        }
        object_id = rows[model[1] if model and model[1] in rows else ""]
        values = {
            **{"slot_id": "slot-001", "job_id": self.photo.pk, "provider": "gemini"},
            **{"name": "database", "media_id": self.template, "entry_id": self.change.pk},
            **{"channel": "telegram", "recipient_id": self.anna.pk},
            **{"event_id": self.event.pk, "budget_id": self.budget.pk},
            **{"run_id": self.lab_run.pk, "photo_id": self.lab_photo.pk},
            **{"recipe_id": self.lab_run.recipes.get().pk},
            **{"message_id": self.message.pk, "act": "retry", "token": self.approval.token},
            **{"letter_id": self.photo.pk, "logo_id": self.template},
            **{"accent": "ff0000", "background": "none", "key": "oil-painting"},
            **{"id": self.serg.pk, "object_id": object_id},
        }
        address = address.replace("^(?P<app_label>media|slots|ingest|auth)/$", "ingest/")
        return re.sub(r"[<{](?:\w+:)?(\w+)[>}]", lambda found: str(values[found[1]]), address)

    def check(self, method: str, addresses: list[str]) -> Counter[int]:
        """Ask them all; a view that breaks raises its exception here. Returns what they said."""
        statuses = Counter[int]()
        for address in addresses:
            path = self.filled(address)
            with self.subTest(method=method, path=path):
                answer = self.taken_back(method, path)
                read(answer)
                self.assertLess(answer.status_code, 500)
                statuses[answer.status_code] += 1
        return statuses

    def test_every_address_answers(self) -> None:
        known = [a for a in addresses() if "(?P<url>" not in a and "logout" not in a]
        self.assertGreater(len(known), 90)
        self.assertGreater(self.check("get", known)[200], 55)
        self.check("post", known)

    def test_every_page_of_the_console_shows_itself(self) -> None:
        ids = {"job": self.photo.pk, "event": self.event.pk, "over": self.over.pk}
        pages = [path.format(**ids) for path in PAGES.values()]
        self.assertEqual(self.check("get", pages), {200: len(PAGES)})

    def test_no_page_breaks_over_an_odd_part_of_its_path(self) -> None:
        for address in addresses():
            if address.startswith("/admin/") and "<" in address:
                for value in ODD_VALUES:
                    path = re.sub(r"<[^>]+>", quote(value, safe=""), address)
                    for method in ("get", "post"):
                        with self.subTest(method, path=path[:200]):
                            answer = self.taken_back(method, path)
                            self.assertLess(answer.status_code, 500)

    def test_no_page_breaks_over_an_odd_parameter(self) -> None:
        ids = {"job": self.photo.pk, "event": self.event.pk, "over": self.over.pk}
        pages = {path.format(**ids).partition("?")[0] for path in PAGES.values()}
        for page in sorted({*pages, "/admin/statistics/report.csv", "/admin/event/link/verdict/"}):
            for name in self.list_parameters(page):
                for value in ODD_VALUES:
                    with self.subTest(page=page, name=name, value=value):
                        answer = self.ask("get", page, data={name: value})
                        self.assertLess(answer.status_code, 500)

    def list_parameters(self, page: str) -> set[str]:
        """All that it looks for in its address."""
        asked, get = set[str](), QueryDict.get

        def note(self: QueryDict, name: str, *default: Any) -> Any:
            asked.add(name)
            return get(self, name, *default)

        with mock.patch.object(QueryDict, "get", note):
            self.ask("get", page, data={"": "x"})
        return asked

    def test_every_operation_of_the_api_answers(self) -> None:
        operations = [
            (method, path)
            for path, methods in api.get_openapi_schema()["paths"].items()
            for method in methods
        ]
        self.assertGreater(len(operations), 24)
        for method, path in operations:
            self.check(method, [path])

    def test_what_was_read_can_be_written(self) -> None:
        for path in ("/api/slots/slot-001", "/api/settings"):
            read = self.ask("get", path).json()
            written = {
                name: read[name]
                for name in ("display_name", "settings", "max_jobs_per_slot", "result_ttl_hours")
                if name in read
            }
            answer = self.taken_back("put", path, data=written, content_type="application/json")
            self.assertEqual(answer.status_code, 200, answer.content)

    @override_settings(DEBUG=False)
    def test_a_guest_gets_what_is_public(self) -> None:
        self.client.logout()
        self.token = ""
        known = [a for a in addresses() if a.startswith("/public/")]
        self.assertEqual(
            self.check("get", known), {200: 22, 404: 5}
        )  # a template is no photo of a provider; without the PIN no picture is to be seen


def read(answer: Any) -> bytes:
    """The whole body; a streamed one asks the database as it goes."""
    if not answer.streaming:
        return bytes(answer.content)
    if not answer.is_async:
        return b"".join(answer.streaming_content)

    async def read_all() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return async_to_sync(read_all)()
