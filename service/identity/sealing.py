"""Sealing small secrets that the database keeps, with keys that it has not.

AES-256-GCM under a key that HKDF makes of each key of the ring. What is sealed names its key by a
short hash and is bound to what it is for, so that it opens nowhere else. The first key seals, each
opens: a new one is put first, ``people reseal`` seals all with it, and the old one is dropped.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION: Final = "1"
_NONCE: Final = 12


class SealError(Exception):
    """No key of the ring opens it, or it is for something else."""


class Ring:
    """Keys, the newest first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a ring without a key")
        made = [_key(one) for one in keys]
        self._first = _name(made[0])
        self._keys = {_name(one): one for one in made}

    def seal(self, use: str, secret: bytes) -> str:
        """Return ``secret`` sealed for ``use``, as text."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(self._keys[self._first]).encrypt(nonce, secret, use.encode())
        return f"{VERSION}.{self._first}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, use: str, sealed: str) -> bytes:
        """Return what was sealed for ``use``. Raises :class:`SealError`."""
        version, _, rest = sealed.partition(".")
        name, _, text = rest.partition(".")
        key = self._keys.get(name)
        if version != VERSION or key is None:
            raise SealError("no key of the ring has sealed it")
        try:
            data = base64.urlsafe_b64decode(text)
            return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], use.encode())
        except (ValueError, InvalidTag):
            raise SealError("it was changed, or is for something else") from None

    def is_newest(self, sealed: str) -> bool:
        """Whether the first key has sealed it."""
        return sealed.split(".")[1:2] == [self._first]


def _key(secret: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"osteoserve second factor").derive(secret)


def _name(key: bytes) -> str:
    return hashlib.sha256(b"name:" + key).hexdigest()[:8]
