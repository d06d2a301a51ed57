"""How often the two threads of an association look for something to do.

pynetdicom's look every millisecond, which sixty associations on which nothing comes turn into more
than a processor. Here one on which nothing has come for a while is looked at less often.
"""

from __future__ import annotations

import queue
import time
from typing import Any, Final

from pynetdicom.association import Association

PROMPT: Final = 0.001
IDLE: Final = 0.02
"""Seconds between two looks, and so the longest that the first message after a pause waits."""
BUSY: Final = 0.25
"""Seconds after something came in which more is likely, and its answer is on its way."""


class Pace:
    """One association's, from now on."""

    def __init__(self, association: Association) -> None:
        dul: Any = association.dul
        dimse: Any = association.dimse
        self._dul = dul
        self._messages: queue.Queue[Any] = dimse.msg_queue
        self._hear, self._next = dul._is_transport_event, dimse.get_msg
        self._busy_until = time.monotonic() + BUSY
        dul._is_transport_event, dimse.get_msg = self._heard, self._message

    def _heard(self) -> bool:
        heard = bool(self._hear())
        now = time.monotonic()
        if heard:
            self._busy_until = now + BUSY
        self._dul._run_loop_delay = PROMPT if now < self._busy_until else IDLE
        return heard

    def _message(self, block: bool = False) -> Any:
        """Return the next message, or that there is none. One that comes while it waits is no
        later for that."""
        if block or time.monotonic() < self._busy_until:
            return self._next(block)
        try:
            return self._messages.get(timeout=IDLE)
        except queue.Empty:
            return None, None
