"""Public links to a job's pictures, for providers that fetch what they work on."""

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from ingest.pipeline.outcome import JobRun
from media.provider_inputs import publish_input
from media.reach import Reach, judge_host
from photochanger.errors import ProviderConfig
from photochanger.pictures import EXTENSIONS
from photochanger.tasks import run_to_completion
from providers.base import Publish
from providers.clean_photo import Slices

LINK_MARGIN = timedelta(minutes=10)


def make_publisher(run: JobRun, base_url: str = "") -> Publish:
    """How this job's driver puts a picture under a link; ``job_outcome`` takes it back.

    The driver's publish raises ProviderConfig when the provider could not reach us anyway.
    """
    job = run.job

    async def publish(picture: Slices) -> str:
        base = find_public_base(job.provider, base_url)
        body = await asyncio.to_thread(picture.read_all)
        run.has_inputs = True
        stored = await run_to_completion(
            publish_input(
                *(job.pk, job.slot_id, body),
                mime=picture.mime,
                extension=EXTENSIONS[picture.mime],
                # Closing the job ends it; this is for a job that nobody closes.
                expires_at=job.deadline + LINK_MARGIN,
            )
        )
        name = stored.path.rpartition("/")[2]
        return base + reverse("api:provider_media", args=[name])

    return publish


def find_public_base(provider: str, base_url: str = "") -> str:
    """Where a provider finds us, without a slash at the end. Raises ProviderConfig.

    ``base_url``: where it is itself, if not at its own address. A private address of ours is good
    enough where the provider has one too: in the demo and in tests.
    """
    base = settings.PUBLIC_MEDIA_BASE_URL or settings.PUBLIC_BASE_URL
    address = urlsplit(base)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ProviderConfig("PUBLIC_MEDIA_BASE_URL is not set: the provider cannot fetch photos")
    own_url = getattr(settings, f"{provider.upper()}_BASE_URL", "")
    service = urlsplit(base_url or own_url).hostname or ""
    if is_private(address.hostname) and not (settings.DEBUG or is_private(service)):
        raise ProviderConfig("PUBLIC_MEDIA_BASE_URL is not public: the provider cannot reach it")
    return base


def is_private(host: str) -> bool:
    """By its shape; no name is looked up."""
    return judge_host(host) < Reach.WORLD
