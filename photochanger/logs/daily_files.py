"""Daily log files with retention: `LOG_DIR`, `LOG_RETENTION_DAYS`.

The customer's specification asks for them. The standard library's TimedRotatingFileHandler renames
the file, which several processes cannot do to one another.
"""

import contextlib
import json
import logging
import os
import re
from datetime import date, timedelta
from pathlib import Path

# Of a day; a busy one has a tenth of it. The rest is on stderr, and earlier days stay.
MAX_BYTES = 500_000_000
LOG_NAME = re.compile(r"photochanger-(\d{4}-\d\d-\d\d)\.log", re.ASCII)


class DailyFiles(logging.Handler):
    """For several processes at once: no file is ever renamed, and each line is one append."""

    def __init__(self, folder: str, keep_days: int) -> None:
        super().__init__()
        self.folder, self.keep_days = Path(folder), keep_days
        self._day: date | None = None
        self._file, self._has_told = -1, False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) + "\n"
            self._switch_to(date.fromtimestamp(record.created))
            if not self._is_full():
                os.write(self._file, line.encode(errors="replace"))
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """The disk is full or unavailable: ignored, as stderr has the line too."""

    def _is_full(self) -> bool:
        """Looked at each time, since other processes write too. The last line says so."""
        if os.fstat(self._file).st_size < MAX_BYTES:
            return False
        if not self._has_told:
            self._has_told = True
            told = {"event": "server.log.full", "level": "warning", "max_bytes": MAX_BYTES}
            os.write(self._file, f"{json.dumps(told)}\n".encode())
        return True

    def _switch_to(self, day: date) -> None:
        if day == self._day:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"photochanger-{day.isoformat()}.log"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self.close_file()
        self._file, self._day, self._has_told = file, day, False
        self._delete_before(day - timedelta(days=self.keep_days))

    def _delete_before(self, day: date) -> None:
        for path in self.folder.iterdir():
            name = LOG_NAME.fullmatch(path.name)
            if name and name[1] < day.isoformat():
                with contextlib.suppress(OSError):  # another process has deleted it
                    path.unlink()

    def close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file, self._day = -1, None

    def close(self) -> None:
        self.close_file()
        super().close()
