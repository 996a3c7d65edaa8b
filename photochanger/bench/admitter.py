"""One process that admits and closes photos as fast as the database lets it, for `admissions`.

`python -m photochanger.bench.admitter SECONDS` says "ready", waits for a line, works, and writes
the seconds that each admission took, as JSON.
"""

import asyncio
import io
import json
import os
import random
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import django

SIDE_PX = 64


def main() -> None:
    django.setup()
    seconds = float(sys.argv[1])
    admit_one = make_admitter()
    admit_one()  # a connection, and plans that are known
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    taken, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        taken.append(admit_one())
    sys.stdout.write(json.dumps(taken))


def make_admitter() -> Callable[[], float]:
    """Django's models can be imported only after its set-up."""
    from django.utils import timezone
    from PIL import Image

    from ingest.models import Job
    from ingest.pipeline.admission import admit
    from ingest.pipeline.order import Deadline, Order
    from photochanger.pictures import Photo
    from slots.models import Slot
    from slots.platform_settings import load_platform_settings

    jpeg = io.BytesIO()
    Image.new("RGB", (SIDE_PX, SIDE_PX)).save(jpeg, "JPEG")
    size = jpeg.tell()
    slots, platform = list(Slot.objects.filter(is_active=True)), load_platform_settings()

    async def make_order() -> Order:
        photo = Photo.open(jpeg, max_megapixels=1, size_bytes=size, sha256=secrets.token_hex(32))
        return Order(
            slot=random.choice(slots),
            platform=platform,
            photo=photo,
            deadline=Deadline.from_now(48),
        )

    first = asyncio.run(make_order())

    def admit_one() -> float:
        photo = replace(first.photo, sha256=secrets.token_hex(32))
        now = timezone.now()
        deadline = replace(first.deadline, started_at=now)
        order = replace(
            first,
            slot=random.choice(slots),
            photo=photo,
            deadline=deadline,
            job_id=type(first.job_id)(bytes=os.urandom(16), version=4),
        )
        began = time.perf_counter()
        job = admit(order).job
        taken = time.perf_counter() - began
        Job.objects.filter(pk=job.pk).update(
            status=Job.Status.DONE, finished_at=timezone.now(), replay_key=None
        )
        return taken

    return admit_one


if __name__ == "__main__":
    main()
