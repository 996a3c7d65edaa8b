"""Group photos and what services make of them: restyled with everybody kept, or by mistake not."""

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import combinations
from typing import NamedTuple

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from providers.simulator.people import (
    PEOPLE,
    STRANGER,
    Mistake,
    add_person,
    load_person,
    lose_person,
    make_group,
    swap_person,
)
from providers.simulator.pictures import stylise_photo

Style = Callable[[Image.Image], Image.Image]
SEPIA = (0.39, 0.77, 0.19, 0, 0.35, 0.69, 0.17, 0, 0.27, 0.53, 0.13, 0)
ROW_PX = (600, 500)  # of one person in a crowd, who stands somewhere in it


class Sample(NamedTuple):
    """A photo, what was made of it, and whether that is so."""

    truth: str
    style: str
    photo: Image.Image
    result: Image.Image


def list_groups() -> list[tuple[str, ...]]:
    """Everybody alone, and all groups of two to four."""
    return [group for count in range(1, 5) for group in combinations(PEOPLE, count)]


def make_samples() -> Iterator[Sample]:
    for group in list_groups():
        photo = make_group(group)
        for style, restyle in STYLES.items():
            yield Sample("kept", style, photo, restyle(photo))
        for truth, mistake in choose_mistakes(group):
            wrong = mistake(photo, len(group))
            for style in ("as it was", "warm", "grey", "poster"):
                yield Sample(truth, style, photo, STYLES[style](wrong))


def choose_mistakes(group: tuple[str, ...]) -> list[tuple[str, Mistake]]:
    """Those that are mistakes for this group: nobody can be replaced by themselves."""
    chosen: list[tuple[str, Mistake]] = [("lost", lose_person)]
    if STRANGER not in group:
        chosen += [("stranger", add_person), ("replaced", swap_person)]
    return chosen


def make_crowds() -> Iterator[tuple[int, Image.Image]]:
    """Photos by the number of people: groups, and rows of up to ten of different sizes."""
    for group in list_groups():
        yield len(group), make_group(group)
    for count in range(2, 11):
        yield count, make_row(count)


def make_row(count: int) -> Image.Image:
    """People of different sizes in two rows before a wall, some of them more than once."""
    columns = -(-count // 2)
    crowd = Image.new("RGB", (ROW_PX[0] * columns // 2, ROW_PX[1] * 2), (120, 130, 140))
    for number in range(count):
        person = load_person(PEOPLE[number % len(PEOPLE)])
        scale = 0.7 + 0.08 * (number % 3)
        small = person.resize((round(300 * scale), round(375 * scale)))
        if number >= len(PEOPLE):
            small = ImageOps.mirror(small)
        crowd.paste(small, (ROW_PX[0] // 2 * (number // 2), ROW_PX[1] * (number % 2) + 20))
    return crowd


def compress(image: Image.Image) -> Image.Image:
    out = BytesIO()
    image.save(out, "JPEG", quality=20)
    return Image.open(out).convert("RGB")


def turn_hues(image: Image.Image) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    turned = hue.point(lambda v: (v + 40) % 256)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def pixelate(image: Image.Image) -> Image.Image:
    return image.reduce(4).resize(image.size, Image.Resampling.NEAREST)


def move(image: Image.Image) -> Image.Image:
    """Smaller, in the corner of another place."""
    scene = Image.radial_gradient("L").resize((image.width * 3 // 2, image.height * 3 // 2))
    place = ImageOps.colorize(scene, (250, 214, 165), (52, 88, 120))
    place.paste(image, (image.width // 4, image.height // 2))
    return place


def make_poster(image: Image.Image) -> Image.Image:
    """As the simulator does."""
    out = BytesIO()
    image.save(out, "JPEG", quality=95)
    size = (1024, round(1024 * image.height / image.width))
    return stylise_photo([out.getvalue()], size, title="bench", prompt="")


STYLES: dict[str, Style] = {
    "as it was": lambda image: image,
    "jpeg 20": compress,
    "relit": lambda image: ImageEnhance.Contrast(
        ImageEnhance.Brightness(image).enhance(1.3)
    ).enhance(1.3),
    "dark": lambda image: ImageEnhance.Brightness(image).enhance(0.45),
    "hues": turn_hues,
    "grey": lambda image: ImageOps.grayscale(image).convert("RGB"),
    "sepia": lambda image: image.convert("RGB", SEPIA),
    "warm": lambda image: ImageEnhance.Color(image).enhance(1.8),
    "posterised": lambda image: ImageOps.posterize(image, 3),
    "edges": lambda image: image.filter(ImageFilter.EDGE_ENHANCE_MORE),
    "oil": lambda image: image.filter(ImageFilter.ModeFilter(7)),
    "pixels": pixelate,
    "moved": move,
    "mirrored": ImageOps.mirror,
    "poster": make_poster,
}
