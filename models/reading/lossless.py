"""JPEG lossless, process 14 (ITU-T T.81 annex H), in numpy.

Radiography archives are full of it, and no library will do: Pillow reads it at 8 bits only,
pylibjpeg-libjpeg is GPL-3, and GDCM and the ljpeg of imagecodecs are brought down by damaged files.
The jpegsof3 of imagecodecs survives them, but gave back 299 of 300 pictures with a bit flipped, of
which a third are refused here, and comes in 80 megabytes. Here damage can do no worse than raise,
and every code must fit: data that end early, run over or hold an undefined code are refused, where
C decoders fill in grey and carry on.

Huffman codes are sequential, which Python is slow at. But how far the next one lies depends on the
next 16 bits alone: numpy works that out for every bit position at once, and what is left to
Python is one addition a sample. Where codes are so short that a small file holds many of them,
numpy also works out how far sixteen of them reach. A scan of ordinary size takes 30 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.image.errors import CorruptFileError
from models.reading.jpeg import DHT, DRI, LOSSLESS, SOS, Frame, Segment

CHUNK: Final = 1 << 15
"""Bytes whose bit positions are worked out at once: a megabyte for each step, which stays near."""
LEAPS: Final = 4
"""Times that steps are doubled where codes are short: then one addition does for sixteen."""
SHORT: Final = 6
"""Bits a sample below which doubling pays."""
BLOCK: Final = 256
"""Lines or columns that are summed at once: a large image is not held a second time."""
MAX_CATEGORY: Final = 16
MAX_STRIPS: Final = 4096
"""Restarts cost a quarter of a millisecond each; one a line is the most that encoders write."""
# Without the fill bytes before it: see jpeg._AFTER_ENTROPY.
_RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]")

Differences = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Table:
    """A Huffman table, looked up by the next 16 bits: length of the code, category it stands for.

    (65536,) uint8 each; a length of 0 marks bits that begin no code.
    """

    length: NDArray[np.uint8]
    category: NDArray[np.uint8]
    taken: NDArray[np.uint8]
    """The bits of a code and its extra bits, 1 where no code begins."""


def decode(found: Sequence[Segment], frame: Frame) -> NDArray[np.uint16]:
    """Return the samples of a lossless JPEG: (height, width), or (height, width, 3).

    Takes the file's segments and their frame header. Values are of ``frame.precision`` bits,
    unsigned. Raises :class:`CorruptFileError` when a table or the coded data are damaged.
    """
    if frame.marker != LOSSLESS or not 2 <= frame.precision <= 16:
        raise CorruptFileError("The JPEG data are of another process than the transfer syntax.")
    if any((c.horizontal, c.vertical) != (1, 1) for c in frame.components):
        raise CorruptFileError("The lossless JPEG has subsampled colour, which is not lossless.")
    ids = [component.id for component in frame.components]
    planes: dict[int, NDArray[np.uint16]] = {}
    tables: dict[int, bytes] = {}
    interval = 0
    for segment in found:
        match segment.marker:
            case marker if marker == DHT:
                tables.update(_tables(segment.body))
            case marker if marker == DRI and len(segment.body) == 2:
                interval = int.from_bytes(segment.body, "big")
            case marker if marker == SOS:
                if not planes.keys().isdisjoint(segment.body[1:-3:2]):
                    raise CorruptFileError("The lossless JPEG holds a component twice.")
                planes.update(_scan(segment, frame, tables, interval))
            case _:
                pass
    if sorted(planes) != sorted(ids):
        raise CorruptFileError("The lossless JPEG does not hold each of its components.")
    samples = np.stack([planes[id_] for id_ in ids], axis=-1)
    return samples[..., 0] if len(ids) == 1 else samples


def _tables(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the identifiers of a DHT segment's tables (B.2.4.2) with what defines each."""
    offset = 0
    while offset < len(body):
        counts = body[offset + 1 : offset + 17]
        end = offset + 17 + sum(counts)
        if len(counts) < 16 or len(body) < end:
            raise CorruptFileError("The lossless JPEG has a broken Huffman table.")
        yield body[offset], body[offset + 1 : end]
        offset = end


def _table(defined: bytes) -> Table:
    """Return the table that ``defined``, counts and values, is. Built for scans that use it:
    a file of a megabyte may define sixty thousand."""
    counts, values = defined[:16], defined[16:]
    length = np.zeros(1 << 16, np.uint8)
    category = np.zeros(1 << 16, np.uint8)
    position = index = 0
    for bits, count in enumerate(counts, start=1):
        # Codes of one length follow each other; each owns all that its 16 bits begin.
        span = 1 << (16 - bits)
        if position + count * span > 1 << 16:
            raise CorruptFileError("The lossless JPEG has a broken Huffman table.")
        stop = position + count * span
        length[position:stop] = bits
        category[position:stop] = np.repeat(
            np.frombuffer(values[index : index + count], np.uint8), span
        )
        position, index = stop, index + count
    length[category > MAX_CATEGORY] = 0
    taken = np.where(length, length + _extra_bits(category), 1).astype(np.uint8)
    return Table(length, category, taken)


