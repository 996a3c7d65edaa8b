"""How large stored pictures are: their files say it, no row does."""

from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache

from django.conf import settings

from media import storage
from photochanger.errors import StorageError
from photochanger.pictures.header import UnreadablePicture, describe_image, open_image
from photochanger.pictures.paper import Size

READERS = 8  # of a bucket: it answers each in tens of milliseconds
WAIT_S = 3.0  # for all of them, when storage hangs
KEPT_SIZES = 1024
Found = Size | None  # None: the file is lost, or is no picture


def read_sizes(paths: Collection[str]) -> dict[str, Found]:
    """In pixels, by path, upright; without those of which storage says nothing now.

    Blocking: under 1 ms a file on a disk, once in a process.
    """
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="sizes")
    reading = {path: readers.submit(_read_size, path) for path in paths}
    wait(reading.values(), timeout=WAIT_S)
    readers.shutdown(wait=False, cancel_futures=True)
    return {path: _get_result(one) for path, one in reading.items() if _is_known(one)}


def _is_known(reading: "Future[Size]") -> bool:
    if not reading.done() or reading.cancelled():
        return False
    return not isinstance(reading.exception(), StorageError)


def _get_result(reading: "Future[Size]") -> Found:
    """Raises what is neither of a lost file nor of a broken one."""
    try:
        return reading.result()
    except (FileNotFoundError, UnreadablePicture):
        return None


@lru_cache(maxsize=KEPT_SIZES)  # a path never gets another file
def _read_size(path: str) -> Size:
    """Raises FileNotFoundError, UnreadablePicture, StorageError."""
    with (
        storage.open_file(path) as file,
        open_image(file, max_megapixels=settings.MAX_PHOTO_MEGAPIXELS) as image,
    ):
        return describe_image(image, file).upright_size
