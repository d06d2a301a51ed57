"""Lookup tables in DICOM (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5): one form for three uses."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.image.errors import InvalidTagError, MissingTagError
from models.reading.dataset import Dataset
from models.reading.tags import Tag
from models.reading.types import Pixels

BLOCK: Final = 1 << 18
"""Values looked up at once: numpy makes eight bytes of each."""


def through(table: Pixels, values: Pixels) -> Pixels:
    """Return the entry of ``table``, (n,), for each of ``values``, (rows, columns)."""
    found: Pixels = np.empty(values.shape, table.dtype)
    lines = max(1, BLOCK // values.shape[1])
    for start in range(0, len(values), lines):
        found[start : start + lines] = table[values[start : start + lines]]
    return found


@dataclass(frozen=True, eq=False)
class Lookup:
    """``entries`` (n,) uint16 of ``bits`` bits; the first is for input value ``first``.

    Those of more bits are as they stand in the file: white, or another writer's scale.
    """

    first: int
    entries: NDArray[np.uint16]
    bits: int

    def __call__(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        """Return the entry for each of ``values``; beyond either end its last one holds."""
        index = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        found: NDArray[np.uint16] = self.entries[index.astype(np.intp)]
        return np.minimum(found, np.uint16((1 << self.bits) - 1))


def read(dataset: Dataset, descriptor: Tag, data: Tag, *, signed: bool) -> Lookup:
    """Return the table of ``dataset`` whose first input is two's complement when ``signed``.

    Raises :class:`MissingTagError` and :class:`InvalidTagError` when descriptor or data are absent
    or do not fit each other.
    """
    described = dataset.integers(descriptor)
    if described is None or data not in dataset:
        raise MissingTagError(f"{descriptor if described is None else data} is missing.")
    if len(described) != 3:
        raise InvalidTagError(f"{descriptor} has {len(described)} values; 3 are needed.")
    swapped = tuple(int.from_bytes(number.to_bytes(2, "big"), "little") for number in described)
    # Written in the other byte order, a depth is none.
    is_swapped = not 8 <= described[2] <= 16 and 8 <= swapped[2] <= 16
    count, first, bits = swapped if is_swapped else described
    # The descriptor's own VR tells the sign of its second value; without one the input's does.
    vr = dataset.raw(descriptor).vr
    if vr == "SS" or (vr is None and signed):
        (first,) = struct.unpack("=h", struct.pack("=H", first))
    if not 8 <= bits <= 16:
        raise InvalidTagError(f"{descriptor} describes {bits} bits; 8 to 16 are allowed.")
    # 65536 does not fit in 16 bits and is written as 0.
    entries = _entries(dataset, data, count or 1 << 16)
    if not is_swapped:
        return Lookup(first, entries, bits)
    # The entries may be so too: then only those of one byte, or of the same twice, are certain.
    high, low = entries >> 8, entries & 0xFF
    if high.any() and low.any() and (high != low).any():
        raise InvalidTagError(f"{descriptor} describes {described[2]} bits; 8 to 16 are allowed.")
    return Lookup(first, np.maximum(high, low), 8)


def _entries(dataset: Dataset, data: Tag, count: int) -> NDArray[np.uint16]:
    """Return ``count`` entries, each in a word of its own or, of 8 bits, two to a word."""
    stored = dataset.raw(data).data
    spare = stored[2 * count :]
    # Padding, as long as it is nothing but that.
    if len(stored) >= 2 * count and not spare.strip(spare[:1]):
        return np.frombuffer(stored, f"{dataset.order}u2", count).astype(np.uint16)
    if len(stored) == count + count % 2:
        octets = np.frombuffer(stored, np.uint8)
        if not dataset.little:
            octets = octets.reshape(-1, 2)[:, ::-1].reshape(-1)
        return octets[:count].astype(np.uint16)
    raise InvalidTagError(
        f"{data} is {len(stored)} bytes long; {2 * count} are needed for {count} entries."
    )
