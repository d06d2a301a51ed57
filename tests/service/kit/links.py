"""Which of the addresses that pages name a test has to ask for."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit


class Unseen:
    """Addresses not asked for yet: each path, and each value that it is asked with, once.

    A list's orders, filters and sizes, each of which the links of all the others carry along,
    would be thousands of addresses together, and ever more with each that is added.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[str, ...]] = set()

    def take(self, address: str) -> bool:
        """Whether ``address`` is to be asked for; the next time it is not."""
        parts = urlsplit(address)
        said = {(parts.path, *pair) for pair in parse_qsl(parts.query, keep_blank_values=True)}
        said |= {(parts.path,)}
        is_new = not said <= self._seen
        self._seen |= said
        return is_new
