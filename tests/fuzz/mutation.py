"""Damage of kinds that readers fall over, made of a seed: the same seed is the same file."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Final

LARGEST: Final = 1_000_000

# What length and count fields hold when they are to do harm.
NUMBERS: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)

Damage = Callable[[bytearray, random.Random], bytearray]


def _flip(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 2, 8, 32))):
        data[_place(data, chance)] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return data


def _number(data: bytearray, chance: random.Random) -> bytearray:
    width, order = chance.choice(("H", "I")), chance.choice("<>")
    size = struct.calcsize(width)
    place = _place(data, chance)
    value = chance.choice(NUMBERS) & ((1 << 8 * size) - 1)
    data[place : place + size] = struct.pack(order + width, value)
    return data


def _repeat(data: bytearray, chance: random.Random) -> bytearray:
    """Say a stretch again and again: tables, entries, items, restarts."""
    start = _place(data, chance)
    stretch = data[start : start + chance.choice((1, 2, 8, 12, 16, 64, 512))]
    most = max(1, (LARGEST - len(data)) // max(1, len(stretch)))
    times = min(most, chance.choice((2, 16, 256, 4096, 100_000)))
    return data[:start] + stretch * times + data[start:]


def _fill(data: bytearray, chance: random.Random) -> bytearray:
    start = _place(data, chance)
    run = bytes((chance.choice((0, 0xFF)),)) * chance.choice((4, 64, 4096, 100_000))
    return data[:start] + run + data[start:]


def _cut(data: bytearray, chance: random.Random) -> bytearray:
    return data[: _place(data, chance)]


def _drop(data: bytearray, chance: random.Random) -> bytearray:
    start = _place(data, chance)
    del data[start : start + chance.choice((1, 2, 4, 16, 256))]
    return data


def _swap(data: bytearray, chance: random.Random) -> bytearray:
    """Put a stretch elsewhere, so that offsets overlap and order is lost."""
    start, length = _place(data, chance), chance.choice((2, 8, 12, 64))
    stretch = data[start : start + length]
    place = _place(data, chance)
    data[place : place + len(stretch)] = stretch
    return data


DAMAGES: Final[Sequence[Damage]] = (
    _flip,
    _flip,
    _number,
    _number,
    _repeat,
    _fill,
    _cut,
    _drop,
    _swap,
)


def mutated(data: bytes, seed: str | random.Random) -> bytes:
    """Return ``data`` damaged once to three times, :data:`LARGEST` bytes at most.

    By a source of chance instead of a seed whoever searches decides what is damaged, and can find
    the smallest damage that does the same.
    """
    chance = random.Random(seed) if isinstance(seed, str) else seed  # noqa: S311 - no secret
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3))):
        if found:
            found = chance.choice(DAMAGES)(found, chance)
    return _checked(bytes(found[:LARGEST]))


def _place(data: bytearray, chance: random.Random) -> int:
    """Return a place in ``data``: half of them in its head, where claims are made."""
    return (
        chance.randrange(min(len(data), 600) if chance.random() < 0.5 else len(data)) if data else 0
    )


def _checked(data: bytes) -> bytes:
    """Return ``data``, a PNG's checksums put right, or nothing behind the first would be read."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    chunks, offset = [data[:8]], 8
    while len(data) >= offset + 12:
        length = int.from_bytes(data[offset : offset + 4], "big")
        body = data[offset + 4 : offset + 8 + length]
        if len(data) < offset + 12 + length:
            break
        chunks.append(data[offset : offset + 4] + body + struct.pack(">I", zlib.crc32(body)))
        offset += 12 + length
    return b"".join((*chunks, data[offset:]))
