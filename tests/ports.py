"""Ports of the loopback address for processes that tests start."""

from __future__ import annotations

import socket
import sys

HOLDS = sys.platform == "linux"
"""A server may listen where a silent socket is bound, if both reuse addresses."""


def held() -> socket.socket:
    """Return a socket bound to a free port, which nobody else is given while it is open."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def free_port() -> int:
    """Return a port that nobody else is given until the tests end, where it can be held."""
    holder = held()
    port = int(holder.getsockname()[1])
    if HOLDS:
        holder.detach()
    else:
        holder.close()
    return port
