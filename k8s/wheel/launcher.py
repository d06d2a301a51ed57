"""Starts the service from an installed wheel, in which it lies beside this file, below ``lib``.

Python's path gets that folder in front only here, so that no ``models`` or ``service`` of somebody
else meets it. In the wheel this is ``osteoserve_edge/__main__.py``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LIB: Final = Path(__file__).resolve().parent / "lib"


def main() -> int:
    """Return the exit status of ``python -m service`` with this process's arguments."""
    return _service(sys.argv[1:])


def edge() -> int:
    """Return the exit status of ``python -m service edge`` with this process's arguments."""
    return _service(["edge", *sys.argv[1:]])


def _service(arguments: Sequence[str]) -> int:
    # As the images set it: each thread of OpenBLAS keeps memory, and it is LiteRT that computes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path.insert(0, str(LIB))
    from service.__main__ import main as service  # noqa: PLC0415 - found by the line above

    return service(arguments)


if __name__ == "__main__":
    sys.exit(edge())
