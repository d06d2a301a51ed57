"""What is opened together is closed together, also where opening fails half way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self


class Closing(ABC):
    """Open between ``async with`` and its end."""

    @abstractmethod
    async def _open(self, stack: AsyncExitStack) -> None:
        """Open what is needed; ``stack`` closes it."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._opened = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._opened.aclose()
