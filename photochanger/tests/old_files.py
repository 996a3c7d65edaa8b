"""Files for cleanup on a live site: results that are over, and files that no row knows."""

import os
import uuid
from collections.abc import Iterator

from photochanger.tests.live import LiveSite

OVER = "2026-01-01 00:00:00+00:00"
BODY = b"picture"
ROWS_AT_ONCE = 2000
COLUMNS = (
    "id, slot_id, kind, path, mime, size_bytes, sha256, created_at, expires_at, is_listed, fetches"
)


def expired_results(site: LiveSite, count: int) -> Iterator[int]:
    """Makes them, and yields how many there are so far."""
    is_sqlite = site.database_url.startswith("sqlite")
    for start in range(0, count, ROWS_AT_ONCE):
        rows = []
        for _ in range(start, min(count, start + ROWS_AT_ONCE)):
            key, path = uuid.uuid4(), stray_file(site)
            rows.append(
                f"('{key.hex if is_sqlite else key}', 'slot-001', 'result', '{path}',"
                f" 'image/jpeg', {len(BODY)}, '', '{OVER}', '{OVER}', true, 0)"
            )
        site.execute(f"insert into media_object ({COLUMNS}) values {', '.join(rows)}")
        yield start + len(rows)


def stray_file(site: LiveSite) -> str:
    """An old file in a folder of its own, as results have; returns its path in the storage."""
    path = f"results/slot-001/{uuid.uuid4()}/payload.jpg"
    file = site.media_root / path
    file.parent.mkdir(parents=True)
    file.write_bytes(BODY)
    os.utime(file, (1, 1))
    return path
