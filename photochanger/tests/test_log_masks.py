"""Ids in log lines open nothing."""

import json
import logging
import uuid

import structlog
from django.test import SimpleTestCase

from photochanger.logs import _JSON, _make_formatter
from photochanger.logs.masks import mask


class MaskTests(SimpleTestCase):
    def test_an_id_is_cut_wherever_it_stands(self) -> None:
        job = uuid.uuid4()
        line = {
            "event": f"GET /public/results/{job}/page",
            "job": str(job),
            "path": f"results/slot-001/{job}/payload.jpg",
            "hex": job.hex,
            "upper": str(job).upper(),
            "jobs": [str(job), {"inner": (job.hex,)}],
        }
        told = json.dumps(mask(None, "info", dict(line)))
        self.assertNotIn(str(job)[9:], told.lower())
        self.assertNotIn(job.hex[8:], told.lower())
        self.assertEqual(told.lower().count(job.hex[:8]), 7)

    def test_what_is_no_id_stays(self) -> None:
        line = {"request_id": "0123456789abcdef", "sha256": "a" * 64, "count": 3, "none": None}
        self.assertEqual(mask(None, "info", dict(line)), line)

    def test_a_traceback_holds_none_either(self) -> None:
        job = uuid.uuid4()
        try:
            raise RuntimeError(f"job {job}")
        except RuntimeError as exc:
            failure = (RuntimeError, exc, exc.__traceback__)
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "broke", None, failure)
        formatter = structlog.stdlib.ProcessorFormatter(
            **{k: v for k, v in _make_formatter(_JSON).items() if k != "()"}
        )
        text = formatter.format(record)
        self.assertIn(f"job {job.hex[:8]}", text)
        self.assertNotIn(str(job), text)
