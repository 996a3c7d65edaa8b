import re
from typing import Any

import orjson
from django.http import HttpRequest
from ninja.parser import Parser

NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class StrictJsonParser(Parser):
    """Accept only JSON that SQLite and PostgreSQL can store: no NUL, lone surrogate or NaN."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        if NUL_IN_JSON.search(request.body):
            raise ValueError("NUL")
        body: dict[str, Any] = orjson.loads(request.body)
        return body
