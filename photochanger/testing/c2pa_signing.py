"""Pictures signed by the reference implementation of C2PA, which nobody here wrote."""

import io
import json
from datetime import timedelta

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.utils import timezone

EDITED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def sign_picture(body: bytes, mime: str, *, generator: str, signer: str, company: str) -> bytes:
    """The picture with a manifest that says: edited with a generative model."""
    key, chain = _make_chain(signer, company)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    info = c2pa.C2paSignerInfo(b"es256", chain, secret, None)
    action = {"action": "c2pa.created", "digitalSourceType": EDITED}
    manifest = {
        "claim_generator_info": [{"name": generator, "version": "7"}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
    }
    signed = io.BytesIO()
    with c2pa.Signer.from_info(info) as by, c2pa.Builder(json.dumps(manifest)) as builder:
        builder.sign(by, mime, io.BytesIO(body), signed)
    return signed.getvalue()


def _make_chain(signer: str, company: str) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """A key, and its certificate with that of its authority, as C2PA wants them; PEM."""
    root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _make_name("Test authority", company)
    top = _build(authority, authority, root)
    top = top.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    leaf = _build(_make_name(signer, company), authority, key)
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(_make_usage(), critical=True)
    leaf = leaf.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
    )
    leaf = leaf.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False
    )
    signed = (one.sign(root, hashes.SHA256()) for one in (leaf, top))
    return key, b"".join(one.public_bytes(serialization.Encoding.PEM) for one in signed)


def _make_name(person: str, company: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, person),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, company),
        ]
    )


def _build(
    name: x509.Name, authority: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = timezone.now()
    built = x509.CertificateBuilder(authority, name, key.public_key(), x509.random_serial_number())
    return built.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))


def _make_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
