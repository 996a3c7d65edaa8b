"""How the pictures of a slot are printed: its paper, its frame, its words, the guest's code."""

from collections.abc import Mapping
from typing import cast

from photochanger.pictures.lettering import Code, Corner, Lettering, Place
from photochanger.pictures.paper import PAPERS_PX, convert_mm
from photochanger.pictures.printing import Frame, HeadFinder, PrintPlan
from slots.models import Slot
from slots.prompts.language import read_prompt


def build_print_plan(
    slot: Slot,
    *,
    find_heads: HeadFinder,
    frame: Frame | None = None,
    people: int | None = None,
    texts: Mapping[str, str],
    address: str = "",
) -> PrintPlan | None:
    """None where a picture stays as it comes.

    ``texts``: the booth's, cleaned, by their variables' keys. ``address``: of the guest's page;
    without one there is no code.
    """
    size_px = PAPERS_PX.get(slot.paper)
    lettering = _build_lettering(slot, people, texts) if slot.frame_text else None
    has_code = slot.frame_qr and address
    code = Code(address=address, corner=cast(Corner, slot.frame_qr)) if has_code else None
    if not (size_px or frame or lettering or code):
        return None
    return PrintPlan(
        size_px=size_px, find_heads=find_heads, frame=frame, lettering=lettering, code=code
    )


def _build_lettering(slot: Slot, people: int | None, texts: Mapping[str, str]) -> Lettering | None:
    """The operator's words, with what a booth sent in their places: replaced once, and drawn."""
    defaults = {one.key: one.default for one in slot.list_variables()}
    text = read_prompt(slot.frame_text).fill(people, defaults | dict(texts)).strip()
    if not text:
        return None
    return Lettering(
        text=text,
        place=cast(Place, slot.frame_text_place),
        size_px=convert_mm(slot.frame_text_mm),
        color=slot.frame_text_color,
    )
