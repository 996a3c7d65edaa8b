"""What the library of the nets does beside them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from django.test import SimpleTestCase

from media.nets.session import __file__ as session_file

OPEN_NET = """
import sys
from pathlib import Path
from media.nets.session import open_net
try:
    open_net(Path(sys.argv[1]))
except Exception as exc:
    print(type(exc).__name__)
"""


class NetPrivacyTests(SimpleTestCase):
    def test_opening_a_net_makes_no_reports_for_the_librarys_maker(self) -> None:
        """They begin with a number for the device and a database of what to send, in the home."""
        with tempfile.TemporaryDirectory() as home:
            broken = Path(home, "broken.onnx")
            broken.write_bytes(b"no net")
            # Without CI: it would keep the library silent by itself.
            environ = {"HOME": home, "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
            ended = subprocess.run(
                [sys.executable, "-c", OPEN_NET, str(broken)],
                env=environ,
                cwd=Path(session_file).parents[2],
                capture_output=True,
                text=True,
                check=True,
            )
            self.assertEqual(ended.stdout.strip(), "InvalidProtobuf", ended.stderr)
            self.assertEqual([file.name for file in Path(home).rglob("*")], ["broken.onnx"])
