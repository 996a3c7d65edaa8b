"""`python -m photochanger.testing.advisories`: does a pinned package have a known weakness?

pip-audit asks the package index. Where that is out of reach, or answers without advisories (a
mirror), nothing was checked, and this says so loudly instead of "no known vulnerabilities".
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements.txt"  # what production installs
PATIENCE_S = 90
# Advisories that do not concern us, each with the reason why. Look at them anew at each release.
IGNORED: dict[str, str] = {}


def audit(*options: str, requirements: Path = REQUIREMENTS) -> tuple[str, bool]:
    """What to tell people, and whether it is good enough to go on."""
    ignored = [f"--ignore-vuln={advisory}" for advisory in IGNORED]
    pinned = ("--disable-pip", "--no-deps", "--requirement", str(requirements))
    quietly = ("--format=json", "--progress-spinner=off", "--timeout=5")
    try:
        done = subprocess.run(
            [*(sys.executable, "-m", "pip_audit"), *pinned, *quietly, *ignored, *options],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        packages = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return unchecked(f"no answer within {PATIENCE_S} s")
    except ValueError:  # a traceback instead of JSON
        return unchecked((done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1])
    return verdict(packages)


def verdict(packages: list[dict[str, Any]]) -> tuple[str, bool]:
    weak = [package for package in packages if package.get("vulns")]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if weak:
        return "\n".join(line for package in weak for line in _advisories(package)), False
    if len(unknown) == len(packages):
        return unchecked("the package index knows no advisories; it may be a mirror")
    words = f"pip-audit: no advisory for {len(packages) - len(unknown)} pinned packages."
    return words + (f" Not checked: {', '.join(unknown)}." if unknown else ""), True


def unchecked(why: str) -> tuple[str, bool]:
    frame = "*" * 79
    words = f"{frame}\nVULNERABILITIES NOT CHECKED (pip-audit): {why[:300]}\n{frame}"
    return words, os.environ.get("AUDIT") != "required"


def _advisories(package: dict[str, Any]) -> list[str]:
    return [
        f"{package['name']} {package['version']}: {weakness['id']}, "
        f"mended in {', '.join(weakness['fix_versions']) or 'no version yet'}"
        for weakness in package["vulns"]
    ]


if __name__ == "__main__":
    told, is_good = audit(*sys.argv[1:])
    print(told)
    sys.exit(0 if is_good else 1)
