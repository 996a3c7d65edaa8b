"""A publisher for tests: puts pictures under links of a small web server of its own."""

import contextlib
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from photochanger.pictures import EXTENSIONS
from providers.clean_photo import Slices


class Links:
    """What was published by ``publish``, by path; ``fetched`` are the paths asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pictures: dict[str, tuple[str, bytes]] = {}
        self.fetched: list[str] = []

    async def publish(self, picture: Slices) -> str:
        path = f"/{uuid.uuid4()}.{EXTENSIONS[picture.mime]}"
        self.pictures[path] = (picture.mime, b"".join(picture.read_chunks(65536)))
        return self.url + path


@contextlib.contextmanager
def serving_links() -> Iterator[Links]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            links.fetched.append(self.path)
            mime, body = links.pictures.get(self.path, ("text/plain", b""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", mime)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    links = Links(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield links
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
