"""Who we are to a token endpoint, signed with a key of our own (SMART App Launch 2.2, Backend
Services; RFC 7523): nothing secret is sent.

The key is a PEM file, and says by itself how it signs: RSA by RS384, P-384 by ES384. It is known by
its thumbprint (RFC 7638), unless the server has given it another id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

LIFE: Final = timedelta(minutes=3)
"""Of the five minutes that SMART allows: what is left is for clocks that differ."""
LEAST_BITS: Final = 2048
"""Of an RSA key."""


class KeyFileError(ValueError):
    """The file has no key that could sign; the message says why."""


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    id: str
    algorithm: str
    private: RSAKey | ECKey

    def assertion(self, client: str, endpoint: str, at: datetime) -> str:
        """Return what ``endpoint`` knows ``client`` by, for one request alone."""
        made = int(at.timestamp())
        claims = {
            "iss": client,
            "sub": client,
            "aud": endpoint,
            "iat": made,
            "exp": made + int(LIFE.total_seconds()),
            "jti": str(uuid4()),
        }
        header = {"alg": self.algorithm, "kid": self.id, "typ": "JWT"}
        return jwt.encode(header, claims, self.private, algorithms=[self.algorithm])

    def public(self) -> dict[str, Any]:
        """Return its public half, as a JWK set has it."""
        kept = self.private.as_dict(private=False)
        return {**kept, "kid": self.id, "alg": self.algorithm, "use": "sig", "key_ops": ["verify"]}


def read(path: Path, id: str = "") -> SigningKey:
    """Return the key in ``path``, known as ``id``; empty: by its thumbprint.

    Raises :class:`KeyFileError`.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from None
    algorithm, private = _signing(path, text)
    return SigningKey(id=id or private.thumbprint(), algorithm=algorithm, private=private)


def _signing(path: Path, text: bytes) -> tuple[str, RSAKey | ECKey]:
    match key := _key(text):
        case RSAPrivateKey():
            if key.key_size < LEAST_BITS:
                raise KeyFileError(f"{path} is an RSA key of less than {LEAST_BITS} bits")
            return "RS384", RSAKey.import_key(key)
        case EllipticCurvePrivateKey():
            if not isinstance(key.curve, SECP384R1):
                raise KeyFileError(f"{path} is a key on another curve than P-384")
            return "ES384", ECKey.import_key(key)
        case _:
            raise KeyFileError(f"{path} is no private key in PEM, RSA or P-384, without a password")


def _key(text: bytes) -> object:
    try:
        return load_pem_private_key(text, None)
    # One with a password is a TypeError.
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
