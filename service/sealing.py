"""Sealing what the database keeps, with keys that it has not.

AES-256-GCM under a key that HKDF makes of each key of the ring. What is sealed names its key by a
short hash and is bound to what it is for, so that it opens nowhere else. The first key seals, each
opens: a new one is put first, all is sealed anew with it, and the old one is dropped.
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
_NAME: Final = 8


class SealError(Exception):
    """No key of the ring opens it, or it is for something else."""


class Ring:
    """Keys, the newest first."""

    def __init__(self, keys: Sequence[bytes], purpose: str) -> None:
        """``purpose`` keeps what is made of the same keys elsewhere from opening anything here."""
        if not keys:
            raise ValueError("a ring without a key")
        made = [_key(one, purpose) for one in keys]
        self.first = _name(made[0])
        """The name of the key that seals."""
        self._keys = {_name(one): one for one in made}

    def seal(self, use: str, secret: bytes) -> str:
        """Return ``secret`` sealed for ``use``, as text."""
        sealed = base64.urlsafe_b64encode(self._encrypted(use, secret)).decode()
        return f"{VERSION}.{self.first}.{sealed}"

    def open(self, use: str, sealed: str) -> bytes:
        """Return what was sealed for ``use``. Raises :class:`SealError`."""
        version, _, rest = sealed.partition(".")
        name, _, text = rest.partition(".")
        if version != VERSION:
            raise SealError("no key of the ring has sealed it")
        try:
            return self._decrypted(use, name, base64.urlsafe_b64decode(text))
        except ValueError:
            raise SealError("it was changed, or is for something else") from None

    def seal_bytes(self, use: str, secret: bytes) -> bytes:
        """Return ``secret`` sealed for ``use``, as bytes that begin with the key's name."""
        return self.first.encode() + self._encrypted(use, secret)

    def open_bytes(self, use: str, sealed: bytes) -> bytes:
        """Return what :meth:`seal_bytes` has sealed for ``use``. Raises :class:`SealError`."""
        name = sealed[:_NAME].decode("ascii", "replace")
        return self._decrypted(use, name, sealed[_NAME:])

    def is_newest(self, sealed: str) -> bool:
        """Whether the first key has sealed it."""
        return sealed.split(".")[1:2] == [self.first]

    def _encrypted(self, use: str, secret: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._keys[self.first]).encrypt(nonce, secret, use.encode())

    def _decrypted(self, use: str, name: str, data: bytes) -> bytes:
        key = self._keys.get(name)
        if key is None:
            raise SealError("no key of the ring has sealed it")
        try:
            return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], use.encode())
        except (ValueError, InvalidTag):
            raise SealError("it was changed, or is for something else") from None


def _key(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret)


def _name(key: bytes) -> str:
    return hashlib.sha256(b"name:" + key).hexdigest()[:_NAME]
