"""A fork is what a fresh process would be, and ends with its test."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from django.test import SimpleTestCase

from photochanger.testing import processes
from photochanger.testing.databases import BASE_DIR
from photochanger.testing.marks import live_server
from photochanger.testing.server_process import is_alive
from photochanger.testing.waiting import wait_until

PRELOAD = """
import json, os, sys
read, get = set(), os._Environ.__getitem__
os._Environ.__getitem__ = lambda env, name: (read.add(name), get(env, name))[1]
before = set(os.listdir("/proc/self/fd"))
from photochanger.testing import preloaded
from django.conf import settings
print(json.dumps({
    "is_configured": settings.configured,
    "modules": sorted(sys.modules),
    "opened": sorted(set(os.listdir("/proc/self/fd")) - before),
    "read": sorted(read),
    "threads": len(os.listdir("/proc/self/task")),
}))
"""
DESCRIBE = """
import json, os, resource, signal, sys, tempfile, threading
files = [name for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")]
here = sys.modules["__main__"]
print(json.dumps({
    "argv": sys.argv,
    "environment": dict(os.environ),
    "files": files,
    "flags": repr(sys.flags),
    "folder": os.getcwd(),
    "limits": [resource.getrlimit(kind) for kind in range(10)],
    "main": [here.__name__, here.__file__, here.__spec__],
    "path": sys.path,
    "signals": [str(signal.getsignal(number)).split(" at ")[0] for number in range(1, 32)],
    "stdout": [sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.write_through],
    "temporary": tempfile.gettempdir(),
    "threads": threading.active_count(),
    "umask": os.umask(0),
}))
"""
START_TWO = """
import sys, time
from pathlib import Path
from photochanger.testing import processes
processes.use_forks()
simulator = [sys.executable, "-m", processes.SIMULATOR, "--port", "0"]
for _ in range(2):
    print(processes.start(simulator, env={}, output=Path(sys.argv[1])).pid, flush=True)
time.sleep(600)
"""
SHELL = [sys.executable, "manage.py", "shell", "--no-imports", "-c"]


@live_server
class ProcessTests(SimpleTestCase):
    maxDiff = None

    def setUp(self) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.env = kept | {
            "LANG": "C.UTF-8",  # where it is less, an interpreter that starts adds to it
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "photochanger.testing.settings",
            "ENV_FILE": "",
            "DEBUG": "1",
            "DATABASE_URL": "sqlite://:memory:",
            "TMPDIR": "/var/tmp",
        }

    def describe(self, *, is_fresh: bool = False, **env: str) -> dict[str, object]:
        command = [*SHELL, DESCRIBE]
        ended = processes.run(command, env=self.env | env, timeout_s=90, is_fresh=is_fresh)
        self.assertEqual((ended[0], ended[2]), (0, ""))
        found: dict[str, object] = json.loads(ended[1])
        return found

    def test_a_fork_differs_in_nothing_from_a_fresh_process(self) -> None:
        fork, fresh = self.describe(), self.describe(is_fresh=True)
        del fork["flags"], fresh["flags"]  # those of this test run, such as -B
        self.assertEqual(fork, fresh)

    def test_what_an_interpreter_reads_at_its_start_makes_it_fresh(self) -> None:
        flags = self.describe(PYTHONHASHSEED="0")["flags"]
        self.assertIn("hash_randomization=0", str(flags))

    def test_what_is_imported_for_all_reads_no_setting_and_opens_nothing(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", PRELOAD],
            cwd=BASE_DIR,
            env=self.env,
            capture_output=True,
            check=True,
        )
        found = json.loads(done.stdout)
        self.assertIs(found["is_configured"], False)
        self.assertEqual((found["opened"], found["threads"]), ([], 1))
        example = (BASE_DIR / ".env.example").read_text()
        self.assertEqual([name for name in found["read"] if f"{name}=" in example], [])
        ours = [name for name in found["modules"] if (BASE_DIR / name.split(".")[0]).is_dir()]
        allowed = ("photochanger.testing", "providers.simulator")
        self.assertEqual(
            [name for name in ours if "." in name and not name.startswith(allowed)], []
        )
        self.assertTrue({"ninja", "numpy", "prometheus_client"}.isdisjoint(found["modules"]))

    def test_how_a_process_ended_is_told(self) -> None:
        script = "import sys; print('out'); print('in', file=sys.stderr); sys.exit(7)"
        ended = processes.run([*SHELL, script], env=self.env, timeout_s=90)
        self.assertEqual(ended, (7, "out\n", "in\n"))
        with TemporaryDirectory() as folder:
            wait = [*SHELL, "import time; time.sleep(600)"]
            process = processes.start(wait, env=self.env, output=Path(folder, "log"))
            self.assertIsNone(process.poll())
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(0.01)
            process.kill()
            self.assertEqual(process.wait(90), -signal.SIGKILL)

    def test_what_is_left_for_the_end_of_a_process_is_done(self) -> None:
        with TemporaryDirectory() as folder:
            script = "import tempfile; kept = tempfile.TemporaryDirectory(); print(kept.name)"
            env = self.env | {"TMPDIR": folder}
            _status, printed, _errors = processes.run([*SHELL, script], env=env, timeout_s=90)
            self.assertTrue(printed.startswith(folder))
            self.assertEqual(os.listdir(folder), [])

    def test_a_killed_test_process_leaves_no_server_behind(self) -> None:
        with (
            TemporaryDirectory() as folder,
            subprocess.Popen(
                [sys.executable, "-c", START_TWO, f"{folder}/log"],
                cwd=BASE_DIR,
                stdout=subprocess.PIPE,
            ) as test,
        ):
            assert test.stdout
            left = [psutil.Process(int(test.stdout.readline())) for _ in range(2)]
            left.append(left[0].parent())
            test.kill()
            wait_until(lambda: not any(map(is_alive, left)))
