"""The engine that finds faces, for tests; they are skipped, and say so, where it cannot be had."""

import os
import unittest
from typing import TYPE_CHECKING

from media.faces.loading import face_nets
from photochanger.testing.databases import BASE_DIR

if TYPE_CHECKING:
    from media.faces.engine import Engine

FOLDER = str(BASE_DIR / "var/faces")
NO_MODELS = "NO MODELS OF FACES: `make faces` makes them"


def need_engine() -> "Engine":
    """Raises SkipTest without the models, or fails where ``FACES_TESTS`` requires them."""
    engine = face_nets.load(FOLDER)
    if engine is not None:
        return engine
    if os.environ.get("FACES_TESTS") == "required":
        raise AssertionError(NO_MODELS)
    raise unittest.SkipTest(NO_MODELS)
