"""The last results on a slot's page: when, until when, what, and fresh by one press."""

import uuid
from datetime import timedelta

from django.utils import timezone

from media.models import MediaObject
from slots.tests.support import ConsoleTestCase

PAGE, PART = "/admin/slots/slot/slot-001/change/", "/admin/slots/slot/slot-001/results/"


class ResultsTests(ConsoleTestCase):
    def add(self, number: int = 1, *, hours: int = 72) -> MediaObject:
        return MediaObject.objects.create(
            **{"slot_id": "slot-001", "job_id": uuid.UUID(int=number), "kind": "result"},
            **{"path": f"results/{number}", "mime": "image/jpeg", "size_bytes": 9},
            expires_at=timezone.now() + timedelta(hours=hours),
        )

    def test_each_result_says_when_it_was_made_until_when_it_lives_and_its_format(self) -> None:
        result = self.add()
        page = self.client.get(PAGE, headers={"Accept-Language": "ru"})
        until = timezone.localtime(result.expires_at)
        for words in (
            "Ссылки на скачивание активны 72 часа после готовности файла.",
            "Завершено: ",
            f"Ссылка активна до {until:%d.%m.%Y %H:%M}",
            "Формат: image/jpeg",
            "Скачать",
            "Обновить",
        ):
            self.assertContains(page, words)

    def test_a_refresh_brings_the_newest_and_leaves_out_what_is_over(self) -> None:
        self.add(1, hours=-1)
        self.assertNotContains(self.client.get(PART), "Формат:")
        self.add(2)
        part = self.client.get(PART)
        self.assertContains(part, f"/public/results/{uuid.UUID(int=2)}/preview", count=1)
        self.assertNotContains(part, "<html")
