"""The id under which a result is published: it shows the picture, and does nothing else.

The job's own id also deletes and tells how the photo fared, so only its owner has it: the booth,
and whoever got the link from there. Galleries, slide shows, QR codes on screens and shared links
carry the view id: the job's id under a cipher whose key comes from ``SECRET_KEY``. One block of a
block cipher is a permutation: each job has one view id, both ways, with no column in the database,
so that a restored database keeps every link.
"""

import hashlib
import uuid
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings

PURPOSE = b"photochanger.view-id:"


def make_view_id(job_id: uuid.UUID) -> uuid.UUID:
    encryptor = _get_cipher(settings.SECRET_KEY).encryptor()
    return uuid.UUID(bytes=encryptor.update(job_id.bytes) + encryptor.finalize())


def list_possible_jobs(view_id: uuid.UUID) -> list[uuid.UUID]:
    """The jobs that may be meant: one for the present ``SECRET_KEY``, one for each earlier one."""
    return [_decrypt(key, view_id) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _decrypt(key: str, view_id: uuid.UUID) -> uuid.UUID:
    decryptor = _get_cipher(key).decryptor()
    return uuid.UUID(bytes=decryptor.update(view_id.bytes) + decryptor.finalize())


@lru_cache(maxsize=16)
def _get_cipher(key: str) -> Cipher[modes.ECB]:
    """ECB is sound here and only here: one block, and each id is random and encrypted once."""
    derived = hashlib.sha256(PURPOSE + key.encode()).digest()
    return Cipher(algorithms.AES(derived), modes.ECB())  # noqa: S305  one block
