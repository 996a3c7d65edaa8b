"""The first service is down, photos come at an event's pace: nobody is lost, hardly anybody waits.

Two slots take the same photos at the same time: one whose service is down and who has a reserve,
and one whose service works. The second is the control.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ClassVar

from ingest.tests.live_support import LiveTestCase
from ingest.tests.support import jpeg
from photochanger.testing import server_process
from photochanger.testing.marks import both_databases

pytestmark = both_databases

EVERY_S, PHOTOS = 3.0, 10  # 20 a minute
SLOWER_S = 2.0
ASKED_IN_VAIN = """
select count(distinct job_id) from job_attempt
where reserve = 0 and job_id in (select job_id from job_history where reserve = 1)
"""
ADD_RESERVE = """
from slots.models import ReserveSource, Slot
slot = Slot.objects.get(pk="slot-001")
ReserveSource.objects.create(
    slot=slot, position=1, provider=slot.provider, operation=slot.operation,
    settings={"prompt": "By the reserve"},
)
"""


class OutageTests(LiveTestCase):
    server: ClassVar[server_process.Server]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site.configure_all(
            {
                # Each of its answers comes late, so that whoever is sent there is slower.
                "slot-001": {"settings": {"prompt": "x [sim:503] [sim:latency=2.5]"}},
                "slot-002": {"settings": {"prompt": "x"}},
            }
        )
        cls.site.manage("shell", "--verbosity", "0", "-c", ADD_RESERVE)
        cls.server = cls.enterClassContext(cls.site.server(gunicorn=2))

    def take(self, slot: str) -> tuple[int, float]:
        begun = time.monotonic()
        answer = self.post(self.server, jpeg(), slot=slot)
        return answer.status_code, time.monotonic() - begun

    def test_no_photo_is_lost_and_few_meet_the_dead_service(self) -> None:
        sent: list[tuple[Future[Any], Future[Any]]] = []
        with ThreadPoolExecutor(2 * PHOTOS) as booths:
            for _ in range(PHOTOS):
                sent.append(
                    (booths.submit(self.take, "slot-001"), booths.submit(self.take, "slot-002"))
                )
                time.sleep(EVERY_S)
        pairs = [(one.result(), control.result()) for one, control in sent]
        self.assertEqual([status for (status, _), _ in pairs], [200] * PHOTOS)
        # Idle it is three, all of them slower by the dead service's time than their controls; a
        # busy machine sends another one before the third failure is written down.
        [(asked,)] = self.site.rows(ASKED_IN_VAIN)
        self.assertIn(asked, range(1, PHOTOS // 2 + 1))
        slower = [took_s - control_s > SLOWER_S for (_, took_s), (_, control_s) in pairs]
        print(f"slower by more than {SLOWER_S:g} s: {sum(slower)} of {PHOTOS}")
        made_by = dict(self.site.rows("select reserve, count(*) from job_history group by reserve"))
        self.assertEqual(made_by, {0: PHOTOS, 1: PHOTOS})
