"""The server's entry point: the edge around Django."""

# ruff: noqa: E402  some of what is imported needs Django to be set up

import asyncio
import gc
import os
import tempfile
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photochanger.settings")

import django

django.setup(set_prefix=False)

import structlog
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import DatabaseError, connection
from django.urls import reverse

from ingest import beside
from ingest.clocks import ClockKeeper
from ingest.faces import search as face_search
from ingest.pipeline.late_closings import LateWriter
from ingest.refusals.recording import note_edge_refusal
from ingest.refusals.store import RefusalWriter
from media import storage
from media.deletion import forget_deleted
from media.download_memory import DownloadMemory
from media.downloads.counting import DownloadWriter
from photochanger.checks.environment import log_public_address
from photochanger.db.limits import limit_this_process
from photochanger.edge.body import BodyLimit
from photochanger.edge.download_throttle import DownloadThrottle
from photochanger.edge.lanes import RequestLanes, let_lanes_check_connections
from photochanger.edge.lifespan import Lifespan
from photochanger.edge.login_queue import LoginQueue
from photochanger.edge.paths import clean_path, is_booth_path, is_machine_path
from photochanger.edge.proxies import believe_proxies
from photochanger.edge.refusal_pace import RefusalPace
from photochanger.edge.request_ids import RequestIds
from photochanger.edge.static_files import StaticFiles
from photochanger.errors import StorageError
from photochanger.server import protocol
from photochanger.server.limits import raise_file_limit
from photochanger.server.memory import keep_freed_memory
from photochanger.web.api_description import render_description
from photochanger.web.body_caps import find_body_cap
from photochanger.web.devices import find_browser
from photochanger.web.gallery_memory import GalleryMemory
from photochanger.web.stacks import MachineStack
from providers import http
from stats.metrics import initialize_counters

log = structlog.get_logger()


class PeopleHandler(ASGIHandler):
    """Django's handler with larger pieces of an answer: 64 KB ones cost four times the sends."""

    chunk_size = 256 * 1024


class MachineHandler(MachineStack, PeopleHandler):
    """The same with the short middleware stack, for booths, guests and monitors."""


people, machines = PeopleHandler(), MachineHandler()


async def django_app(scope: Any, receive: Any, send: Any) -> None:
    """Django behind the middleware stack that the path asks for."""
    await (machines if is_machine_path(scope["path"]) else people)(scope, receive, send)


lanes = RequestLanes(django_app)
refusal_writer, late_writer, clock_keeper = RefusalWriter(), LateWriter(), ClockKeeper()
download_writer = DownloadWriter()


async def warm_up() -> None:
    """Do now what the first guest would otherwise wait for: imports (200 ms) and connections.

    Then let the garbage collector forget it all: what lives for ever need not be looked at again.
    """
    log.info("server.worker.started", open_files=raise_file_limit())
    reverse("home")
    http.warm_up()
    await asyncio.to_thread(storage.warm_up)
    await asyncio.to_thread(tempfile.gettempdir)  # on a full disk it would find none
    await asyncio.to_thread(render_description)
    await lanes.warm_up(_connect)
    await asyncio.to_thread(_check_slots)
    initialize_counters()
    refusal_writer.start()
    late_writer.start()
    clock_keeper.start()
    download_writer.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)


def _connect() -> None:
    try:
        connection.ensure_connection()
    except DatabaseError as exc:  # it may come up later; until then photos are refused clearly
        log.error("server.database.unavailable", detail=str(exc))


def _check_slots() -> None:
    try:
        log_public_address()
        forget_deleted()
        face_search.warm_up()
    except DatabaseError as exc:
        log.error("server.database.unavailable", detail=str(exc))
    except (OSError, StorageError) as exc:  # cleanup tries again
        log.error("media.tombstone.read_failed", detail=str(exc))
    finally:
        connection.close()  # this thread's own


async def shut_down() -> None:
    await refusal_writer.stop()
    await late_writer.stop()
    await clock_keeper.stop()
    await download_writer.stop()
    await beside.drain()
    await http.close()


limit_this_process()
let_lanes_check_connections()
protocol.install()
keep_freed_memory()
lifespan = Lifespan(startup=warm_up, shutdown=shut_down)
# A booth's photo passes nothing that only other requests need.
booth_app = BodyLimit(lanes, note_edge_refusal)
other_app = DownloadThrottle(
    DownloadMemory(
        BodyLimit(
            StaticFiles(
                GalleryMemory(LoginQueue(lanes, find_browser)),
                root=settings.STATIC_ROOT,
                prefix=settings.STATIC_URL,
            ),
            find_cap=find_body_cap,
        )
    )
)


async def route(scope: Any, receive: Any, send: Any) -> None:
    scope["path"] = clean_path(scope["path"])
    await (booth_app if is_booth_path(scope["path"]) else other_app)(scope, receive, send)


http_app = RequestIds(
    # Behind it the client is known, also a front server's.
    believe_proxies(RefusalPace(route), settings.TRUSTED_PROXIES),
    hsts_s=settings.SECURE_HSTS_SECONDS,
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The edge: bodies limited, requests named and spread over lanes, before Django sees them."""
    await (lifespan if scope["type"] == "lifespan" else http_app)(scope, receive, send)
