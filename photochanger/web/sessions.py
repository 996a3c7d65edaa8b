"""Sessions of the console, judged by the database's clock: ADR 21 (the setting SESSION_ENGINE).

A machine whose clock is ahead would close out everybody who logged in at another one.
"""

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession

from photochanger.db import clock, in_db


class SessionStore(db.SessionStore):
    """Django's, in its table and with its signature: sessions of before live on."""

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        return super().get_expiry_date(**{"modification": clock.now(), **kwargs})

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        living = self.model.objects.filter(expire_date__gt=clock.now())
        found = living.filter(session_key=self.session_key).first()
        if found is None:
            self._session_key = None
        return found

    async def _aget_session_from_db(self) -> AbstractBaseSession | None:
        return await in_db(self._get_session_from_db)
