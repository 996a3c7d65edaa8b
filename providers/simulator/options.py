"""How a simulator behaves; set by the command's arguments or by ``running()``."""

from collections.abc import Collection
from dataclasses import dataclass

from providers.simulator.gemini.models import RETIRED
from providers.simulator.pictures import DETAIL_PX


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``latency`` and ``jitter`` are seconds: a good answer takes latency ± jitter in all, and a
    queued job is ready after that time.

    ``plain`` answers every photo with the same prepared picture and checks nothing, so that a
    benchmark measures its caller. ``fail_share`` of the calls that ask for no scenario get a
    quick NO_IMAGE, or a job that failed; ``seed`` makes their order the same in every run.
    ``detail_px`` is the long side at which pictures are drawn before they are enlarged.
    """

    latency: float = 0.0
    jitter: float = 0.0
    plain: bool = False
    fail_share: float = 0.0
    seed: int = 0
    max_request_mb: float = 20.0
    retired: Collection[str] = RETIRED
    detail_px: int = DETAIL_PX
