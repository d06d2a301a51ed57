"""What is given out once and kept as a hash: session cookies, links, keys of programs.

All hold 256 random bits, so that a plain SHA-256 is as good as a slow one: there is nothing to
guess. A key has a shape that scanners of source code know, and a checksum, so that what is mistyped
costs no look into the database.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from typing import Final, Literal

PREFIX: Final = "osk_"
_KEY: Final = re.compile(r"osk_([A-Za-z0-9_-]{43})_([0-9a-f]{8})")
_TOKEN: Final = re.compile(r"[!-~]{32,200}")

Use = Literal[
    "session", "first", "password", "key", "state", "flow", "logout", "step", "recovery", "passkey",
    "launch",
]  # fmt: skip
"""A hash names what it is for: a token of one use is none of another."""


def token() -> str:
    """Return 43 characters that hold 256 random bits."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether ``text`` could be a token, ours or one that an operator has set."""
    return _TOKEN.fullmatch(text) is not None


def hashed(use: Use, text: str) -> str:
    """Return what is kept of ``text``."""
    return hashlib.sha256(f"{use}:{text}".encode()).hexdigest()


def api_key() -> str:
    """Return a new key of a program."""
    secret = token()
    return f"{PREFIX}{secret}_{_checksum(secret)}"


def is_api_key(text: str) -> bool:
    """Whether ``text`` has a key's shape, its checksum included."""
    found = _KEY.fullmatch(text)
    return found is not None and found[2] == _checksum(found[1])


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()):08x}"
