"""Statistics over a million photos: how long the API takes, and the query plans of the database."""

import http.client
import json
import time
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from rich.console import Console
from rich.table import Table

from photochanger.bench.figures import Requirements, ms, percentile
from photochanger.testing import live, server_process

JOBS, FILES, YEAR_S = 1_000_000, 300_000, 365 * 24 * 3600
BAR_S = 0.1
REPEATS, WARM_UP = 40, 3
QUERIES = {
    "overview, 1 h": "/api/stats/overview",
    "overview, 1 day": "/api/stats/overview?window_minutes=1440",
    "overview, 31 days": "/api/stats/overview?window_minutes=44640",
    "slot-001, 1 h": "/api/stats/slots/slot-001",
    "slot-001, 1 day": "/api/stats/slots/slot-001?window_minutes=1440",
    "slot-001, 31 days": "/api/stats/slots/slot-001?window_minutes=44640",
}
HELD = {"overview, 1 h", "slot-001, 1 h"}  # of the bar; wider windows are for information


def stats(site: live.LiveSite, requirements: Requirements, console: Console) -> None:
    """For PostgreSQL: an installation with SQLite has no million photos."""
    if site.database_url.startswith("sqlite"):
        console.print("stats: only on PostgreSQL.")
        return
    with console.status(f"Filling in {JOBS:,} photos and {FILES:,} files"):
        fill(site)
    token = site.manage("shell", "--verbosity", "0", "-c", TOKEN).strip()
    table = Table(title=f"Statistics over {JOBS:,} photos of a year (ms)")
    for column in ("asked", "first", "p50", "p95", "bar", ""):
        table.add_column(column, justify="left" if column == "asked" else "right")
    with site.server() as server:
        for name, path in QUERIES.items():
            taken = ask(server, path, {"Authorization": f"Bearer {token}"}, REPEATS)
            middle = percentile(taken.again_s, 0.5)
            bar = ("", "")
            if name in HELD:
                bar = (f"< {ms(BAR_S)}", requirements.require(middle < BAR_S, f"stats: {name}"))
            table.add_row(
                *(name, ms(taken.first_s), ms(middle), ms(percentile(taken.again_s, 0.95))), *bar
            )
    console.print(table)
    board = json.loads(site.manage("shell", "--verbosity", "0", "-c", DASHBOARD))
    console.print(
        f"The dashboard's figures: p50 {ms(percentile(board['taken_s'], 0.5))} ms, "
        f"{board['queries']} queries.\n"
    )
    for name, plan in board["plans"].items():
        console.print(f"[bold]{name}[/]\n{shorten_plan(plan)}\n", highlight=False, markup=True)


@dataclass(frozen=True)
class Timing:
    first_s: float
    again_s: list[float]


def ask(server: server_process.Server, path: str, headers: dict[str, str], repeats: int) -> Timing:
    """The first response includes imports and cold reads of the database."""
    taken = []
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)) as asked:
        for _ in range(repeats + WARM_UP):
            started = time.monotonic()
            asked.request("GET", path, headers=headers)
            answer = asked.getresponse()
            answer.read()
            taken.append(time.monotonic() - started)
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}\n{server.log_text()[-3000:]}")
    return Timing(taken[0], taken[WARM_UP:])


def fill(site: live.LiveSite) -> None:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(FILL_EVENTS.format(events=EVENTS, gap=YEAR_S / EVENTS).encode())
        connection.execute(SLOTS)
        connection.execute(FILL_JOBS.format(jobs=JOBS, events=EVENTS, gap=YEAR_S / JOBS).encode())
        connection.execute(FILL_FILES.format(files=FILES, events=EVENTS).encode())
        connection.execute("VACUUM ANALYZE job_history")
        connection.execute("VACUUM ANALYZE media_object")


def shorten_plan(plan: str) -> str:
    """The steps of a plan with their rows and times; without its memory use."""
    told = ("->", "Index Cond", "Heap Fetches", "Execution Time")
    lines = [line for line in plan.splitlines() if any(word in line for word in told)]
    return "\n".join(line.split("(cost")[0].rstrip() + _actual(line) for line in lines)


def _actual(line: str) -> str:
    return f"  ({line.split('(actual ')[1]}" if "(actual " in line else ""


