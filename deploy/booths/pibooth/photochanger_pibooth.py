"""pibooth 2.1: send each capture to a slot of PhotoChanger, and build the picture of what comes.

Name this file in `plugins` of pibooth.cfg. A capture for which nothing comes back stays as taken.
"""

import concurrent.futures
import http.client
import io
import json
import urllib.error
import urllib.request
import uuid

import pibooth
import pygame
from pibooth.utils import LOGGER
from PIL import Image

__version__ = "1.0"
SECTION = "PHOTOCHANGER"
POLL_S = 0.1

# Captures of the guest who stands there, each with its picture: pibooth builds the print and
# the animation of the waiting screen from the same captures, and each call costs money.
changed: list[tuple[Image.Image, Image.Image]] = []
caller = concurrent.futures.ThreadPoolExecutor(4)  # as many as pibooth takes captures


@pibooth.hookimpl
def pibooth_configure(cfg):
    cfg.add_option(
        SECTION, "url", "", "Link of the slot, like http://192.168.1.5:8000/ingest/slot-001"
    )
    cfg.add_option(SECTION, "password", "", "Booth password of that server")
    cfg.add_option(SECTION, "wait_s", 58, "Seconds to wait: the slot's waiting time and 10 more")


@pibooth.hookimpl
def state_processing_enter():
    changed.clear()


@pibooth.hookimpl
def pibooth_setup_picture_factory(cfg, factory):
    """Nothing is returned: pibooth goes on with its own factory, and with our pictures in it."""
    if cfg.get(SECTION, "url").strip('"'):
        factory._images = tuple(change_captures(cfg, factory._images))


@pibooth.hookimpl
def pibooth_cleanup():
    caller.shutdown(wait=False, cancel_futures=True)


def change_captures(cfg, captures):
    """All at once; the window goes on answering the system meanwhile."""
    known = [find_changed(capture) for capture in captures]
    calls = [
        None if picture else caller.submit(change_capture, cfg, capture)
        for capture, picture in zip(captures, known, strict=True)
    ]
    waiting = {call for call in calls if call}
    while waiting:
        pygame.event.pump()
        waiting = concurrent.futures.wait(waiting, timeout=POLL_S).not_done
    pictures = [picture or call.result() for picture, call in zip(known, calls, strict=True)]
    changed[:] = [*changed, *zip(captures, pictures, strict=True)]
    return pictures


def find_changed(capture):
    return next((picture for before, picture in changed if before is capture), None)


def change_capture(cfg, capture):
    """The picture of a capture, or the capture itself, with the reason in pibooth's log."""
    photo = io.BytesIO()
    capture.convert("RGB").save(photo, "JPEG", quality=95)
    try:
        picture = Image.open(io.BytesIO(send_photo(cfg, photo.getvalue())))
        picture.load()
        return picture.convert("RGB")
    except urllib.error.HTTPError as exc:
        LOGGER.error("PhotoChanger: the capture stays as taken; %s", explain_refusal(exc))
    except (OSError, http.client.HTTPException, ValueError) as exc:
        LOGGER.error("PhotoChanger: the capture stays as taken; %s", exc)
    return capture


def send_photo(cfg, photo):
    """The answer's bytes; raises HTTPError for a refusal, OSError when nobody answers."""
    line = uuid.uuid4().hex
    password = cfg.get(SECTION, "password").strip('"')
    body = (
        (
            f'--{line}\r\nContent-Disposition: form-data; name="password"\r\n\r\n{password}\r\n'
            f'--{line}\r\nContent-Disposition: form-data; name="fileToUpload"; '
            'filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        ).encode()
        + photo
        + f"\r\n--{line}--\r\n".encode()
    )
    head = {"Content-Type": f"multipart/form-data; boundary={line}"}
    request = urllib.request.Request(cfg.get(SECTION, "url").strip('"'), body, head)
    with urllib.request.urlopen(request, timeout=cfg.getint(SECTION, "wait_s")) as answer:
        LOGGER.info("PhotoChanger: %s", answer.headers.get("X-Result-Url"))
        return answer.read()


def explain_refusal(refusal):
    try:
        told = json.load(refusal)
        return f"{refusal.code} {told['failure_reason']}: {told['details']}"
    except (ValueError, KeyError, TypeError):  # a server that is not PhotoChanger
        return str(refusal)
