"""Start the settings many times in one process: ``python -m`` this, cases as JSON on stdin.

A case is ``{"file": base64 or null, "env": {...}}``; the answer to each, on a line of its own, is
``{"stop": message}`` or ``{"values": {...}}``, or ``{"crash": traceback}``.
"""

import base64
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

SETTINGS = Path(__file__).resolve().parent.parent / "settings.py"
CODE = compile(SETTINGS.read_text(), str(SETTINGS), "exec")


def start(case: dict[str, Any], folder: Path, base: dict[str, str]) -> dict[str, Any]:
    os.environ.clear()
    os.environ.update(base | {"ENV_FILE": ""} | case["env"])
    if case["file"] is not None:
        path = folder / "case.env"
        path.write_bytes(base64.b64decode(case["file"]))
        os.environ["ENV_FILE"] = str(path)
    found: dict[str, Any] = {"__name__": "settings_case", "__file__": str(SETTINGS)}
    try:
        exec(CODE, found)
    except SystemExit as exc:
        return {"stop": str(exc)}
    except BaseException:
        return {"crash": traceback.format_exc()}
    return {"values": {name: repr(value) for name, value in found.items() if name.isupper()}}


def main() -> None:
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            print(json.dumps(start(json.loads(line), Path(folder), base)))  # noqa: T201


if __name__ == "__main__":
    main()
