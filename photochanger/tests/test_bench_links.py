"""The benchmark's relay carries all bytes, as a link of its rate and delay would."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

from django.test import SimpleTestCase

from photochanger.bench.links import history
from photochanger.bench.links.places import PLACES, Link
from photochanger.bench.links.relay import Lanes
from photochanger.bench.links.section import Cell, draw_table
from photochanger.testing.waiting import wait_until_async

SIZE = 200_000


async def answer_with_what_came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read())
    writer.write_eof()


@asynccontextmanager
async def joined_by(link: Link) -> AsyncIterator[tuple[int, Lanes]]:
    """A port that leads over the link to a server that sends back what it gets."""
    server = await asyncio.start_server(answer_with_what_came, "127.0.0.1", 0)
    lanes = Lanes(0, server.sockets[0].getsockname()[1])
    lanes.set(link)
    relay = await asyncio.start_server(lanes.carry, "127.0.0.1", 0)
    try:
        yield relay.sockets[0].getsockname()[1], lanes
    finally:
        relay.close()
        server.close()


async def send(port: int, body: bytes) -> tuple[bytes, float]:
    """What came back, and after how long."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(body)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer, loop.time() - started


class RelayTests(SimpleTestCase):
    async def test_nothing_arrives_sooner_than_the_link_allows(self) -> None:
        link = Link(up=8, down=16, one_way_ms=20)
        body = bytes(range(256)) * (SIZE // 256)
        async with joined_by(link) as (port, _):
            answer, took_s = await send(port, body)
        assert answer == body
        # There and back, and the connection's own round trip.
        assert took_s >= link.upload_s(SIZE) + link.download_s(SIZE) + 2 * link.round_trip_s - 0.05

    async def test_connections_share_a_link(self) -> None:
        link = Link(up=16, down=1000, one_way_ms=0)
        async with joined_by(link) as (port, _):
            answers = await asyncio.gather(*(send(port, bytes(SIZE)) for _ in range(3)))
        assert max(took_s for _, took_s in answers) >= link.upload_s(3 * SIZE) - 0.05

    async def test_a_cut_connection_ends_on_both_sides(self) -> None:
        async with joined_by(Link(1000, 1000, 1)) as (port, lanes):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello")
            await wait_until_async(lambda: bool(lanes.connections))
            lanes.cut()
            assert await reader.read() == b""
            writer.close()


def make_cell(place: str = "studio", product_s: float = 0.5) -> Cell:
    return Cell(
        place=place,
        photo="5mb",
        limit_s=0.57,
        plain_s=4.25,
        product_s=product_s,
        plain_bytes=1_900_000,
        product_bytes=400_000,
    )


class HistoryTests(SimpleTestCase):
    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(mock.patch.object(history, "HISTORY", folder / "bench"))
        self.enterContext(mock.patch.object(history, "BASE_DIR", folder))

    def test_a_release_is_what_the_next_run_is_compared_with(self) -> None:
        history.save([make_cell()], is_tls=True, release="0.1.0")
        history.save([make_cell(product_s=9.9)], is_tls=True, release="")
        assert history.find_earlier("") == {"studio 5mb": 0.5}
        assert history.find_earlier("0.1.0") == {}

    def test_figures_and_plot_are_kept_side_by_side(self) -> None:
        kept = history.BASE_DIR / history.save([make_cell()], is_tls=False, release="")
        figures = json.loads(kept.read_text())
        assert figures["cells"][0]["product_bytes"] == 400_000
        assert kept.with_suffix(".svg").read_text().startswith("<?xml")

    def test_the_table_has_the_ratios(self) -> None:
        table = draw_table([make_cell()], {"studio 5mb": 0.7}, is_tls=False)
        columns = {str(column.header): list(column.cells) for column in table.columns}
        assert columns["x limit"] == ["0.88"]
        assert columns["x plain"] == ["0.12"]
        assert columns["was"] == ["0.70"]


class LimitTests(SimpleTestCase):
    def test_the_limit_is_what_was_measured_on_paper(self) -> None:
        """With the booth's own connection, which costs one round trip more than there."""
        found = {
            (place.name, size): place.limit_s(size * 1_000_000)
            for place in PLACES
            for size in (1, 5, 14)
        }
        for name, size, seconds in (
            ("cloud", 1, 1.00),
            ("cloud", 5, 2.63),
            ("studio", 1, 0.54),
            ("LTE", 1, 2.14),
        ):
            self.assertAlmostEqual(found[name, size], seconds, delta=0.1)
