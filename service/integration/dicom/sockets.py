"""A mend of pynetdicom 3.0.4, made where this is imported: sockets are closed whatever peers did.

pynetdicom's own way skips the closing where ``shutdown`` raises, as it does once a peer has refused
or reset a connection; the descriptor then stays until the garbage collector comes by. A class of
one's own has no place there: the associations that pynetdicom makes name its class.
"""

from __future__ import annotations

import contextlib
import socket

from pynetdicom.transport import AssociationSocket


def close(wrapped: AssociationSocket) -> None:
    """Shut down and close the connection of ``wrapped``; one that is closed stays so."""
    line = wrapped.socket
    if line is None:
        return
    with contextlib.suppress(OSError, ValueError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


# The mend itself: a method of the class that pynetdicom names is replaced.
AssociationSocket._shutdown_socket = close  # type: ignore[assignment, method-assign]
