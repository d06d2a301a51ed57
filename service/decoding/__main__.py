"""``python -m service.decoding DESCRIPTOR MODULE:FUNCTION``: the fork server, for the pool."""

from __future__ import annotations

import sys

from service.decoding.fork_server import main

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
