"""Figures of faces: by slot, by version and model, and the last pictures that went wrong."""

from datetime import timedelta
from typing import Any

from django.test import TestCase
from django.utils import timezone

from ingest.models import Attempt, Job
from photochanger.testing.marks import both_databases
from slots.tests.support import ConsoleTestCase
from stats.faces import load_figures_by_slot, load_figures_by_version, load_last_wrong
from stats.tests.support import job


def seen(faces: str, likeness: int | None = None, people: int = 2, **columns: Any) -> Job:
    return job(faces=faces, likeness=likeness, people_in=people, people_out=people, **columns)


@both_databases
class FaceFiguresTests(TestCase):
    def setUp(self) -> None:
        self.now = timezone.now()
        self.since = self.now - timedelta(hours=1)

    def test_shares_middles_and_means_of_a_slot(self) -> None:
        verdicts = (("kept", 90), ("kept", 80), ("lost", 70), ("changed", 20))
        jobs = [seen(verdict, likeness) for verdict, likeness in verdicts]
        jobs += [seen("nobody", people=0), seen("unknown", people=4), job()]
        jobs += [seen("lost", source=Job.Source.UI_TEST), seen("lost", ago_s=7200)]
        Job.objects.bulk_create(jobs)
        [found] = load_figures_by_slot(self.since)
        self.assertEqual((found.name, found.measured, found.judged), ("slot-001", 6, 4))
        self.assertEqual((found.kept_percent, found.likeness_p50), (50, 75))
        self.assertAlmostEqual(found.people_mean or 0, 2.0)

    def test_a_slot_whose_photos_show_nobody_has_no_share(self) -> None:
        seen("nobody", people=0).save()
        [found] = load_figures_by_slot(self.since)
        self.assertIsNone(found.kept_percent)

    def test_versions_and_models_are_compared(self) -> None:
        for version, model, verdict, likeness in (
            (1, "old", "lost", 30),
            (2, "old", "kept", 60),
            (2, "new", "kept", 90),
        ):
            one = seen(verdict, likeness, slot_version=version)
            one.save()
            Attempt.objects.create(
                job=one,
                number=1,
                provider="gemini",
                model=model,
                started_at=one.started_at,
                duration_ms=10,
                faces=verdict,
                likeness=likeness,
                people_in=2,
                people_out=2,
            )
        found = load_figures_by_version(self.since, "slot-001")
        figures = [(one.name, one.kept_percent, one.likeness_p50) for one in found]
        expected = [("2 · new", 100, 90), ("2 · old", 100, 60), ("1 · old", 0, 30)]
        self.assertEqual(figures, expected)
        self.assertEqual(load_figures_by_version(self.since, "slot-002"), [])

    def test_only_wrong_pictures_that_can_still_be_seen_are_shown(self) -> None:
        later = self.now + timedelta(hours=1)
        shown = [
            seen(verdict, result_expires_at=later, ago_s=60 + number)
            for number, verdict in enumerate(("lost", "changed", "stranger"))
        ]
        hidden = [
            seen("kept", result_expires_at=later),
            seen("lost", result_expires_at=self.now - timedelta(hours=1)),
            seen("lost", result_expires_at=None),
            seen("lost", slot_id="slot-002", result_expires_at=later, ago_s=7200),
        ]
        Job.objects.bulk_create([*shown, *hidden])
        self.assertEqual(load_last_wrong(self.since, self.now), shown)
        self.assertEqual(load_last_wrong(self.since, self.now, "slot-002"), [])


class PageTests(ConsoleTestCase):
    def test_pages_tell_what_became_of_people(self) -> None:
        later = timezone.now() + timedelta(hours=1)
        one = job(faces="lost", people_in=4, people_out=3, likeness=46, result_expires_at=later)
        one.save()
        words = "4 people, 3 in the result: one face lost"
        english = {"Accept-Language": "en"}
        for path in (
            "/admin/statistics/faces/",
            "/admin/statistics/faces/?slot=slot-001",
            "/admin/ingest/job/?faces=lost",
            f"/admin/ingest/job/{one.pk}/change/",
        ):
            self.assertContains(self.client.get(path, headers=english), words)
        russian = self.client.get(
            f"/admin/ingest/job/{one.pk}/change/", headers={"Accept-Language": "ru"}
        )
        self.assertContains(russian, "4 человека, в результате 3: потеряно 1 лицо")
        self.assertContains(russian, "сходство 46 %")
        self.assertContains(russian, "Личность оно не доказывает")
        other = self.client.get("/admin/ingest/job/?faces=stranger", headers=english)
        self.assertNotContains(other, words)
