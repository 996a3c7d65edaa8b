"""Where a picture comes from: what its file says of that, and how ours say that an AI made them."""

from photochanger.pictures.provenance.ai_mark import AI_MADE_XMP, mark_ranges
from photochanger.pictures.provenance.credentials import Credentials, read_credentials

__all__ = ["AI_MADE_XMP", "Credentials", "mark_ranges", "read_credentials"]
