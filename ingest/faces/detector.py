"""The one thread of this process that detects faces, and how many pictures may wait for it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings
from PIL import Image

from media.faces.face import Face
from media.faces.loading import face_nets
from media.faces.verdict import LEAST_SCORE
from media.nets.memory import give_memory_back_when_idle
from photochanger import metrics
from photochanger.threads.priority import lower_priority

MOST_WAITING = (
    4  # pictures of 0.1-0.2 s each; the photos of a crowd share what is left of the processor
)

Open = Callable[[], Image.Image]
# None: there is no engine here.
Detection = Future[list[Face] | None]


class Detector:
    """Runs one detection at a time, and refuses new ones when the queue is full."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(
            1, thread_name_prefix="faces", initializer=lower_priority
        )
        self._waiting = threading.Semaphore(MOST_WAITING)

    def start(self, open_picture: Open, *, describe: bool) -> Detection | None:
        """Find the faces of the picture that ``open_picture`` returns; None under load.

        The detection can be cancelled while it waits for its turn.
        """
        if not self._waiting.acquire(blocking=False):
            return None
        detection = self._executor.submit(_find_faces, settings.FACES_DIR, open_picture, describe)
        detection.add_done_callback(lambda _: self._waiting.release())
        return detection


def _find_faces(folder: str, open_picture: Open, describe: bool) -> list[Face] | None:
    engine = face_nets.load(folder)
    if engine is None:
        return None
    started = time.perf_counter()
    found = engine.find_faces(open_picture(), least_score=LEAST_SCORE, describe=describe)
    metrics.count_face_detection(time.perf_counter() - started)
    give_memory_back_when_idle()
    return found


detector = Detector()
