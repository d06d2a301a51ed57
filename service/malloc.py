"""How the C library keeps memory that was freed."""

from __future__ import annotations

import ctypes
from typing import Final

MIB: Final = 2**20

# glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_SETTINGS: Final = (
    # Each thread that meets another in malloc gets a heap of its own, up to eight a processor, and
    # what is freed in one serves no other.
    (_ARENA_MAX, 2),
    # An image is a mapping of its own, which goes back when it is freed. Left alone, the threshold
    # grows to 32 MiB with the first large image, and images lie between what stays.
    (_MMAP_THRESHOLD, MIB),
    (_TRIM_THRESHOLD, 4 * MIB),
)


def give_back() -> None:
    """Have freed memory go back to the system, where the C library is glibc; else do nothing."""
    try:
        set_option = ctypes.CDLL(None).mallopt
    except AttributeError:
        return
    for option, value in _SETTINGS:
        set_option(option, value)
