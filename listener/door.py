"""Who is connected: counts connections, makes room for new ones and ends those that are overdue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from listener.limits import Limits

SWEEP_SECONDS: Final = 0.5
"""How often connections are looked through; by so much a limit of time may be exceeded."""


class Guest(Protocol):
    """One connection, as far as the door is concerned."""

    @property
    def address(self) -> str: ...

    @property
    def waiting_since(self) -> float | None:
        """Since when no request has been in hand; None while one is."""
        ...

    def displace(self) -> None:
        """End a connection that nothing is asked on."""
        ...

    def look(self, now: float) -> None:
        """End the connection if it is overdue at ``now``."""
        ...


class Door:
    """All connections of one listener. ``ended`` is told why one was ended, a name of ``ENDS``."""

    def __init__(self, limits: Limits, ended: Callable[[str], None] = lambda _: None) -> None:
        self.limits: Final = limits
        self.ended: Final = ended
        self._guests: set[Guest] = set()
        self._of_address: Counter[str] = Counter()
        self._swept = 0.0

    def __len__(self) -> int:
        return len(self._guests)

    def enter(self, guest: Guest) -> bool:
        """Count ``guest`` in and return whether there is room for it, made where need be."""
        crowded = len(self._guests) >= self.limits.connections
        crowded_there = self._of_address[guest.address] >= self.limits.connections_per_address
        room = True
        if crowded or crowded_there:
            room = self._displace(guest.address if crowded_there else None)
        # Also without room: whoever is refused is there until its refusal has been sent.
        self._guests.add(guest)
        self._of_address[guest.address] += 1
        return room

    @property
    def overrun(self) -> bool:
        """Whether so many are there that were refused that none of them is told why any more."""
        return len(self._guests) > self.limits.connections + 64

    def leave(self, guest: Guest) -> None:
        if guest not in self._guests:
            return
        self._guests.discard(guest)
        self._of_address[guest.address] -= 1
        if self._of_address[guest.address] <= 0:
            del self._of_address[guest.address]

    def sweep(self, now: float) -> None:
        """Look through all connections, if it is time."""
        if now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        for guest in list(self._guests):
            guest.look(now)

    def _displace(self, address: str | None) -> bool:
        """End the connection, of ``address`` or of any, that has waited longest; False for none."""
        longest: tuple[float, Guest] | None = None
        for guest in self._guests:
            since = guest.waiting_since
            if since is None or (address is not None and guest.address != address):
                continue
            if longest is None or since < longest[0]:
                longest = (since, guest)
        if longest is None:
            return False
        self.leave(longest[1])
        longest[1].displace()
        return True
