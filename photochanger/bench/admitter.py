"""One process that admits and closes photos as fast as the database lets it, for `admissions`.

Runs in the shell of `manage.py`: says "ready", waits for a line, works, and writes the seconds
that each admission took, as JSON.
"""

import asyncio
import io
import json
import random
import secrets
import sys
import time
from dataclasses import replace
from uuid import uuid4

from django.utils import timezone
from PIL import Image

from ingest.models import Job
from ingest.pipeline.admission import admit
from ingest.pipeline.order import Deadline, Order
from photochanger.pictures import Photo
from slots.models import Slot
from slots.platform_settings import load_platform_settings

SIDE_PX, WAIT_S = 64, 48


def work(seconds: float) -> None:
    slots = list(Slot.objects.filter(is_active=True))
    pattern = asyncio.run(make_order(slots[0]))
    admit_another(pattern, slots)  # a connection, and plans that are known
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    taken, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        taken.append(admit_another(pattern, slots))
    sys.stdout.write(json.dumps(taken))


async def make_order(slot: Slot) -> Order:
    """A deadline counts in an event loop's time."""
    jpeg = io.BytesIO()
    Image.new("RGB", (SIDE_PX, SIDE_PX)).save(jpeg, "JPEG")
    photo = Photo.open(jpeg, max_megapixels=1, size_bytes=jpeg.tell(), sha256=secrets.token_hex(32))
    return Order(
        slot=slot,
        platform=await asyncio.to_thread(load_platform_settings),
        photo=photo,
        deadline=Deadline.from_now(WAIT_S),
    )


def admit_another(pattern: Order, slots: list[Slot]) -> float:
    """Another photo of any slot, closed at once; the seconds that its admission took."""
    order = replace(
        pattern,
        slot=random.choice(slots),
        photo=replace(pattern.photo, sha256=secrets.token_hex(32)),
        deadline=replace(pattern.deadline, started_at=timezone.now()),
        job_id=uuid4(),
    )
    began = time.perf_counter()
    job = admit(order).job
    taken = time.perf_counter() - began
    closed = {"status": Job.Status.DONE, "finished_at": timezone.now(), "replay_key": None}
    Job.objects.filter(pk=job.pk).update(**closed)
    return taken
