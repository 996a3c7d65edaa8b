"""Files for cleanup on a live site: results that are over, and files that no row knows."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from photochanger.testing.live import LiveSite

FIRST_OVER = datetime(2026, 1, 1, tzinfo=UTC)
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
        for number in range(start, min(count, start + ROWS_AT_ONCE)):
            key, path = uuid.uuid4(), stray_file(site)
            over = FIRST_OVER + timedelta(seconds=number)
            rows.append(
                f"('{key.hex if is_sqlite else key}', 'slot-001', 'result', '{path}',"
                f" 'image/jpeg', {len(BODY)}, '', '{over}', '{over}', true, 0)"
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
