"""Static files, served before Django: its middleware of the same library is synchronous only and
would pin one of our few threads to every photo that waits for its provider."""

import asyncio
from pathlib import Path
from typing import Any

from whitenoise.base import WhiteNoise

from photochanger.edge.asgi_types import App, Receive, Scope, Send

HASHED_NAME = r"\.[0-9a-f]{12}\."  # as ManifestStaticFilesStorage names them: never changed


class StaticFiles:
    """Answers GET and HEAD under the static prefix from ``root``; all else goes to ``app``."""

    def __init__(self, app: App, *, root: Path, prefix: str) -> None:
        self.app, self.prefix = app, prefix
        self._files: dict[str, Any] = (
            WhiteNoise(None, root=root, prefix=prefix, immutable_file_test=HASHED_NAME).files
            if root.is_dir()  # not before the first collectstatic
            else {}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        file = self._files.get(scope["path"])
        if file is None:
            return await self.app(scope, receive, send)
        status, headers, body = await asyncio.to_thread(_read, file, scope)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return None


def _read(file: Any, scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and content; static files are small, so they are read whole. Blocking."""
    wsgi_headers = {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
        for name, value in scope["headers"]
    }
    response = file.get_response(scope["method"], wsgi_headers)
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers
    ]
    if response.file is None:
        return response.status, headers, b""
    with response.file:
        return response.status, headers, response.file.read()
