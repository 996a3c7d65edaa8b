"""What a picture's file says of its origin: content credentials (C2PA) and XMP.

Nothing of it is verified: whoever wrote the file could write anything. It is read for people to
know what a service claims, and is kept cut, printable and without secrets.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Self

import structlog
from cryptography import x509
from cryptography.x509.oid import NameOID

from photochanger.pictures.header import sniff
from photochanger.pictures.provenance.cbor import read_cbor
from photochanger.pictures.provenance.containers import find_carried
from photochanger.pictures.provenance.jumbf import LabelledBox, iter_labelled
from photochanger.redaction import redact

log = structlog.get_logger()

MAX_CHARS = 100
MAX_CBOR_BYTES = 512 * 1024
X5CHAIN = (33, "x5chain")  # a certificate in COSE's headers, and as early files named it
SOURCE_TYPE = re.compile(r"digitalsourcetype/(\w{1,60})", re.ASCII)
XMP_SOURCE_TYPE = re.compile(
    rb"DigitalSourceType\b[^\w]{0,8}(?:rdf:resource\s*=\s*[\"'])?\s*"
    rb"https?://cv\.iptc\.org/newscodes/digitalsourcetype/\w{1,60}"
)
XMP_CREDIT = re.compile(rb"\bCredit\s*(?:=\s*[\"']|>)\s*([^<\"']{1,400})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """``generator``: the program that wrote them; ``signer`` and ``issuer``: of the certificate
    beside the signature; ``source_type``: IPTC's word for how the picture came to be; ``credit``:
    XMP's line for it. Each is empty where the file does not say."""

    is_signed: bool = False  # there is a C2PA store, whatever is in it
    generator: str = ""
    signer: str = ""
    issuer: str = ""
    source_type: str = ""
    credit: str = ""

    def to_json(self, hide: Callable[[str], str] = str) -> dict[str, object]:
        """What is said at all, ``hide`` applied to its texts; empty when the file says nothing."""
        said = {name: value for name, value in asdict(self).items() if value}
        return {n: hide(value) if isinstance(value, str) else value for n, value in said.items()}

    @classmethod
    def of_json(cls, stored: Mapping[str, object]) -> Self:
        """Of another release, too: words that are unknown here are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})  # type: ignore[arg-type]


def read_credentials(body: bytes) -> Credentials:
    """Under 2 ms. Raises nothing: the picture is paid for, whatever is written beside it."""
    try:
        carried = find_carried(body, sniff(body[:16]))
        said = _read_xmp(carried.xmp) if carried.xmp else Credentials()
        return _read_store(carried.store, said) if carried.store else said
    except Exception as exc:  # hostile bytes, and parsers of others
        log.warning("pictures.credentials.unreadable", detail=type(exc).__name__)
        return Credentials()


def _read_xmp(xmp: bytes) -> Credentials:
    source, credit = XMP_SOURCE_TYPE.search(xmp), XMP_CREDIT.search(xmp)
    return Credentials(
        source_type=_name_source_type(source[0].decode("latin-1")) if source else "",
        credit=_clean(html.unescape(credit[1].decode("utf-8", "replace"))) if credit else "",
    )


def _read_store(store: bytes, said: Credentials) -> Credentials:
    said = replace(said, is_signed=True)
    try:
        manifest = _find_manifest(memoryview(store))
        if manifest is None:
            return said
        said = replace(
            said,
            generator=_read_generator(manifest),
            source_type=_read_source_type(manifest) or said.source_type,
        )
        signer, issuer = _read_signer(manifest)
        return replace(said, signer=signer, issuer=issuer)
    except Exception as exc:  # as above: what could be read is worth telling
        log.warning("pictures.credentials.unreadable", detail=type(exc).__name__)
        return said


def _find_manifest(store: memoryview) -> LabelledBox | None:
    """The last one is the picture's own; those before are of what it was made from."""
    box = next((box for box in iter_labelled(store) if box.label == "c2pa"), None)
    manifests = box.list_boxes() if box else []
    return manifests[-1] if manifests else None


def _read_map(box: LabelledBox | None) -> dict[object, object]:
    value = read_cbor(box.data[:MAX_CBOR_BYTES]) if box else None
    return value if isinstance(value, dict) else {}


def _read_generator(manifest: LabelledBox) -> str:
    claim = _read_map(manifest.find("c2pa.claim"))
    info = claim.get("claim_generator_info")
    first = info[0] if isinstance(info, list) and info else info
    if isinstance(first, dict) and first.get("name"):
        return _clean(f"{first['name']} {first.get('version') or ''}")
    return _clean(claim.get("claim_generator"))


def _read_source_type(manifest: LabelledBox) -> str:
    """Of the first of its actions that names one."""
    assertions = manifest.find("c2pa.assertions")
    listed = _read_map(assertions.find("c2pa.actions") if assertions else None).get("actions")
    for action in listed if isinstance(listed, list) else []:
        if isinstance(action, dict) and (source := action.get("digitalSourceType")):
            return _name_source_type(str(source))
    return ""


def _name_source_type(address: str) -> str:
    found = SOURCE_TYPE.search(address)
    return found[1] if found else ""


def _read_signer(manifest: LabelledBox) -> tuple[str, str]:
    """Who its certificate is for, and from."""
    box = manifest.find("c2pa.signature")
    signature = read_cbor(box.data[:MAX_CBOR_BYTES]) if box else None
    chain = next(_iter_chains(signature), None)
    first = chain[0] if isinstance(chain, list) and chain else chain
    if not isinstance(first, bytes):
        return "", ""
    certificate = x509.load_der_x509_certificate(first)
    return _name(certificate.subject), _name(certificate.issuer)


def _iter_chains(signature: object) -> Iterator[object]:
    """COSE_Sign1: protected headers, as CBOR in bytes; other headers; payload; signature."""
    if not isinstance(signature, list) or len(signature) < 2:
        return
    protected = read_cbor(signature[0]) if signature[0] else {}
    for headers in (protected, signature[1]):
        if isinstance(headers, dict):
            yield from (headers[key] for key in X5CHAIN if key in headers)


def _name(name: x509.Name) -> str:
    parts = [
        str(attribute.value)
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for attribute in name.get_attributes_for_oid(oid)[:1]
    ]
    return _clean(", ".join(dict.fromkeys(parts)))


def _clean(value: object) -> str:
    """As it may stand in a row and on a page: in one line, printable, short, without secrets."""
    if not isinstance(value, str):
        return ""
    shown = "".join(c if c.isprintable() else " " for c in value[: 20 * MAX_CHARS])
    words = " ".join(redact(shown).split())
    return words if len(words) <= MAX_CHARS else f"{words[: MAX_CHARS - 1]}…"
