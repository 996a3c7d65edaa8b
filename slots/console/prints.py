"""The slot page's look at a print: sample people, by the form as it stands."""

import base64
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from PIL import Image

from media.links import find_phone_base
from photochanger.errors import InvalidFields, ProviderConfig, StorageError
from photochanger.pictures import JPEG, encode
from photochanger.pictures.cropping import Box
from photochanger.pictures.printing import make_print
from providers.simulator.people import COLUMN_PX, HEIGHT_PX, PEOPLE, make_group
from slots.console.pages import AdminView, find_slot_or_404
from slots.console.slot_form import SlotPageForm
from slots.editing import Draft, build_draft
from slots.history.field_names import get_label
from slots.prints.frames import load_frame, pick_frame
from slots.prints.plans import build_print_plan
from slots.prompts.texts import SentTexts, read_texts

SHOWN_PX, QUALITY = 900, 82
SAMPLE = PEOPLE[:3]
NO_PAGE = "/public/results/00000000-0000-0000-0000-000000000000/page"  # as long as a real one


def get_urls(view: AdminView) -> list[URLPattern]:
    """``view`` lets administrators in only."""
    return [path("<slot_id>/print/", view(print_preview), name="slot_print_preview")]


@require_POST
def print_preview(request: HttpRequest, slot_id: str) -> HttpResponse:
    """How sample people are printed by the form as it stands; nothing is saved or sent."""
    slot = find_slot_or_404(slot_id)
    context: dict[str, Any] = {}
    try:
        draft = build_draft(slot_id, SlotPageForm(slot, request.POST).read_change())
        picture = print_sample(draft, find_phone_base(request) or "http://photobooth.local")
        body = encode(picture, JPEG, quality=QUALITY)
        context["picture"] = f"data:{JPEG};base64,{base64.b64encode(body).decode()}"
        context["width"], context["height"] = picture.size
    except InvalidFields as exc:
        state = {"provider": request.POST.get("provider", "")}
        context["wrong"] = [(get_label(place, state), it) for place, it in exc.fields.items()]
    except (StorageError, ProviderConfig):
        context["is_frame_lost"] = True
    return render(request, "slots/console/words/_print.html", context)


def print_sample(draft: Draft, base: str) -> Image.Image:
    """Small enough for a page. Blocking, 0.2 s. Raises StorageError, ProviderConfig."""
    slot, media = draft.slot, pick_frame(draft.templates)
    variables = slot.list_variables()
    plan = build_print_plan(
        slot,
        find_heads=find_sample_heads,
        frame=load_frame(media, slot.paper) if media else None,
        people=len(SAMPLE),
        texts=read_texts(variables, SentTexts.of_examples(variables)),
        address=base + NO_PAGE,
    )
    group = make_group(SAMPLE)
    group = group.resize((group.width * 2, group.height * 2), Image.Resampling.BICUBIC)
    printed = make_print(group, plan) if plan else group
    printed.thumbnail((SHOWN_PX, SHOWN_PX), Image.Resampling.BICUBIC)
    return printed


def find_sample_heads(image: Image.Image) -> Sequence[Box]:
    """They stand side by side, as the sample is made."""
    across, down = image.width / (COLUMN_PX * len(SAMPLE)), image.height / HEIGHT_PX
    return [
        Box(
            (COLUMN_PX * (number + 0.2)) * across,
            0.05 * HEIGHT_PX * down,
            (COLUMN_PX * (number + 0.8)) * across,
            0.6 * HEIGHT_PX * down,
        )
        for number in range(len(SAMPLE))
    ]
