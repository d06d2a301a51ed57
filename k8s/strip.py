"""Take debugging information off shared libraries: ``python strip.py FOLDER…``, for images.

Wheels often ship it, two thirds of some files. Cut is what lies behind the last byte that a loader
maps, and with it the table of sections, which no loader reads. Nothing is moved, so that libraries
which were patched when their wheel was made stay as they are. Python alone, since an image's build
has no binutils.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Final

MAGIC: Final = b"\x7fELF\x02\x01"
"""64 bit, little endian: what amd64 and arm64 are. Others are left alone."""

WORTH: Final = 4096
"""Bytes: for less, a file stays as it was made."""

# System V ABI, "ELF Header" and "Program Header", 64 bit.
HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT: Final = struct.Struct("<IIQQQQQQ")


def strip(path: Path) -> int:
    """Return how many bytes ``path`` lost. What is no ELF file, or has nothing to lose, stays."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        head = file.read(HEADER.size)
        if len(head) < HEADER.size or not head.startswith(MAGIC):
            return 0
        fields = list(HEADER.unpack(head))
        segments, width, count = fields[5], fields[9], fields[10]
        file.seek(segments)
        table = file.read(width * count)
        if width != SEGMENT.size or len(table) < width * count or not count:
            return 0
        end: int = segments + len(table)
        for _, _, offset, _, _, length, *_ in SEGMENT.iter_unpack(table):
            end = max(end, offset + length)
        if size - end < WORTH:
            return 0
        # Where sections begin, how many there are, and which holds their names.
        fields[6] = fields[12] = fields[13] = 0
        file.seek(0)
        file.write(HEADER.pack(*fields))
        file.truncate(end)
    return size - end


def main(folders: list[str]) -> int:
    cut = sum(
        strip(path)
        for folder in folders
        for path in Path(folder).rglob("*.so*")
        if path.is_file() and not path.is_symlink()
    )
    print(f"strip: {cut / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
