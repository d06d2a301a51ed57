"""The seal: each link's hash is made of its entry and the link before, with a key."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from service.audit.schemas import Entry

VERSION: Final = b"\x01"
START: Final = "0" * 64
"""What the first link is made on."""


def link(key: bytes, number: int, previous: str, entry: Entry) -> str:
    """Return the hash of link ``number`` (HMAC-SHA-256 in hexadecimal)."""
    fields = (
        number, previous, entry.id.hex, entry.at, entry.kind, entry.site, entry.account_id,
        entry.key_id, entry.address, entry.object_kind, entry.object_id, entry.detail,
    )  # fmt: skip
    return _mac(key, b"link", fields)


def head(key: bytes, number: int, hash: str) -> str:
    """Return the seal of a chain that ends with link ``number``, whose hash is ``hash``."""
    return _mac(key, b"head", (number, hash))


def checkpoint(key: bytes, number: int, hash: str, cut_at: int) -> str:
    """Return the seal of a chain whose links up to ``number`` are cut: ``hash`` is the last's."""
    return _mac(key, b"checkpoint", (number, hash, cut_at))


def _mac(key: bytes, use: bytes, fields: tuple[object, ...]) -> str:
    made = hmac.new(key, VERSION + use, hashlib.sha256)
    for field in fields:
        # With its length before it, so that no two lists of fields read the same; nothing and an
        # empty text differ.
        text = b"-" if field is None else b"+" + str(field).encode()
        made.update(len(text).to_bytes(4, "big") + text)
    return made.hexdigest()
