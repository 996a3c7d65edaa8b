"""The raw sender: the least a server can do for a download, on the same uvicorn.

No database, no headers but the length: a file in 256 KB pieces. Downloads are compared with it.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

FILE = Path(os.environ["SENDER_FILE"])
SIZE = FILE.stat().st_size
CHUNK_BYTES = 256 * 1024


async def application(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        return
    is_file = scope["path"] == "/file"
    size = SIZE if is_file else 2
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if not is_file:
        await send({"type": "http.response.body", "body": b"ok"})
        return
    with FILE.open("rb") as file:  # noqa: ASYNC230  on the loop, as in the product
        while piece := file.read(CHUNK_BYTES):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
