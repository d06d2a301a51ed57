"""The keys that an identity provider signs with, as its key set names them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

MOST: Final = 100
"""Keys of a set that are looked at."""
BITS: Final = 2048, 8192
"""Least and most of an RSA key."""

_PUBLIC: Final = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
"""Nothing else of a key is read: no certificate, and no address of one."""

_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


@dataclass(frozen=True)
class Key:
    """A public key; ``id`` and ``algorithm`` where the set says so."""

    id: str | None
    kind: str
    curve: str | None
    algorithm: str | None
    public: RSAKey | ECKey

    def fits(self, algorithm: str) -> bool:
        """Whether the key is one for ``algorithm``."""
        if self.algorithm not in (None, algorithm):
            return False
        if self.kind == "EC":
            return _CURVES.get(algorithm) == self.curve
        return algorithm[:2] in ("RS", "PS")


Keys = tuple[Key, ...]


def keys(document: Mapping[str, Any]) -> Keys:
    """Return what of a key set can check a signature; the rest of it is left out."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        return ()
    return tuple(key for key in map(_key, listed[:MOST]) if key is not None)


def fitting(known: Sequence[Key], id: str | None, algorithm: str) -> Keys:
    """Return the keys that a token with this header may have been signed with.

    A token that names none is the only key's.
    """
    found = tuple(key for key in known if key.fits(algorithm))
    if id is None:
        return found if len(found) == 1 else ()
    return tuple(key for key in found if key.id == id)


def _key(told: Any) -> Key | None:
    if not isinstance(told, dict) or not _is_for_signatures(told):
        return None
    kind, id, algorithm = told.get("kty"), told.get("kid"), told.get("alg")
    names = _PUBLIC.get(kind) if isinstance(kind, str) else None
    if names is None or not isinstance(id, str | None) or not isinstance(algorithm, str | None):
        return None
    members: dict[str, str | list[str]] = {
        name: told[name] for name in names if isinstance(told.get(name), str)
    }
    try:
        if kind == "RSA" and not BITS[0] <= _bits(str(members["n"])) <= BITS[1]:
            return None
        public = RSAKey.import_key(members) if kind == "RSA" else ECKey.import_key(members)
        # It is looked at only when the key itself is asked for.
        _ = public.public_key
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return Key(id, str(kind), str(members["crv"]) if kind == "EC" else None, algorithm, public)


def _bits(number: str) -> int:
    raw = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
    return int.from_bytes(raw).bit_length()


def _is_for_signatures(told: Mapping[str, Any]) -> bool:
    uses = told.get("key_ops", ["verify"])
    return told.get("use", "sig") == "sig" and isinstance(uses, list) and "verify" in uses
