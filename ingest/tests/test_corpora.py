"""Pictures that others collected to break readers, posted as a booth does to a server that runs.

Rule: a documented refusal, or the right picture; never a failure of ours, in bounded memory. A
test run takes a few of them, other ones each day; `make corpora` takes all; CORPORA=snow takes
those with `snow` in their path.
"""

import datetime
import json
import os
import random
from pathlib import Path
from typing import ClassVar

from django.test import SimpleTestCase

from ingest.booth.client import BoothAnswer, BoothRequest, send_photo
from photochanger.errors import InvalidImage, PayloadTooLarge, UnsupportedMediaType
from photochanger.testing import live, server_process, server_watch
from photochanger.testing.foreign.corpora import EXIV2, PILLOW, Corpus
from photochanger.testing.foreign.reference import is_sound, measure_difference, render
from photochanger.testing.marks import foreign, live_server
from providers import simulator

SAMPLE = 25  # of each corpus, unless CORPORA=all
REFUSALS = {(kind.status, kind.reason) for kind in (InvalidImage, UnsupportedMediaType)}
REFUSALS.add((PayloadTooLarge.status, PayloadTooLarge.reason))
MAX_GROWTH_BYTES = 400 * 1024 * 1024
# Its segments are out of step, which a reader that repairs shows as stripes.
DAMAGED = {"hopper_bad_exif.jpg"}
# Of 255, on average over a thumbnail: another picture, or one on its side, is far above it.
MAX_DIFFERENCE = 14


@foreign
@live_server
class CorporaTests(SimpleTestCase):
    server: ClassVar[server_process.Server]
    site: ClassVar[live.LiveSite]
    sim: ClassVar[simulator.Simulator]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        PILLOW.obtain()  # nothing is started for nothing
        cls.sim = cls.enterClassContext(simulator.running())
        cls.site = cls.enterClassContext(live.site())
        cls.site.env["GEMINI_BASE_URL"] = cls.sim.url
        cls.site.configure()
        cls.server = cls.enterClassContext(cls.site.server(is_fresh=True))

    def test_what_pillow_tests_its_readers_with(self) -> None:
        self.post_all(PILLOW)

    def test_what_exiv2_tests_its_readers_with(self) -> None:
        self.post_all(EXIV2)

    def post_all(self, corpus: Corpus) -> None:
        faults, accepted = [], 0
        chosen, seed = choose(corpus.obtain())
        with server_watch.Watch(self.server, self.site.database_url) as watch:
            for path in chosen:
                answer = self.send(path)
                accepted += answer.status == 200
                if fault := self.judge(path, answer):
                    faults.append(f"{path.relative_to(corpus.folder)}: {fault}")
        assert not faults, "\n".join([f"CORPORA_SEED={seed} chooses the same again", *faults])
        assert accepted or len(chosen) < SAMPLE, (
            f"CORPORA_SEED={seed}: none of {len(chosen)} became a picture"
        )
        assert watch.max_rss_bytes - watch.rss_before_bytes < MAX_GROWTH_BYTES

    def send(self, path: Path) -> BoothAnswer:
        self.sim.reset()
        return send_photo(
            BoothRequest(
                url=self.server.url,
                slot="slot-001",
                photo=path.read_bytes(),
                password=self.site.password,
            )
        )

    def judge(self, path: Path, answer: BoothAnswer) -> str:
        """What is wrong with an answer, if anything is."""
        if answer.status != 200:
            return self.judge_refusal(path, answer)
        if render(answer.body) is None or answer.body[:3] not in (b"\xff\xd8\xff", b"\x89PN"):
            return f"200 with {answer.body[:8]!r}, which no booth can print"
        sent = self.sim.last_photo
        if answer.headers.get("x-photochanger-replay") or sent is None:
            return ""  # the same bytes are in the corpus twice
        difference = measure_difference(path.read_bytes(), sent)
        if difference is not None and difference > MAX_DIFFERENCE:
            return f"another picture went to the provider: {difference:.0f} of 255 off"
        return "" if render(sent) else "what went to the provider cannot be shown"

    def judge_refusal(self, path: Path, answer: BoothAnswer) -> str:
        told = json.loads(answer.body or "{}") if answer.error is None else {}
        reason = told.get("failure_reason")
        if (answer.status, reason) not in REFUSALS:
            return f"{answer.status} {reason} {answer.error or ''}"
        if self.sim.calls:
            return "refused after the provider was called"
        if path.name not in DAMAGED and is_sound(path.read_bytes()):
            return f"refused with {reason}, but a strict reader shows it"
        return ""


def choose(paths: list[Path]) -> tuple[list[Path], int]:
    seed = int(os.environ.get("CORPORA_SEED", datetime.date.today().toordinal()))
    if wanted := os.environ.get("CORPORA"):
        return [path for path in paths if wanted == "all" or wanted in str(path)], seed
    return random.Random(seed).sample(paths, SAMPLE), seed
