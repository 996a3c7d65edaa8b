"""Every page of the console over a million photos: server time and number of queries."""

import json
import tempfile

import psycopg
from rich.console import Console
from rich.table import Table

from photochanger.bench.figures import Requirements, ms, percentile
from photochanger.bench.stats import EVENTS, JOBS, ask, fill
from photochanger.testing import live
from photochanger.testing.console_pages import MOST_QUERIES, MOST_S, PAGES

REPEATS = 15


def pages(site: live.LiveSite, requirements: Requirements, console: Console) -> None:
    """For PostgreSQL: an installation with SQLite has no million photos."""
    if site.database_url.startswith("sqlite"):
        console.print("pages: only on PostgreSQL.")
        return
    with psycopg.connect(site.database_url) as connection:
        found = connection.execute("SELECT job_id FROM job_history LIMIT 1").fetchone()
    if found is None:
        with console.status(f"Filling in {JOBS:,} photos"):
            fill(site)
    with tempfile.TemporaryDirectory(prefix="pc-static-") as folder:
        site.env["STATIC_ROOT"] = folder
        site.manage("collectstatic", "--noinput", "--verbosity", "0")
        console.print(measure_pages(site, requirements))


def measure_pages(site: live.LiveSite, requirements: Requirements) -> Table:
    table = Table(title=f"Pages of the console over {JOBS:,} photos")
    for column in ("page", "queries", "", "first, ms", "p50, ms", "p95, ms", ""):
        table.add_column(column, justify="left" if column == "page" else "right")
    asked = site.manage("shell", "--verbosity", "0", "-c", COUNT.format(pages=PAGES, events=EVENTS))
    counted = json.loads(asked.strip().splitlines()[-1])
    headers = {"Cookie": f"sessionid={counted['session']}"}
    with site.server() as server:
        for name, path in counted["pages"].items():
            taken = ask(server, path, headers, REPEATS)
            middle, queries = percentile(taken.again_s, 0.5), counted["queries"][name]
            few = requirements.require(queries <= MOST_QUERIES, f"pages: {name}, {queries} queries")
            quick = requirements.require(middle <= MOST_S, f"pages: {name}, {ms(middle)} ms")
            late = ms(percentile(taken.again_s, 0.95))
            table.add_row(name, str(queries), few, ms(taken.first_s), ms(middle), late, quick)
    return table


COUNT = """
import json
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from ingest.models import Job
settings.ALLOWED_HOSTS = ["*"]
client = Client()
client.force_login(User.objects.create_superuser("pages"))
job = Job.objects.filter(status="failed").first().pk
ids = {{"job": job, "event": {events}, "over": {events} - 1}}
pages = {{name: path.format(**ids) for name, path in {pages}.items()}}
queries = {{}}
client.get("/admin/statistics/")  # remembers how many photos there were, as once in 10,000 photos
for name, path in pages.items():
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200, path
    queries[name] = len(seen)
session = client.cookies["sessionid"].value
print(json.dumps({{"session": session, "pages": pages, "queries": queries}}))
"""
