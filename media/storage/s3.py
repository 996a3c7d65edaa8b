"""Files in a bucket of Amazon S3 or of any compatible service.

Every failure is an OSError, as on a disk, in words for an operator: without keys, without the
server's own message. One client serves all threads: it is made once (150 ms) and keeps its
connections.
"""

import errno
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

from media.storage import StoredFile
from photochanger.redaction import redact

log = structlog.get_logger()

# A booth waits: a request that gets no response is repeated once, then it has failed.
CONNECT_TIMEOUT_S, READ_TIMEOUT_S, TRIES = 2, 4, 2
CONNECTIONS = 48  # more than threads ever ask at once
GONE = frozenset({"NoSuchKey", "404", "NotFound"})
SENTENCES = {
    "NoSuchBucket": "the bucket does not exist",
    "InvalidBucketName": "the bucket's name is not valid",
    "AccessDenied": "the key may not do this in the bucket",
    "403": "the key is wrong, or may not do this in the bucket",
    "InvalidAccessKeyId": "the key is not known there",
    "SignatureDoesNotMatch": "the secret key is wrong",
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "SlowDown": "too many requests",
    "PermanentRedirect": "the bucket is in another region",
    **dict.fromkeys(("301", "302", "307", "308"), "it sends us to another address"),
    "AuthorizationHeaderMalformed": "the region is wrong",
}


class BucketStorage(S3Storage):  # type: ignore[misc]  # has no types
    """django-storages with one client for all threads, and byte ranges read directly."""

    is_local = False

    def __init__(self, **options: Any) -> None:
        options["client_config"] = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if options.get("endpoint_url") else "virtual"},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            max_pool_connections=CONNECTIONS,
            # Otherwise it sends checksums that most servers but Amazon's own refuse.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        # No ACL is ever set: who may read is the bucket's matter, and guests get files from us.
        super().__init__(**options, default_acl=None)
        self._connecting = threading.Lock()
        self._shared: Any = None

    @property
    def connection(self) -> Any:
        if self._shared is None:
            with self._connecting:
                if self._shared is None:
                    self._shared = self._connect()
        return self._shared

    def _connect(self) -> Any:
        session = boto3.Session(
            aws_access_key_id=self.access_key or None,
            aws_secret_access_key=self.secret_key or None,
        )
        made = session.resource(
            "s3",
            region_name=self.region_name,
            endpoint_url=self.endpoint_url,
            config=self.client_config,
        )
        if self.endpoint_url:
            made.meta.client.meta.events.register("before-call.s3", _refuse_redirects)
        return made

    @property
    def _client(self) -> Any:
        return self.connection.meta.client

    def _object_arguments(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self._normalize_name(name)}

    def warm_up(self) -> None:
        """Make the client and a connection, and log early what would fail every photo."""
        try:
            with _translate_errors(self.bucket_name):
                self._client.head_bucket(Bucket=self.bucket_name)
        except OSError as exc:  # it may come up later; until then photos are refused with 503
            log.error("server.storage.unavailable", detail=exc.strerror)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name as it is. Looking for one that is free would cost each photo a request, and
        would never end where a server says of every name that it is taken."""
        return name

    def _save(self, name: str, content: "File[bytes]") -> str:
        """One request for the whole file, so that there is never a part of one."""
        kind = self._get_write_parameters(name, content)
        with _translate_errors(name):
            self._client.put_object(**self._object_arguments(name), **kind, Body=content.read())
        return name

    def delete(self, name: str) -> None:
        with _translate_errors(name):
            self._client.delete_object(**self._object_arguments(name))

    def delete_empty_folder(self, name: str) -> None:
        """There are no folders."""

    def open_at(self, name: str, *, start: int, length: int | None) -> IO[bytes]:
        if length == 0:
            return io.BytesIO()
        end = "" if length is None else start + length - 1
        byte_range = {"Range": f"bytes={start}-{end}"} if start or length is not None else {}
        with _translate_errors(name):
            response = self._client.get_object(**self._object_arguments(name), **byte_range)
        return io.BufferedReader(_ObjectReader(name, response["Body"]), buffer_size=1)

    def iter_files(self, prefix: str) -> Iterator[StoredFile]:
        folder = f"{self.location}/" if self.location else ""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name, Prefix=folder + prefix
        )
        with _translate_errors("the list of files"):
            for page in pages:
                for found in page.get("Contents", ()):
                    yield StoredFile(
                        path=found["Key"].removeprefix(folder),
                        size_bytes=found["Size"],
                        modified_at=found["LastModified"],
                    )


class _ObjectReader(io.RawIOBase):
    """An object being downloaded; a failure on the way is an OSError."""

    def __init__(self, name: str, body: Any) -> None:
        self._name, self._body = name, body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _translate_errors(self._name):
            piece = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._body.close()
        super().close()


def _refuse_redirects(context: dict[str, Any], **kwargs: Any) -> None:
    """Make botocore take a redirect for an error. It would look for the bucket's region, which only
    Amazon has: it asks by a request that is redirected too, and so on until RecursionError."""
    context.setdefault("s3_redirect", {})["redirected"] = True


@contextmanager
def _translate_errors(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as exc:
        code = str(exc.response.get("Error", {}).get("Code", ""))
        if code in GONE:
            raise FileNotFoundError(errno.ENOENT, "no such file in the bucket", name) from exc
        words = SENTENCES.get(code) or f"it answered {redact(code)[:40]}"
        raise OSError(errno.EIO, f"S3: {words}") from exc
    except NoCredentialsError as exc:
        raise OSError(errno.EIO, "S3: there is no key; set S3_ACCESS_KEY_ID") from exc
    except (BotoCoreError, HTTPError) as exc:
        raise OSError(errno.EIO, f"S3: it cannot be reached ({type(exc).__name__})") from exc
    except OSError:
        raise
    except Exception as exc:  # botocore believes servers: an odd header becomes a ValueError
        what = f"it answered what cannot be understood ({type(exc).__name__})"
        raise OSError(errno.EIO, f"S3: {what}") from exc
