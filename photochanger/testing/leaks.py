"""`python -m photochanger.testing.leaks`: no secret may be in what is committed, or about to be."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[2]
DETECTORS = (  # those of services that nobody here has an account of only take time
    *("AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "GitHubTokenDetector"),
    *("GitLabTokenDetector", "JwtTokenDetector", "KeywordDetector", "NpmDetector"),
    *("OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SlackDetector"),
    *("TelegramBotTokenDetector", "Base64HighEntropyString", "HexHighEntropyString"),
)
OURS = {
    "name": "OwnSecretDetector",
    "path": f"file://{Path(__file__).with_name('leak_detectors.py')}",
}

# What looks like a secret and is none. Keep it short: a real one that is listed here is committed.
ALLOWED = {
    "password": "stands for one, in addresses that are examples",
    "demo-key": "opens the simulated services only",
    "secret": "a mode of galleries",
    "photochanger-tls": "the name of a certificate in a cluster",
    "a-new-password": "an example of the API",
    "ingest_password_hash": "the name of a setting",
    "abcdefghijkmnpqrstuvwxyz23456789": "the letters that passwords are made of",
    "7b6c683e1d3fd29c8701791c54e3c12a236f5a5b": "the hash that a booth sent",
    "7d3db98f20b064962c0f4acc3a36af98a9d5a461de660da5594e33bd5362b167": "the sum of a model",
    "f299e993b2ce9a386fd4bd9249063e117f0030d31c046d8a4e5c674059920bd9": "the sum of a model",
    "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa": "the sum of a model",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08": "the SHA-256 of `test`",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJzZXJnIn0.": "an example without signature",
}
# Where a kind of finding says nothing: tests are full of passwords that open nothing, pages for
# people name secrets, the contract is made from the code, and the answers hold pictures.
MEANINGLESS = {
    "Secret Keyword": ("/tests/", "/testing/", "spec/contracts/", ".md"),
    "Basic Auth Credentials": ("/tests/", "/testing/"),
    "Base64 High Entropy String": ("/tests/answers/", "/tests/test_rare_jpegs.py"),
    "Hex High Entropy String": ("/tests/answers/", "spec/contracts/VERSION.json"),
}


class Leak(NamedTuple):
    file: str
    line: int
    kind: str
    value: str

    @property
    def is_allowed(self) -> bool:
        is_name = self.kind == "Secret Keyword" and re.fullmatch(r"[A-Z][A-Z_]+", self.value)
        places = MEANINGLESS.get(self.kind, ())
        return (
            self.value in ALLOWED
            or bool(is_name)  # of a variable that holds one
            or any(place in self.file for place in places)
        )

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.kind}"  # never the value: CI's log is public


def leaks(files: Iterable[str], *, root: Path = ROOT) -> Iterator[Leak]:
    """What looks like a secret in these files, named from ``root``."""
    plugins = [*({"name": name} for name in DETECTORS), OURS]
    with transient_settings({"plugins_used": plugins}):
        found = SecretsCollection(root=str(root))
        found.scan_files(*files, num_processors=os.cpu_count())
        for file, secret in found:
            leak = Leak(file, secret.line_number, secret.type, secret.secret_value or "")
            if not leak.is_allowed:
                yield leak


def files_of_git() -> list[str]:
    """Committed ones, and those that are new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def main() -> int:
    try:
        files = files_of_git()
    except (OSError, subprocess.CalledProcessError):
        print("*** SECRETS NOT LOOKED FOR: git does not say what belongs to this folder.")
        return 0
    found = sorted(leaks(files))
    for leak in found:
        print(leak)
    if found:
        print(
            f"{len(found)} possible secrets. Take a real one out, and hold it for lost if it was "
            f"ever committed; of a false alarm tell {Path(__file__).relative_to(ROOT)} (ALLOWED)."
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
