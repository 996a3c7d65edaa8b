"""Damage for any bytes: what bad lines, bad programs and people who mean harm do to them."""

import random
from collections.abc import Callable, Sequence

NUMBERS = (
    *(0, 1, 2, 3, 4, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000),
    *(0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF),
)
BYTES = (0x00, 0x01, 0x0A, 0x0D, 0x20, 0x22, 0x2D, 0x3B, 0x5C, 0x7F, 0x80, 0xD8, 0xD9, 0xDA, 0xFF)
MOST_ROUNDS, MOST_REPEATED = 6, 256 * 1024

Mutation = Callable[[random.Random, bytearray], None]


def mutate(rng: random.Random, data: bytes, donors: Sequence[bytes] = ()) -> bytes:
    """One to six changes. ``donors``: other cases, of which a piece may be taken over."""
    body = bytearray(data)
    for _ in range(rng.randint(1, rng.choice((1, 2, MOST_ROUNDS)))):
        if donors and rng.random() < 0.1:
            _splice(rng, body, rng.choice(donors))
        else:
            rng.choice(MUTATIONS)(rng, body)
    return bytes(body)


def _choose_place(rng: random.Random, body: bytearray) -> int:
    """Mostly near the beginning, where heads are."""
    if not body:
        return 0
    return rng.randrange(min(len(body), rng.choice((32, 256, len(body), len(body)))))


def _choose_piece(rng: random.Random, body: bytearray) -> slice:
    at = _choose_place(rng, body)
    return slice(at, at + rng.choice((1, 2, 4, 16, rng.randint(1, max(1, len(body))))))


def _flip_bit(rng: random.Random, body: bytearray) -> None:
    if body:
        body[_choose_place(rng, body)] ^= 1 << rng.randrange(8)


def _set_byte(rng: random.Random, body: bytearray) -> None:
    if body:
        body[_choose_place(rng, body)] = rng.choice((*BYTES, rng.randrange(256)))


def _set_number(rng: random.Random, body: bytearray) -> None:
    width, at = rng.choice((2, 4, 8)), _choose_place(rng, body)
    order = "big" if rng.random() < 0.5 else "little"
    value = rng.choice(NUMBERS) % (1 << 8 * width)
    body[at : at + width] = value.to_bytes(width, order)  # type: ignore[arg-type]


def _delete(rng: random.Random, body: bytearray) -> None:
    del body[_choose_piece(rng, body)]


def _double(rng: random.Random, body: bytearray) -> None:
    piece = _choose_piece(rng, body)
    body[piece.start : piece.start] = body[piece]


def _repeat(rng: random.Random, body: bytearray) -> None:
    piece = _choose_piece(rng, body)
    times = min(rng.choice((10, 100, 10_000)), MOST_REPEATED // max(1, len(body[piece])))
    body[piece.start : piece.start] = body[piece] * times


def _insert(rng: random.Random, body: bytearray) -> None:
    at = _choose_place(rng, body)
    body[at:at] = rng.randbytes(rng.choice((1, 4, 64)))


def _truncate(rng: random.Random, body: bytearray) -> None:
    del body[rng.randint(0, len(body)) :]


def _append(rng: random.Random, body: bytearray) -> None:
    body += rng.choice((rng.randbytes(64), bytes(1000), b"\xff" * 1000, bytes(body[:4096])))


def _move(rng: random.Random, body: bytearray) -> None:
    piece = _choose_piece(rng, body)
    taken = body[piece]
    del body[piece]
    at = _choose_place(rng, body)
    body[at:at] = taken


def _splice(rng: random.Random, body: bytearray, donor: bytes) -> None:
    """A piece of another case in the place of one of this one."""
    theirs = bytearray(donor)
    body[_choose_piece(rng, body)] = theirs[_choose_piece(rng, theirs)]


MUTATIONS: tuple[Mutation, ...] = (
    *(_flip_bit, _set_byte, _set_number, _set_number, _delete, _double, _repeat, _insert),
    *(_truncate, _append, _move),
)
