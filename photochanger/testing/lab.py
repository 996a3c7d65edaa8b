"""A run of the lab as its page drives it, over HTTP: for live tests and the benchmark.

session = log_in(site)
with LabPage(server.url, session) as page:
    page.make(photos, ["slot-001:gemini-nano-banana-2.1"])
    page.finish()
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

import httpx

from photochanger.testing import live

LANES = 2
HTMX = {"HX-Request": "true"}
LOG_IN = """
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
settings.ALLOWED_HOSTS = ["*"]
client = Client()
client.force_login(User.objects.create_superuser("lab"))
print(client.cookies["sessionid"].value)
"""


def log_in(site: live.LiveSite) -> str:
    """The session of a new administrator; pages have their style sheets from now on."""
    site.share_static_files()
    return site.manage("shell", "--verbosity", "0", "-c", LOG_IN).strip().splitlines()[-1]


class LabPage:
    """Who has a run's page open. A thread may use it beside others."""

    def __init__(self, server_url: str, session: str, path: str = "") -> None:
        self.http = httpx.Client(
            base_url=server_url, cookies={"sessionid": session}, timeout=120, follow_redirects=True
        )
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.http.close()

    def post(self, path: str, *, htmx: bool = False, **given: object) -> httpx.Response:
        """``given`` as for httpx. Raises for a status of failure."""
        if "csrftoken" not in self.http.cookies:
            self.http.get("/admin/lab/")
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"], **(HTMX if htmx else {})}
        answer = self.http.post(path, headers=headers, **given)  # type: ignore[arg-type]
        return answer.raise_for_status()

    def make(self, photos: Sequence[bytes], recipes: Sequence[str]) -> None:
        """A run with these photos by these recipes, started."""
        self.path = self.post("/admin/lab/").url.path
        for number, photo in enumerate(photos):
            file = (f"{number}.jpg", photo, "image/jpeg")
            self.post(f"{self.path}photos/", htmx=True, files={"photos": file})
        self.post(f"{self.path}start/", data={"recipe": list(recipes)})

    def ask(self) -> tuple[bool, bool]:
        """Ask for the next picture: whether to ask later, and whether the run is over."""
        answer = self.post(f"{self.path}next/", htmx=True)
        is_over = 'data-phase="going"' not in answer.text
        return answer.status_code == 202, is_over

    def work(self) -> None:
        """One lane, until the run is over; as the page's script does."""
        is_over = False
        while not is_over:
            is_later, is_over = self.ask()
            if is_later and not is_over:
                time.sleep(2.0)

    def finish(self) -> None:
        """All lanes of the page, until the run is over."""
        self.ask()  # a client keeps its cookies; from here on threads only read them
        lanes = [threading.Thread(target=self._try_to_work) for _ in range(LANES)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()

    def _try_to_work(self) -> None:
        with suppress(httpx.TransportError):  # the server was killed: the page would ask again
            self.work()
