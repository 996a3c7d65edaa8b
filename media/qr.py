"""QR codes: the way from a screen or a print to a guest's phone."""

import io

import segno


def qr_svg(address: str) -> bytes:
    """Dark on white with its quiet zone, whatever the page's colours: cameras want it so."""
    out = io.BytesIO()
    # "m" survives a reflection on the screen, and keeps the squares large.
    segno.make_qr(address, error="m").save(
        out, kind="svg", border=4, dark="#0f312a", light="#fff", xmldecl=False, omitsize=True
    )
    return out.getvalue()
