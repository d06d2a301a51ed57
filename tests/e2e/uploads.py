"""``python -m tests.e2e.uploads URL COUNT BYTES``: that many uploads at once.

From a process of their own, so that whoever measures does not feel the sending. Prints the status
of each, 0 where none came.
"""

from __future__ import annotations

import asyncio
import sys

import httpx


async def main(url: str, count: int, size: int) -> None:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, trust_env=False, timeout=60) as client:

        async def send() -> int:
            try:
                return (await client.post(url, content=bytes(size))).status_code
            except httpx.TransportError:
                return 0

        print(*await asyncio.gather(*(send() for _ in range(count))))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
