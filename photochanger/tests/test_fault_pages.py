"""What a person reads where Django has nothing to show: no bare line in English."""

from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User
from django.test import Client, TestCase

SLOTS = "/admin/slots/slot/"


class FaultPageTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("serg"))

    def assert_shown(self, answer: Any, status: int, *words: str) -> None:
        for text in ("<h1>", *words):
            self.assertContains(answer, text, status_code=status)
        self.assertIn("default-src 'none'", answer["Content-Security-Policy"])

    def test_what_was_deleted_is_said_to_be_gone_with_the_way_back(self) -> None:
        for path in ("/admin/events/4711/", "/admin/nowhere/at/all/"):
            answer = self.client.get(path)
            self.assert_shown(answer, 404, "Здесь ничего нет", 'href="/admin/"')
        answer = self.client.get("/nowhere", headers={"Accept-Language": "en"})
        self.assert_shown(answer, 404, "There is nothing here")
        self.assertNotContains(answer, "/admin/", status_code=404)

    def test_who_has_too_few_rights_hears_whom_to_ask(self) -> None:
        self.client.force_login(User.objects.create_user("anna", is_staff=True))
        self.assert_shown(self.client.get(f"{SLOTS}slot-001/change/"), 403, "больше прав")

    def test_a_form_of_before_the_login_says_to_load_it_anew(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(User.objects.get())
        answer = strict.post(f"{SLOTS}slot-001/change/", {"display_name": "Бал"})
        self.assert_shown(answer, 403, "Ничего не изменено", "обновите её")

    def test_a_fault_of_ours_says_so(self) -> None:
        self.client.raise_request_exception = False
        with patch("slots.console.slot._open_page", side_effect=ZeroDivisionError("a secret")):
            answer = self.client.get(f"{SLOTS}slot-001/change/")
        self.assert_shown(answer, 500, "Не получилось")
        self.assertNotContains(answer, "secret", status_code=500)
