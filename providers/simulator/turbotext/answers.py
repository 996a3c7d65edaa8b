"""The JSON of Turbotext's answers, and the picture behind their links."""

import io
import random
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageOps

from providers.simulator import pictures
from providers.simulator.scenario_choice import strip_markers
from providers.simulator.turbotext.contract import AVAILABLE, METHODS, Form, make_answer
from providers.simulator.wire import Answer

Json = dict[str, Any]
_LONG_SIDE_PX = {"deepfake_photo": 1472}
_USUAL_LONG_SIDE_PX = 768
_PLAIN_SIZE = (1024, 1024)
DOCUMENTED_ADDRESS = "https://www.turbotext.ru/download.php?f=..........png"
# The sample in the service's own documents: one bracket too many, after the prompt.
DOCUMENTED_SAMPLE = (
    '{"success":true,"error":"","data":{"prompt":"..."],"width":768,"height":576,'
    '"seed":9147962925,"strength":50,"pattern_prompt":false},'
    f'"uploaded_image":"{DOCUMENTED_ADDRESS}"}}'
)


@dataclass(slots=True, kw_only=True)
class Job:
    """One queue id: the order, its progress, and its picture.

    ``number`` is the one in ``[sim:name=number]``; ``ready_at`` is ``time.monotonic()``.
    """

    queueid: int
    method: str
    form: Form
    scenario: str
    number: float | None
    ready_at: float
    owner: int = 0  # a hash of the key
    is_done: bool = False
    error: str = ""
    size: tuple[int, int] = _PLAIN_SIZE
    seed: int = field(default_factory=lambda: random.randint(1, 10**10))  # noqa: S311
    polls: int = 0
    downloads: int = 0

    @property
    def picture_name(self) -> str:
        return f"{self.method}_id{self.queueid}_0.png"


@dataclass(frozen=True, slots=True)
class Work:
    """The input of an answer; ``origin`` is how the client addresses this simulator."""

    origin: str
    number: float | None
    job: Job | None = None

    @property
    def asked(self) -> Job:
        assert self.job, "answers of a poll or download have a job"
        return self.job


def draw(job: Job, photos: list[bytes], detail_px: int) -> bytes:
    """The first photo, altered, in its own shape, as the PNG that all samples show."""
    with Image.open(io.BytesIO(photos[0])) as first:
        width, height = ImageOps.exif_transpose(first).size
    longest = _LONG_SIDE_PX.get(job.method, _USUAL_LONG_SIDE_PX)
    if job.method == "deepfake_photo":
        longest = min(longest, max(width, height))
    shrink = longest / max(width, height)
    job.size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    prompt = strip_markers(job.form.get("content", ""))
    title = f"turbotext {job.method}"
    image = pictures.stylise_photo(
        photos, job.size, title=title, prompt=prompt, detail_px=detail_px
    )
    return pictures.encode_image(image, "PNG")


def answer_queue_id(job: Job) -> Answer:
    return make_answer({"success": True, "queueid": job.queueid})


def answer_reconnect(work: Work) -> Answer:
    return make_answer({"action": "reconnect"})


def answer_failure(error: str, **more: Any) -> Answer:
    return make_answer({"success": False, "error": error, **more})


def build_success(work: Work, data: Json | None = None, **top: Any) -> Json:
    return {"success": True, "error": "", "data": describe_job(work.asked) | (data or {}), **top}


def describe_job(job: Job) -> Json:
    """The rest of ``data``: the method's own fields, booleans and numbers as in the samples."""
    (width, height), form = job.size, job.form
    size: Json = {"width": width, "height": height}
    seed = int(form.get("seed", job.seed))
    if job.method == "deepfake_photo":
        face_restore = form.get("face_restore", "False")
        return size | {"forbidden_content": False, "face_restore": face_restore}
    size["prompt"] = form.get("content", "")
    if job.method == "mix_images":
        return size | {"seed": seed, "strength": 50, "pattern_prompt": False}
    return size | {
        "user_id": int(form.get("user_id", 1)),
        "scale": float(form.get("scale", 7.5)),
        "seed": seed,
        "strength": int(form.get("strength", 40)),
        "original_language": form.get("original_language", "ru"),
    }


def build_download_url(work: Work, origin: str = "") -> str:
    return f"{origin or work.origin}/download.php?f={work.asked.picture_name}"


def build_image_path(work: Work) -> str:
    return f"image/{work.asked.picture_name}"


def build_image_url(work: Work) -> str:
    return f"{work.origin}/{build_image_path(work)}"


def answer_as_documented(work: Work) -> Answer:
    """A finished job in the form that the documents show for its method."""
    method = work.asked.method
    if method == AVAILABLE:
        return _answer_methods()
    if method == "mix_images":
        return make_answer(build_success(work, uploaded_image=build_download_url(work)))
    if method == "deepfake_photo":
        image = {"image": [build_image_url(work)]}
        return make_answer(build_success(work, image, uploaded_image=build_download_url(work)))
    return make_answer(build_success(work, {"image": [build_image_path(work)]}))


def _answer_methods() -> Answer:
    names = ["clickbait", *(name for name in METHODS if name != AVAILABLE)]
    listed = [{"name": name, "description": f"Метод {name}"} for name in names]
    return make_answer({"success": True, "error": "", "available_api": listed})
