"""Sandboxed decoding: files are decoded in worker processes that may be ended at any moment.

::

    decoder         two lanes: every file is short and small until it has shown that it is not
    └── pool        workers, each lent to one call; killed when a call is past its time
        ├── fork_server_process   starts, asks and ends the fork server
        │   └── fork_server     has everything loaded, and forks workers in milliseconds
        │       └── worker      calls functions, under a limit on memory
        └── messages    through a socket, for an event loop
            └── channel     calls and outcomes as bytes

Not ``concurrent.futures`` nor ``anyio.to_process``: the one cannot end a single worker, the other
starts each anew with all imports, and neither bounds memory.
"""

from __future__ import annotations

from service.decoding.decoder import BusyError, Decoder
from service.decoding.pool import Allowance, Pool

__all__ = ["Allowance", "BusyError", "Decoder", "Pool"]
