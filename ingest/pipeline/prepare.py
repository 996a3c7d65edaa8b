"""Make sure of a photo before a place is taken for it, and make of it what the provider gets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from pydantic import ValidationError

from ingest.pipeline.order import Order
from ingest.refusals.errors import PhotoQueueFull
from photochanger.errors import InvalidImage
from photochanger.pictures import UnreadablePicture, prepare_photo
from photochanger.pictures.workers import run_in_worker
from slots.models import Slot

RETRY_AFTER_S = 3.0


@asynccontextmanager
async def prepare_order(order: Order) -> AsyncIterator[Order]:
    """The order with the photo to send, which lives in this block; its own photo stays as it is.

    One decoding serves both. Raises InvalidImage when a pixel is missing, StorageError, and
    PhotoQueueFull when its turn does not come before the deadline.
    """
    photo = order.photo
    try:
        async with asyncio.timeout_at(order.deadline.at):
            outgoing = await run_in_worker(
                prepare_photo, photo, max_side_px=choose_side_px(order.slot)
            )
    except UnreadablePicture as exc:
        raise InvalidImage(f"the photo {exc}") from exc
    except TimeoutError as exc:
        raise PhotoQueueFull("not decoded in time", retry_after_s=RETRY_AFTER_S) from exc
    try:
        yield replace(order, outgoing=outgoing)
    finally:
        if outgoing is not photo:
            outgoing.file.close()


def choose_side_px(slot: Slot) -> int | None:
    """The longest side to send. A slot that cannot work as it is set up says so later."""
    try:
        return slot.recipe().choose_send_side_px()
    except (ValidationError, KeyError):
        return None
