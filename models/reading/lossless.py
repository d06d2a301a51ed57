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
numpy also works out how far sixteen of them reach; where restarts cut them into many short strips,
it walks through all of those at once. A scan of ordinary size takes 30 ms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

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
LONGER: Final = 1 << 20
UNDEFINED: Final = 1 << 21
"""No differences: those are of 17 bits."""
MAX_STRIPS: Final = 4096
"""Of one scan; a restart a line is the most that encoders write."""
CROWD: Final = 16
"""Strips from which on they are walked through together."""
PAD: Final = b"\xff" * 8
"""Follows coded data: a code with its extra bits reaches 31 bits ahead, and encoders pad with ones.
"""
# Without the fill bytes before it: see jpeg._AFTER_ENTROPY.
_RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]")

# As numpy wants them: to make them of Python's each time takes as long as a short line does.
_ONE: Final = np.array(1, np.int32)
_SIXTEEN_BITS: Final = np.array(0xFFFF, np.int32)

Differences = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Table:
    """A Huffman table, looked up by the next 16 bits: length of the code, category it stands for.

    (65536,) each; a length of 0 marks bits that begin no code.
    """

    length: NDArray[np.uint8]
    category: NDArray[np.uint8]
    taken: NDArray[np.uint8]
    """The bits of a code and its extra bits, 1 where no code begins."""
    difference: Differences
    """What they stand for; :data:`LONGER` where 16 bits do not tell, :data:`UNDEFINED`."""


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
    extra = _extra_bits(category)
    taken = np.where(length, length + extra, 1).astype(np.uint8)
    behind = np.arange(1 << 16, dtype=np.int32) >> np.maximum(16 - taken.astype(np.int32), 0)
    difference = _difference(behind & (1 << extra.astype(np.int32)) - 1, category)
    difference[taken > 16] = LONGER
    difference[length == 0] = UNDEFINED
    return Table(length, category, taken, difference)


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
    whole = frame.height // rows * rows
    _of_strips(strips[: whole // rows], used, differences[:whole].reshape(whole // rows, -1))
    if whole < frame.height:
        _differences(strips[-1], used, differences[whole : frame.height].reshape(-1))
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


def _of_strips(strips: Sequence[bytes], tables: Sequence[Table], into: Differences) -> None:
    """Fill each line of ``into`` with the differences that one of ``strips`` codes."""
    ends = np.cumsum([len(strip) + len(PAD) for strip in strips])
    first = 0
    while first < len(strips):
        begin = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, begin + CHUNK, side="right")))
        if last - first < CROWD:
            for index in range(first, last):
                _differences(strips[index], tables, into[index])
        else:
            _together(strips[first:last], tables, into[first:last])
        first = last


