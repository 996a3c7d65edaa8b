"""Pictures with content credentials (C2PA) and XMP, as services send them.

Boxes, certificate and claim are those of a signed picture; the signature itself is of zeros, and
the pixels are not bound to it.
"""

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

GENERATOR, SIGNER, COMPANY = "Simulated Image Service", "Simulator Media Signing", "Simulator LLC"
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
    ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    f' photoshop:Credit="Made by the simulator" Iptc4xmpExt:DigitalSourceType="{SOURCE}"/>'
    "</rdf:RDF></x:xmpmeta>"
)
ACTIONS = "c2pa.actions.v2"
SEGMENT_BYTES = 1_500  # small, so that a store takes several segments of a JPEG
# ISO 19566-5: an ASCII kind before a fixed rest.
KIND_TAIL = bytes.fromhex("00110010800000aa00389b71")


def add_credentials(
    body: bytes, *, generator: str = GENERATOR, signer: str = SIGNER, company: str = COMPANY
) -> bytes:
    """The JPEG, PNG or WEBP with a C2PA store and an XMP packet. WEBP is encoded again."""
    store = make_store(generator, make_certificate(signer, company))
    if body.startswith(b"\xff\xd8"):
        xmp = b"http://ns.adobe.com/xap/1.0/\0" + XMP.encode()
        return body[:2] + _make_segment(0xE1, xmp) + _pack_segments(store) + body[2:]
    if body.startswith(b"\x89PNG"):
        return _add_to_png(body, store)
    return _add_to_webp(body, store)


def make_store(generator: str, certificate: bytes) -> bytes:
    actions = {"actions": [{"action": "c2pa.created", "digitalSourceType": SOURCE}]}
    box = _pack_superbox("cbor", ACTIONS, _pack_box(b"cbor", encode_cbor(actions)))
    claim = {
        "alg": "sha256",
        "instanceID": "xmp:iid:4b1f5b0e-6e0f-4c3c-8b62-5d3c3f6e2a11",
        "claim_generator_info": {"name": generator, "version": "2.1"},
        "signature": "self#jumbf=c2pa.signature",
        "created_assertions": [
            {"url": f"self#jumbf=c2pa.assertions/{ACTIONS}", "hash": sha256(box[8:]).digest()}
        ],
    }
    headers = {1: -7, 33: [certificate]}
    signature = [encode_cbor(headers), {"pad": bytes(64)}, None, bytes(64)]
    boxes = (
        _pack_superbox("c2as", "c2pa.assertions", box),
        _pack_superbox("c2cl", "c2pa.claim.v2", _pack_box(b"cbor", encode_cbor(claim))),
        _pack_superbox(
            "c2cs", "c2pa.signature", _pack_box(b"cbor", b"\xd2" + encode_cbor(signature))
        ),
    )
    manifest = _pack_superbox("c2ma", "urn:c2pa:0c7d1f60-5cf1-4f55-9a63-1b8f1b2f9f10", *boxes)
    return _pack_superbox("c2pa", "c2pa", manifest)


@cache
def make_certificate(signer: str, company: str) -> bytes:
    """Self-signed, DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, signer[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, company[:64]),
        ]
    )
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(begin).not_valid_after(begin + timedelta(days=3650))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def encode_cbor(value: Any) -> bytes:
    """RFC 8949, of what a claim is made of."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return _encode_head(0, value) if value >= 0 else _encode_head(1, -1 - value)
    if isinstance(value, bytes):
        return _encode_head(2, len(value)) + value
    if isinstance(value, str):
        return _encode_head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _encode_head(4, len(value)) + b"".join(map(encode_cbor, value))
    pairs = (encode_cbor(key) + encode_cbor(one) for key, one in value.items())
    return _encode_head(5, len(value)) + b"".join(pairs)


def _encode_head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    width = next(w for w in (1, 2, 4, 8) if number < 1 << 8 * w)
    return bytes([kind << 5 | 23 + width.bit_length()]) + number.to_bytes(width)


def _pack_box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def _pack_superbox(kind: str, label: str, *boxes: bytes) -> bytes:
    described = kind.encode() + KIND_TAIL + b"\x03" + label.encode() + b"\0"
    return _pack_box(b"jumb", _pack_box(b"jumd", described) + b"".join(boxes))


def _make_segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(payload)) + payload


def _pack_segments(store: bytes) -> bytes:
    """APP11: each part repeats the head of the box."""
    head, body = store[:8], store[8:]
    parts = [body[at : at + SEGMENT_BYTES] for at in range(0, len(body), SEGMENT_BYTES)]
    return b"".join(
        _make_segment(0xEB, b"JP" + struct.pack(">HI", 529, number) + head + part)
        for number, part in enumerate(parts, start=1)
    )


def _add_to_png(body: bytes, store: bytes) -> bytes:
    after_head = 8 + 25
    text = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP.encode())
    chunks = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"caBX", store), (b"iTXt", text))
    )
    return body[:after_head] + chunks + body[after_head:]


def _add_to_webp(body: bytes, store: bytes) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(body)) as image:
        image.save(out, "WEBP", quality=88, xmp=XMP.encode())
    riff = out.getvalue()
    riff += b"C2PA" + struct.pack("<I", len(store)) + store + bytes(len(store) % 2)
    return riff[:4] + struct.pack("<I", len(riff) - 8) + riff[8:]
