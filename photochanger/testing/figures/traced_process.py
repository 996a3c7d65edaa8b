"""Runs in a process of its own: one photo through the ASGI application, under a profiler.

Started by ``trace.py`` in a fresh installation's environment; prints what it saw as JSON: each
function by file, name and line, and whether it ran only when the booth had its picture.
"""

import asyncio
import io
import json
import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx
from PIL import Image

SLOT, PHOTO_SIZE = "slot-001", (1200, 800)


class CallRecorder:
    """Collects the code objects that are entered, in every thread, while ``is_on``."""

    def __init__(self) -> None:
        self.is_on = self.is_answered = False
        # In the order of their first call; whether that was after the answer.
        self.codes: dict[CodeType, bool] = {}
        self.calls = 0

    def install(self) -> None:
        """For this thread and those that start later; so before the application starts any."""
        threading.setprofile(self)
        sys.setprofile(self)

    def __call__(self, frame: FrameType, event: str, arg: object) -> None:
        if self.is_on and event == "call":
            self.codes.setdefault(frame.f_code, self.is_answered)
            self.calls += 1


def main() -> None:
    recorder = CallRecorder()
    recorder.install()
    import photochanger.asgi  # sets Django up

    _prepare_site()
    asyncio.run(_send_photos(photochanger.asgi, recorder))
    seen = [
        (code.co_filename, code.co_qualname, code.co_firstlineno, is_later)
        for code, is_later in recorder.codes.items()
    ]
    print(json.dumps(seen))


def _prepare_site() -> None:
    from django.core.management import call_command

    from slots.models import Slot

    call_command("migrate", verbosity=0)
    recipe = {"prompt": "As an oil painting"}
    Slot.objects.filter(pk=SLOT).update(is_active=True, settings=recipe)


async def _send_photos(asgi: Any, recorder: CallRecorder) -> None:
    """The first photo fills the caches of a new process; the second one is what every booth's
    photo crosses."""
    await asgi.warm_up()
    # They work beside photos, at any moment, and not for one.
    for beside in (asgi.refusal_writer, asgi.late_writer, asgi.clock_keeper):
        await beside.stop()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        async def send_to_booth(message: Any) -> None:
            await send(message)
            recorder.is_answered |= recorder.is_on and bool(message.get("body"))

        await asgi.application(scope, receive, send_to_booth)

    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as booth:
        await _send_photo(booth, colour="navy")
        recorder.is_on = True
        await _send_photo(booth, colour="maroon")
        recorder.is_on = False
    await asgi.http.close()


async def _send_photo(booth: httpx.AsyncClient, *, colour: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", PHOTO_SIZE, colour).save(out, "JPEG")
    answer = await booth.post(
        f"/ingest/{SLOT}",
        data={"password": os.environ["INGEST_PASSWORD"], "id": "CY04N", "name": "DESKTOP"},
        files={"fileToUpload": ("IMG_0001.JPG", out.getvalue(), "image/jpeg")},
    )
    if answer.status_code != 200:
        raise SystemExit(f"the traced photo was answered {answer.status_code}: {answer.text}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
