"""The paper of photo printers, in the pixels that are printed on it."""

DPI = 300
MM_PER_INCH = 25.4
# By the names that booths' programs have for it: inches across, then down.
PAPERS_IN = {
    "4x6": (4, 6),
    "6x4": (6, 4),
    "5x7": (5, 7),
    "6x8": (6, 8),
    "2x6": (2, 6),
    "square": (6, 6),
}
Size = tuple[int, int]
PAPERS_PX: dict[str, Size] = {
    name: (across * DPI, down * DPI) for name, (across, down) in PAPERS_IN.items()
}


def convert_mm(length_mm: float) -> int:
    """Millimetres of paper in pixels."""
    return round(length_mm / MM_PER_INCH * DPI)