def _together(strips: Sequence[bytes], tables: Sequence[Table], into: Differences) -> None:
    """Do the same for strips that are short: a step is one for all of them."""
    lengths = np.array([len(strip) for strip in strips], np.int32)
    begins = np.cumsum(lengths + len(PAD), dtype=np.int32) - (lengths + len(PAD))
    ends = 8 * (begins + lengths)
    octets = np.frombuffer(PAD.join(strips) + 2 * PAD, np.uint8).astype(np.int32)
    ahead = octets[:-2] << 16 | octets[1:-1] << 8 | octets[2:]
    following = {table: _following(ahead, table, ends) for table in tables}
    count = into.shape[1]
    leaps = LEAPS if count * len(strips) * SHORT > 8 * int(lengths.sum()) else 0
    walk = _Walk([following[table] for table in tables], leaps)
    landings = np.empty((len(strips), -(-count // walk.stride)), np.int32)
    here = 8 * begins
    for step in range(landings.shape[1]):
        landings[:, step] = here
        here = walk.far[here]
    starts = walk.between(landings)[:, :count]
    left = ends - following[tables[(count - 1) % len(tables)]][starts[:, -1]]
    if np.any((starts[:, -1] >= ends) | (left < 0) | (left >= 16)):
        raise _unequal()
    into[...] = _values(ahead, starts, tables)


def _unequal() -> CorruptFileError:
    return CorruptFileError("The lossless JPEG data hold more or fewer pixels than they claim.")


def _differences(data: bytes, tables: Sequence[Table], into: Differences) -> None:
    """Fill ``into`` with the differences that ``data`` codes, with ``tables`` taking turns."""
    padded = np.frombuffer(data + PAD, np.uint8)
    count = len(into)
    position = done = 0
    for base in range(0, len(data), CHUNK):
        octets = padded[base : base + CHUNK + 8].astype(np.int32)
        ahead = octets[:-2] << 16 | octets[1:-1] << 8 | octets[2:]
        end, most = 8 * min(CHUNK, len(data) - base), count - done
        turns = [tables[(done + turn) % len(tables)] for turn in range(len(tables))]
        following = {table: _following(ahead, table, np.array([end])) for table in turns}
        leaps = LEAPS if most * SHORT > 8 * (len(data) - base) else 0
        walk = _Walk([following[table] for table in turns], leaps)
        starts, here = walk.alone(position - 8 * base, end, most)
        into[done : done + len(starts)] = _values(ahead, starts, turns)
        position = 8 * base + here
        done += len(starts)
        if done == count:
            break
    if done < count or not 0 <= 8 * len(data) - position < 16:
        raise _unequal()


def _following(
    ahead: NDArray[np.int32], table: Table, ends: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return, for every bit position, where the code behind the one there begins.

    ``ahead`` holds, for each byte, the 24 bits that it begins. Behind each of ``ends``, as far as
    padding goes, every position is its own.
    """
    steps = np.empty((len(ahead), 8), np.uint8)
    for phase in range(8):
        steps[:, phase] = table.taken[ahead >> 8 - phase & 0xFFFF]
    flat = steps.reshape(-1)
    flat[ends[:-1, None] + np.arange(8 * len(PAD), dtype=np.int32)] = 0
    flat[ends[-1] :] = 0
    return np.arange(len(flat), dtype=np.int32) + flat


class _Walk:
    """From code to code. The tables of ``following`` take turns; Python goes from every
    2**``leaps``-th round of them to the next, numpy fills in those between."""

    def __init__(self, following: Sequence[NDArray[np.int32]], leaps: int) -> None:
        self._following = following
        rounds = [following[0]]
        for turn in following[1:]:
            rounds[0] = turn[rounds[0]]
        for _ in range(leaps):
            rounds.append(rounds[-1][rounds[-1]])
        self.far = rounds.pop()
        self._rounds = rounds
        self.stride = len(following) << leaps
        """Codes from one landing to the next."""

    def between(self, landings: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return where codes begin at and behind ``landings``, along their last axis."""
        starts, shape = landings, landings.shape[:-1]
        for near in reversed(self._rounds):
            starts = np.stack([starts, near[starts]], axis=-1).reshape(*shape, -1)
        if len(self._following) > 1:
            turns = [starts]
            for turn in self._following[:-1]:
                turns.append(turn[turns[-1]])
            starts = np.stack(turns, axis=-1).reshape(*shape, -1)
        return starts

    def alone(self, here: int, end: int, most: int) -> tuple[NDArray[np.int32], int]:
        """Return where codes begin from ``here`` to ``end``, ``most`` at most, and where the next
        does."""
        view = self.far.data
        landings: list[int] = []
        for _ in range(-(-most // self.stride)):
            if here >= end:
                break
            landings.append(here)
            here = view[here]
        starts = self.between(np.array(landings, np.int32))
        starts = starts[: min(int(np.searchsorted(starts, end)), most)]
        if len(starts):
            last = self._following[(len(starts) - 1) % len(self._following)]
            here = int(last[starts[-1]])
        return starts, here


def _values(
    ahead: NDArray[np.int32], starts: NDArray[np.int32], turns: Sequence[Table]
) -> Differences:
    """Return the differences coded at the bit positions ``starts`` (H.1.2.2, F.1.2.1.1), along
    whose last axis tables take turns."""
    window = ahead[starts >> 3] >> 8 - (starts & 7) & 0xFFFF
    differences = np.empty_like(starts)
    for turn, table in enumerate(turns):
        own = np.s_[..., turn :: len(turns)]
        differences[own] = table.difference[window[own]]
    most = differences.max(initial=0)
    if most == UNDEFINED:
        raise CorruptFileError("The lossless JPEG data hold a code that is not in their table.")
    if most == LONGER:
        for turn, table in enumerate(turns):
            own = np.s_[..., turn :: len(turns)]
            longer = differences[own] == LONGER
            code = window[own][longer]
            category, behind = table.category[code], starts[own][longer] + table.length[code]
            extra = _extra_bits(category).astype(np.int32)
            bits = ahead[behind >> 3] >> 24 - (behind & 7) - extra & (1 << extra) - 1
            differences[own][longer] = _difference(bits, category)
    return differences


def _difference(bits: NDArray[np.int32], category: NDArray[np.uint8]) -> Differences:
    """Return what the extra ``bits`` of each ``category`` stand for."""
    extra = _extra_bits(category).astype(np.int32)
    # The lower half of a category's values stands for its negative differences.
    negative = bits < 1 << extra >> 1
    differences: Differences = np.where(negative, bits - (1 << extra) + 1, bits)
    differences[category == MAX_CATEGORY] = 1 << 15
    return differences


def _extra_bits(category: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how many bits follow a code: as many as its category, but none in the last."""
    return np.where(category < MAX_CATEGORY, category, 0).astype(np.uint8)


def _undo_prediction(samples: Differences, predictor: int, first: int) -> None:
    """Make samples, modulo 2¹⁶, of (strips, rows, columns) differences in place (H.1.2.1).

    The first sample of a strip is predicted as ``first``, the rest of its line from the left (Ra),
    each other line's first from above (Rb). What predictors use of left, above and corner (Rc)
    decides how much is done at once: an image, a line, a column or a diagonal.
    """
    # int32 wraps around at a multiple of 2¹⁶: sums lose nothing.
    samples[:, 0, 0] += first
    upended = samples.swapaxes(1, 2)
    match predictor:
        case 1:
            _sum(samples[:, :, :1], 1)
            _sum(samples, 2)
        case 2:
            _sum(samples[:, :1], 2)
            _sum(samples, 1)
        case 4:
            # Left, and above, less the corner: what lies between all of them is added once.
            _sum(samples, 2)
            _sum(samples, 1)
        case _:
            _sum(samples[:, :, :1], 1)
            _sum(samples[:, :1], 2)
            samples &= 0xFFFF
            match predictor:
                case 3:
                    _from_corners(min(samples, upended, key=lambda one: one.shape[1]))
                case 5:
                    _from_halves(samples)
                case 6:
                    # As a copy, in which what is worked on together also lies together.
                    lying = np.ascontiguousarray(upended)
                    _from_halves(lying)
                    upended[...] = lying
                case _:
                    _from_means(samples)


def _sum(samples: Differences, axis: int) -> None:
    for start in range(0, samples.shape[3 - axis], BLOCK):
        block = slice(start, start + BLOCK)
        part = samples[:, block] if axis == 2 else samples[:, :, block]
        part[...] = np.cumsum(part, axis=axis, dtype=np.int32)


def _from_corners(samples: Differences) -> None:
    for row in range(1, samples.shape[1]):
        line = samples[:, row]
        line[:, 1:] += samples[:, row - 1, :-1]
        line &= _SIXTEEN_BITS


def _from_halves(samples: Differences) -> None:
    """Predict from the left and half of what above adds to the corner: along a line, a sum."""
    corner, above = samples[:, 0, :-1], samples[:, 0, 1:]
    halves = np.empty_like(above)
    for row in range(1, samples.shape[1]):
        np.subtract(above, corner, halves)
        np.right_shift(halves, _ONE, halves)
        line = samples[:, row]
        corner, above = line[:, :-1], line[:, 1:]
        np.add(above, halves, above)
        line.cumsum(1, np.int32, line)
        np.bitwise_and(line, _SIXTEEN_BITS, line)


def _from_means(samples: Differences) -> None:
    """Predict from the mean of left and above, which along a diagonal are both at hand."""
    strips, rows, columns = samples.shape
    flat = samples.reshape(strips, rows * columns)
    means = np.empty((strips, min(rows, columns)), np.int32)
    step = columns - 1
    for diagonal in range(2, rows + columns - 1 if step else 0):
        top, bottom = max(1, diagonal - columns + 1), min(rows - 1, diagonal - 1)
        start = top * columns + diagonal - top
        stop = bottom * columns + diagonal - bottom + 1
        mean = means[:, : bottom - top + 1]
        left = flat[:, start - 1 : stop - 1 : step]
        above = flat[:, start - columns : stop - columns : step]
        here = flat[:, start:stop:step]
        np.add(left, above, mean)
        np.right_shift(mean, _ONE, mean)
        np.add(mean, here, mean)
        np.bitwise_and(mean, _SIXTEEN_BITS, here)
