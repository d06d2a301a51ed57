"""Has the work items that ask for what we do follow their cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping

from service.integration.destinations import (
    AnyDestination,
    DicomDestination,
    DicomWebDestination,
)
from service.integration.peers import Peers
from service.integration.settings import GatewaySettings
from service.integration.workitems.performing import Performance
from service.integration.workitems.schemas import Place
from service.storage.transaction import Transactions

Step = Callable[[], Awaitable[bool]]


class Performing:
    """Each step returns whether there may be more to do."""

    def __init__(self, settings: GatewaySettings, transactions: Transactions, peers: Peers) -> None:
        self._performance = Performance(settings, transactions, places(peers.destination))

    def steps(self) -> tuple[Step, ...]:
        """Return what is to be done again and again."""
        return self._performance.take_up, self._performance.follow

    async def tidy(self) -> None:
        await self._performance.tidy()


def places(destinations: tuple[AnyDestination, ...]) -> Mapping[str, Place]:
    """Return where objects can be retrieved from that ``destinations`` have, by their names."""
    return dict(_places(destinations))


def _places(destinations: tuple[AnyDestination, ...]) -> Iterator[tuple[str, Place]]:
    for one in destinations:
        if isinstance(one, DicomDestination):
            yield one.name, ("ae", one.called)
        elif isinstance(one, DicomWebDestination):
            yield one.name, ("url", one.base)