def _scan(
    segment: Segment, frame: Frame, tables: dict[int, bytes], interval: int
) -> dict[int, NDArray[np.uint16]]:
    """Return the planes, by component, of one scan (B.2.3, H.1.2)."""
    body = segment.body
    count = body[0] if body else 0
    if not count or len(body) != 4 + 2 * count:
        raise CorruptFileError("The lossless JPEG has a broken scan header.")
    selectors = body[1 : 1 + 2 * count]
    predictor, shift = body[-3], body[-1] & 15
    defined = [tables[selector >> 4] for selector in selectors[1::2] if selector >> 4 in tables]
    if len(defined) != count or count > len(frame.components):
        raise CorruptFileError("The lossless JPEG lacks a Huffman table.")
    if not 1 <= predictor <= 7 or shift >= frame.precision or interval % frame.width:
        raise CorruptFileError("The lossless JPEG has a broken scan header.")
    built = {table: _table(table) for table in defined}
    used = [built[table] for table in defined]
    # Prediction starts anew behind each restart marker, which stands at the end of a line.
    rows = min(interval // frame.width or frame.height, frame.height)
    strips = _strips(segment.entropy, -(-frame.height // rows))
    differences = np.zeros((len(strips) * rows, frame.width, count), np.int32)
    for index, strip in enumerate(strips):
        into = differences[index * rows : min((index + 1) * rows, frame.height)]
        _differences(strip, used, into.reshape(-1))
    planes = {}
    for index, component in enumerate(selectors[::2]):
        samples = np.ascontiguousarray(differences[..., index])
        _undo_prediction(
            samples.reshape(len(strips), rows, frame.width),
            predictor,
            1 << frame.precision - shift - 1,
        )
        plane = samples[: frame.height]
        plane &= 0xFFFF
        plane <<= shift
        if int(plane.max()) >> frame.precision:
            raise CorruptFileError("The lossless JPEG data leave the range of their grey levels.")
        planes[component] = plane.astype(np.uint16)
    return planes


def _strips(entropy: bytes, count: int) -> list[bytes]:
    """Return the coded data between restart markers, which must come in their order."""
    if count > MAX_STRIPS:
        raise CorruptFileError(f"The lossless JPEG restarts more than {MAX_STRIPS} times.")
    strips = _RESTART.split(entropy)
    restarts = [marker[-1] & 7 for marker in _RESTART.findall(entropy)]
    if restarts != [index % 8 for index in range(count - 1)]:
        raise CorruptFileError("The lossless JPEG's restart markers are missing or out of order.")
    strips[:-1] = [strip.rstrip(b"\xff") for strip in strips[:-1]]
    return [strip.replace(b"\xff\x00", b"\xff") for strip in strips]


def _differences(data: bytes, tables: Sequence[Table], into: Differences) -> None:
    """Fill ``into`` with the differences that ``data`` codes, with ``tables`` taking turns."""
    # A code with its extra bits reaches 31 bits ahead; ones are what encoders pad with.
    padded = np.frombuffer(data + b"\xff" * 8, np.uint8)
    count = len(into)
    position = done = 0
    for base in range(0, len(data), CHUNK):
        octets = padded[base : base + CHUNK + 8].astype(np.int32)
        ahead = octets[:-2] << 16 | octets[1:-1] << 8 | octets[2:]
        end, most = 8 * min(CHUNK, len(data) - base), count - done
        turns = [tables[(done + turn) % len(tables)] for turn in range(len(tables))]
        following = {table: _following(ahead, table, end) for table in turns}
        leaps = LEAPS if most * SHORT > 8 * (len(data) - base) else 0
        starts, here = _walk(
            [following[table] for table in turns], position - 8 * base, end, most, leaps
        )
        into[done : done + len(starts)] = _values(ahead, starts, turns)
        position = 8 * base + here
        done += len(starts)
        if done == count:
            break
    if done < count or not 0 <= 8 * len(data) - position < 16:
        raise CorruptFileError("The lossless JPEG data hold more or fewer pixels than they claim.")


def _following(ahead: NDArray[np.int32], table: Table, end: int) -> NDArray[np.int32]:
    """Return, for every bit position, where the code behind the one there begins.

    ``ahead`` holds, for each byte, the 24 bits that it begins. From ``end`` on each is its own.
    """
    steps = np.empty((len(ahead), 8), np.uint8)
    for phase in range(8):
        steps[:, phase] = table.taken[ahead >> 8 - phase & 0xFFFF]
    flat = steps.reshape(-1)
    flat[end:] = 0
    return np.arange(len(flat), dtype=np.int32) + flat


def _walk(
    following: Sequence[NDArray[np.int32]], here: int, end: int, most: int, leaps: int
) -> tuple[NDArray[np.int32], int]:
    """Return where codes begin from ``here`` to ``end``, ``most`` at most, and where the next does.

    The tables of ``following`` take turns. Python goes from every 2**``leaps``-th round of them to
    the next, numpy fills in those between.
    """
    rounds = [following[0]]
    for turn in following[1:]:
        rounds[0] = turn[rounds[0]]
    for _ in range(leaps):
        rounds.append(rounds[-1][rounds[-1]])
    far = rounds.pop()
    view, stride = far.data, len(following) << leaps
    landings: list[int] = []
    for _ in range(-(-most // stride)):
        if here >= end:
            break
        landings.append(here)
        here = view[here]
    starts = np.array(landings, np.int32)
    for near in reversed(rounds):
        starts = np.stack([starts, near[starts]], axis=1).reshape(-1)
    if len(following) > 1:
        turns = [starts]
        for turn in following[:-1]:
            turns.append(turn[turns[-1]])
        starts = np.stack(turns, axis=1).reshape(-1)
    starts = starts[: min(int(np.searchsorted(starts, end)), most)]
    if len(starts):
        here = int(following[(len(starts) - 1) % len(following)][starts[-1]])
    return starts, here


def _values(
    ahead: NDArray[np.int32], starts: NDArray[np.int32], turns: Sequence[Table]
) -> Differences:
    """Return the differences coded at the bit positions ``starts`` (H.1.2.2, F.1.2.1.1)."""
    window = ahead[starts >> 3] >> 8 - (starts & 7) & 0xFFFF
    length, category = np.empty_like(starts), np.empty_like(starts)
    for turn, table in enumerate(turns):
        length[turn :: len(turns)] = table.length[window[turn :: len(turns)]]
        category[turn :: len(turns)] = table.category[window[turn :: len(turns)]]
    if not length.all():
        raise CorruptFileError("The lossless JPEG data hold a code that is not in their table.")
    extra, behind = _extra_bits(category), starts + length
    bits = ahead[behind >> 3] >> 24 - (behind & 7) - extra & (1 << extra) - 1
    # The lower half of a category's values stands for its negative differences.
    negative = bits < 1 << extra >> 1
    differences: Differences = np.where(negative, bits - (1 << extra) + 1, bits)
    differences[category == MAX_CATEGORY] = 1 << 15
    return differences


def _extra_bits(category: NDArray[Any]) -> NDArray[Any]:
    """Return how many bits follow a code: as many as its category, but none in the last."""
    return np.where(category < MAX_CATEGORY, category, 0).astype(category.dtype)


def _undo_prediction(samples: Differences, predictor: int, first: int) -> None:
    """Make samples, modulo 2¹⁶, of (strips, rows, columns) differences in place (H.1.2.1).

    The first sample of a strip is predicted as ``first``, the rest of its line from the left (Ra),
    each other line's first from above (Rb). The commonest two predictors are sums over the image.
    """
    # int32 wraps around at a multiple of 2¹⁶: sums lose nothing.
    samples[:, 0, 0] += first
    if predictor == 2:
        samples[:, 0] = np.cumsum(samples[:, 0], axis=1, dtype=np.int32)
        for start in range(0, samples.shape[2], BLOCK):
            part = samples[:, :, start : start + BLOCK]
            part[...] = np.cumsum(part, axis=1, dtype=np.int32)
        return
    samples[:, :, 0] = np.cumsum(samples[:, :, 0], axis=1, dtype=np.int32)
    if predictor == 1:
        for start in range(0, samples.shape[1], BLOCK):
            part = samples[:, start : start + BLOCK]
            part[...] = np.cumsum(part, axis=2, dtype=np.int32)
        return
    samples[:, 0] = np.cumsum(samples[:, 0], axis=1, dtype=np.int32)
    # The others need left, above and corner: along a diagonal all three are at hand.
    strips, rows, columns = samples.shape
    flat = samples.reshape(strips, rows * columns)
    flat &= 0xFFFF
    for diagonal in range(2, rows + columns - 1):
        top, bottom = max(1, diagonal - columns + 1), min(rows - 1, diagonal - 1)
        start = top * columns + diagonal - top
        stop = bottom * columns + diagonal - bottom + 1
        step = columns - 1
        left = flat[:, start - 1 : stop - 1 : step]
        above = flat[:, start - columns : stop - columns : step]
        corner = flat[:, start - columns - 1 : stop - columns - 1 : step]
        match predictor:
            case 3:
                predicted = corner
            case 4:
                predicted = left + above - corner
            case 5:
                predicted = left + (above - corner >> 1)
            case 6:
                predicted = above + (left - corner >> 1)
            case _:
                predicted = left + above >> 1
        flat[:, start:stop:step] = flat[:, start:stop:step] + predicted & 0xFFFF
