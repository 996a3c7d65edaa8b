"""What a service's file said of its picture's origin, in the reader's words."""

from django.utils.translation import gettext_lazy as _

from ingest.models import Job
from photochanger.pictures.provenance import Credentials

SOURCE_TYPES = {  # of IPTC's list, those that services write
    "trainedAlgorithmicMedia": _("created by generative AI"),
    "compositeWithTrainedAlgorithmicMedia": _("edited with generative AI"),
    "compositeSynthetic": _("put together, a part of it by AI"),
    "algorithmicMedia": _("made by an algorithm without training"),
    "algorithmicallyEnhanced": _("improved by an algorithm"),
    "digitalCapture": _("taken by a camera"),
}


class CredentialsView:
    """``is_known``: whether they were looked for."""

    def __init__(self, job: Job) -> None:
        self.is_known = job.credentials is not None
        self.credentials = Credentials.of_json(job.credentials or {})

    @property
    def is_empty(self) -> bool:
        return self.credentials == Credentials()

    @property
    def source(self) -> str:
        """IPTC's own word where we have none: letters and digits only."""
        return str(SOURCE_TYPES.get(self.credentials.source_type, self.credentials.source_type))
