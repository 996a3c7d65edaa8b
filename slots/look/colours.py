"""The colours of an event on guests' pages, moved as far as it takes to be read on them.

WCAG's contrast of 4.5 holds whatever was chosen: a link's colour gets darker or lighter until it
does, and so does a background on which our words could not be read.
"""

import re
from collections.abc import Sequence

RGB = tuple[float, ...]
COLOUR = re.compile(r"[0-9a-f]{6}", re.ASCII)
NONE = "none"
LEAST = 4.6
SOFT = 0.12  # of a button's colour, behind words
WHITE, BLACK = (255.0, 255.0, 255.0), (0.0, 0.0, 0.0)
# As in static/tokens.css: an event with a background has one look, by day and by night.
LIGHT = {
    **{"card": "#fff", "text": "#0f312a", "muted": "#526862", "line": "#d9ebe5"},
    **{"danger": "#b83f4d", "on-danger": "#fff", "field": "#fff", "veil": "rgb(15 49 42 / 45%)"},
    **{"shadow": "0 14px 40px rgb(15 49 42 / 12%)"},
}
DARK = {
    **{"card": "#12291f", "text": "#e6f4ef", "muted": "#9dbab1", "line": "#24443a"},
    **{"danger": "#f3909a", "on-danger": "#3a0a10", "field": "#0e221a"},
    **{"veil": "rgb(0 0 0 / 65%)"},
    **{"shadow": "0 14px 40px rgb(0 0 0 / 45%)"},
}
GROUNDS = {"light": "#f4fbf8", "dark": "#10281f"}  # where no background was chosen
ROOT = ":root:root:root"  # above every rule of tokens.css


def parse_colour(text: str) -> RGB:
    digits = text.lstrip("#")
    digits = "".join(char * 2 for char in digits) if len(digits) == 3 else digits
    return tuple(float(int(digits[n : n + 2], 16)) for n in (0, 2, 4))


def format_colour(colour: RGB) -> str:
    return "#" + "".join(f"{round(part):02x}" for part in colour)


def compute_contrast(one: RGB, other: RGB) -> float:
    """WCAG 2: from 1 to 21."""
    dark, light = sorted((_compute_luminance(one), _compute_luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _compute_luminance(colour: RGB) -> float:
    shares = (part / 255 for part in colour)
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _mix(one: RGB, other: RGB, share: float) -> RGB:
    return tuple(a + (b - a) * share for a, b in zip(one, other, strict=True))


def move_until_readable(colour: RGB, others: Sequence[RGB], towards: RGB) -> RGB:
    """``colour`` itself where it can be read beside ``others``, or as little moved as needed."""
    for step in range(51):
        share = step / 50
        moved = _mix(colour, towards, share)
        if all(compute_contrast(moved, other) >= LEAST for other in others):
            return moved
    return towards


def write_stylesheet(accent: str, background: str) -> str:
    """``accent`` and ``background``: six hexadecimal digits, or ``NONE``."""
    if background == NONE:
        if accent == NONE:
            return ""
        light = _write_accent(accent, [GROUNDS["light"], LIGHT["card"]], towards=BLACK)
        dark = _write_accent(accent, [GROUNDS["dark"], DARK["card"]], towards=WHITE)
        return f"{ROOT}{{{light}}}\n@media (prefers-color-scheme: dark){{{ROOT}{{{dark}}}}}\n"
    ground = parse_colour(background)
    is_dark = compute_contrast(ground, WHITE) > compute_contrast(ground, BLACK)
    tokens, towards = (DARK, WHITE) if is_dark else (LIGHT, BLACK)
    words = [parse_colour(tokens[name]) for name in ("text", "muted", "danger")]
    ground = move_until_readable(ground, words, BLACK if is_dark else WHITE)
    shown = format_colour(ground)
    rules = f"color-scheme:{'dark' if is_dark else 'light'};--ground:{shown};"
    rules += "--danger-soft:var(--card);"  # a tint of the ground would take the contrast away
    rules += "".join(f"--{name}:{value};" for name, value in tokens.items())
    chosen = accent if accent != NONE else ("4cc9a8" if is_dark else "0f866c")
    return f"{ROOT}{{{rules}{_write_accent(chosen, [shown, tokens['card']], towards=towards)}}}\n"


def _write_accent(accent: str, grounds: Sequence[str], *, towards: RGB) -> str:
    """Buttons as chosen, with words that can be read on them; links moved where they must be."""
    button = parse_colour(accent)
    words = max(WHITE, BLACK, key=lambda colour: compute_contrast(button, colour))
    pressed = _mix(button, towards, 0.15)
    plain = [parse_colour(ground) for ground in grounds]
    tinted = [_mix(ground, button, SOFT) for ground in plain]  # links stand on these too
    link = move_until_readable(button, [*plain, *tinted], towards)
    soft = " ".join(str(round(part)) for part in button)
    # Pressed, the words must still be readable: where they would not be, the button stays.
    pressed = pressed if compute_contrast(pressed, words) >= LEAST else button
    return (
        f"--accent:{format_colour(button)};--on-accent:{format_colour(words)};"
        f"--pressed:{format_colour(pressed)};--link:{format_colour(link)};"
        f"--soft:rgb({soft} / 12%);"
    )