EVENTS = 52  # one after the other, so that each photo belongs to one; the last one runs
FILL_EVENTS = """
INSERT INTO event (id, name, public_title, starts_at, ends_at, started_at, closed_at,
    accent_colour, background_colour, gallery_mode, note)
SELECT n, 'Event ' || n, '', begins, ends, begins, CASE WHEN n < {events} THEN ends END,
    '', '', '', ''
FROM (SELECT n, now() - ({events} - n + 1) * interval '{gap} s' AS begins,
    now() - ({events} - n) * interval '{gap} s' AS ends
    FROM generate_series(1, {events}) AS n) AS weeks;
INSERT INTO event_slot (event_id, slot_id) SELECT event.id, slot.id FROM event, slot
"""
SLOTS = f"""UPDATE slot SET is_active = true, event_id = {EVENTS},
    settings = '{{"prompt": "As an oil painting"}}'"""
# Busy slots, quiet ones and two without a photo; every failure, a few test runs; up to now.
FILL_JOBS = """
INSERT INTO job_history (job_id, slot_id, event_id, slot_version, source, status, provider,
    operation, started_at, deadline, finished_at, duration_ms, provider_ms, failure_reason,
    failure_detail, photo_sha256, photo_bytes, hash_recipe, idempotency_key, replay_key,
    booth_id, booth_name, booth_version, result_path, result_mime, fell_back)
SELECT gen_random_uuid(), slot, 1 + (n - 1) * {events} / {jobs}, 3, source, status, 'gemini',
    'image_edit', at, at + interval '48 s', at + took * interval '1 ms', took,
    greatest(0, took - (40 + 200 * random())::int), reason,
    CASE WHEN reason = '' THEN '' ELSE 'the provider answered without a usable picture' END,
    md5(n::text) || md5(n::text), 3500000, '', '',
    CASE WHEN status = 'done' THEN 'hash:' || slot || ':3:' || md5(n::text) || md5(n::text) END,
    n::text, 'DESKTOP', '4.1',
    CASE WHEN status = 'done' THEN 'results/' || md5(n::text) ELSE '' END,
    CASE WHEN status = 'done' THEN 'image/png' ELSE '' END, false
FROM (
    SELECT *, CASE status WHEN 'timeout' THEN 48000
            ELSE (3000 + 30000 * random() * random())::int END AS took,
        CASE status WHEN 'timeout' THEN 'timeout' WHEN 'done' THEN '' ELSE
            (ARRAY['bad_response', 'content_blocked', 'quota', 'network', 'client_gone',
                   'storage_error'])[1 + n % 6] END AS reason
    FROM (
        SELECT n, now() - ({jobs} - n + random()) * interval '{gap} s' AS at,
            'slot-' || lpad((1 + floor(13 * random() * random()))::text, 3, '0') AS slot,
            CASE WHEN n % 50 = 0 THEN 'ui_test' ELSE 'ingest' END AS source,
            CASE WHEN luck < 0.96 THEN 'done' WHEN luck < 0.98 THEN 'timeout' ELSE 'failed' END
                AS status
        FROM (SELECT n, random() AS luck FROM generate_series(1, {jobs}) AS n) AS dice
    ) AS photos
) AS closed ORDER BY n
"""
FILL_FILES = """
INSERT INTO media_object (id, job_id, slot_id, event_id, kind, path, mime, size_bytes, sha256,
    created_at, expires_at, cleaned_at, is_listed, fetches)
SELECT gen_random_uuid(), gen_random_uuid(), 'slot-001', 1 + n % {events},
    CASE n % 2 WHEN 0 THEN 'result' ELSE 'preview' END, 'results/' || n, 'image/png',
    (1500000 * random())::int, '', now(), now() + interval '72 h',
    CASE WHEN n % 10 > 1 THEN now() END, true, 0
FROM generate_series(1, {files}) AS n
"""
TOKEN = """
from django.contrib.auth.models import User
from photochanger.web.tokens import AdminToken
print(AdminToken.for_user(User.objects.create_superuser("bench")))
"""
DASHBOARD = """
import json, re, time
from datetime import timedelta
from django.db import connection
from django.test.utils import CaptureQueriesContext
from stats.services import load_board, load_overview
load_board()
taken_s = []
for _ in range(20):
    started = time.monotonic()
    load_board()
    taken_s.append(time.monotonic() - started)
with CaptureQueriesContext(connection) as board:
    load_board()
with CaptureQueriesContext(connection) as seen:
    load_overview(timedelta(minutes=60))
plans = {}
for query in seen.captured_queries:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS OFF) " + query["sql"].replace("%", "%%"), [])
        name = re.sub(r"\\s+", " ", query["sql"])[:70]
        plans[f"{len(plans) + 1}. {name} ..."] = "\\n".join(row[0] for row in cursor.fetchall())
print(json.dumps({"taken_s": taken_s, "queries": len(board), "plans": plans}))
"""
