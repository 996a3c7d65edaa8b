"""While a booth's photo is still arriving, the connection to the provider is already there."""

import select
import socket
from typing import ClassVar

from ingest.tests.live_support import LiveTestCase, RawClient
from photochanger.testing import server_process
from photochanger.testing.waiting import PATIENCE_S


class AheadTests(LiveTestCase):
    server: server_process.Server
    provider_door: ClassVar[socket.socket]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.site.configure()
        cls.provider_door = cls.enterClassContext(socket.create_server(("127.0.0.1", 0)))
        cls.provider_door.settimeout(PATIENCE_S)
        port = cls.provider_door.getsockname()[1]
        env = {"GEMINI_BASE_URL": f"http://127.0.0.1:{port}"}
        cls.server = cls.enterClassContext(cls.site.server(env=env))

    def test_a_photo_that_has_only_begun_opens_the_way_to_the_provider(self) -> None:
        form = self.form()
        body = b"".join(form.iter_chunks())
        with RawClient(self.server) as booth:
            length = f"Content-Length: {len(body)}"
            booth.send_head("/ingest/slot-001", length, boundary=form.boundary)
            booth.send(body[: len(body) // 2])
            connection, _ = self.provider_door.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                booth.send(body[len(body) // 2 :])
                first = connection.recv(4)
        self.assertEqual(first, b"POST")

    def test_a_link_that_leads_nowhere_opens_nothing(self) -> None:
        with RawClient(self.server) as booth:
            booth.send_head("/ingest/slot-099", "Content-Length: 10")
            self.assertEqual(booth.read_answer().status, 404)
        self.assertFalse(select.select([self.provider_door], [], [], 0)[0])
