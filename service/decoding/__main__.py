"""``python -m service.decoding DESCRIPTOR MODULE:FUNCTION``: a nursery; only the pool starts it."""

from __future__ import annotations

import sys

from service.decoding.nursery import main

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
