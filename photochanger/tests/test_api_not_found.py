from uuid import uuid4

from django.test import TestCase

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


class UnroutedTests(TestCase):
    def test_a_mistyped_address_is_answered_with_json(self) -> None:
        for path in ("/api/nothing", "/ingest/slot-001/more", "/api/jobs/no/uuid", "/public/x"):
            with self.subTest(path):
                answer = self.client.post(path)
                self.assertEqual(answer.status_code, 404)
                self.assertEqual(answer.json()["failure_reason"], "not_found")
                self.assertEqual(answer["Cache-Control"], "no-store")

    def test_a_booth_link_opened_in_a_browser_says_that_it_takes_photos(self) -> None:
        answer = self.client.get("/ingest/slot-001", headers={"Accept-Language": "en", **BROWSER})
        self.assertEqual((answer.status_code, answer["Allow"]), (405, "POST"))
        self.assertEqual(answer.json()["failure_reason"], "method_not_allowed")
        self.assertIn("POST", answer.json()["details"])

    def test_a_guest_with_a_broken_link_gets_a_page(self) -> None:
        answer = self.client.get("/public/results/broken/", headers=BROWSER)
        self.assertEqual(answer.status_code, 404)
        self.assertTrue(answer["Content-Type"].startswith("text/html"))

    def test_an_operations_own_404_is_unchanged(self) -> None:
        answer = self.client.get(f"/api/jobs/{uuid4()}")
        self.assertEqual(answer.json()["failure_reason"], "job_not_found")

    def test_other_pages_are_unchanged(self) -> None:
        self.assertTrue(self.client.get("/nowhere")["Content-Type"].startswith("text/html"))
