"""Google's own tests of image generation and of the model list, run against the simulator.

They come inside the client's wheel and are made for the real service (`--mode=api`).
"""

import os
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import ClassVar

from django.test import SimpleTestCase

from photochanger.testing.foreign import GOOGLE
from photochanger.testing.marks import foreign, live_server
from providers import simulator

SUITES = ("test_list.py", "test_generate_content_image_generation.py")
# Their fixture builds the client without asking for an address of the caller's.
PLUGIN = """
import os
from google.genai import _replay_api_client, types

make_client = _replay_api_client.ReplayApiClient.__init__

def make_client_of_simulator(self, *arguments, http_options=None, **more):
    options = types.HttpOptions(base_url=os.environ["SIMULATOR_URL"])
    make_client(self, *arguments, http_options=http_options or options, **more)

_replay_api_client.ReplayApiClient.__init__ = make_client_of_simulator
"""


@foreign
@live_server
class GoogleSuiteTests(SimpleTestCase):
    """Everything runs once, in one process; the tests look at its report and at the calls."""

    report: ClassVar[ET.Element]
    words: ClassVar[str]
    calls: ClassVar[list[simulator.Call]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        GOOGLE.obtain()
        with tempfile.TemporaryDirectory() as folder, simulator.running() as sim:
            Path(folder, "aim_at_simulator.py").write_text(PLUGIN)
            done = run_suites(Path(folder), sim.url)
            cls.words = done.stdout[-4000:] + done.stderr[-4000:]
            cls.report = ET.parse(Path(folder, "report.xml")).getroot()
            cls.calls = sim.calls

    def names(self, outcome: str = "") -> list[str]:
        """Of the tests that ended so, their names; without an outcome, of those that passed."""
        cases = self.report.iter("testcase")
        if outcome:
            return [case.get("name", "") for case in cases if case.find(outcome) is not None]
        return [case.get("name", "") for case in cases if not len(case)]

    def test_none_of_them_fails(self) -> None:
        assert not self.names("failure") + self.names("error"), self.words

    def test_all_of_the_developer_api_ran(self) -> None:
        """Skipped are only their twins for Vertex, which is another service."""
        assert all("[True-" in name for name in self.names("skipped"))
        passed = {name.split("[")[0] for name in self.names()}
        assert {"test_image_generation_config", "test_tuned_models_async_pager"} <= passed
        assert len(passed) >= 20

    def test_they_spoke_with_the_simulator(self) -> None:
        seen = {(call.method, call.path.split("/", 2)[2]) for call in self.calls}
        assert seen == {
            ("POST", "models/gemini-2.5-flash-image:generateContent"),
            ("GET", "models"),
            ("GET", "tunedModels"),
        }
        assert {call.status for call in self.calls} == {200}


def run_suites(folder: Path, simulator_url: str) -> subprocess.CompletedProcess[str]:
    """In a folder of its own, by full paths and with namespace packages.

    Otherwise pytest reads our settings, or imports the suite as `genai.tests`, beside the
    `google.genai` that is under test.
    """
    [packages] = GOOGLE.folder.glob("lib/*/site-packages")
    tests = packages / "google/genai/tests/models"
    command = [GOOGLE.python, "-m", "pytest", "-p", "no:cacheprovider", "-p", "aim_at_simulator"]
    command += ["-c", "/dev/null", "--rootdir", str(packages), "--import-mode=importlib"]
    command += ["-o", "consider_namespace_packages=true", "-W", "ignore", "-q", "--mode=api"]
    command += [f"--junitxml={folder}/report.xml", *(str(tests / name) for name in SUITES)]
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder)}
    return subprocess.run(
        command,
        cwd=folder,
        env=own
        | {
            "SIMULATOR_URL": simulator_url,
            "GOOGLE_API_KEY": "dummy",
            "GOOGLE_GENAI_RUN_GEMINI_ONLY_IN_API_MODE": "1",
            "GOOGLE_GENAI_REPLAYS_DIRECTORY": str(folder / "replays"),
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
