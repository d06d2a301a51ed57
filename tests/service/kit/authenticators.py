"""An authenticator in software: makes passkeys and signs by them, honestly or not."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, SYNCABLE, ATTESTED = 0x01, 0x04, 0x08, 0x40
USUAL = PRESENT | VERIFIED

ED25519, ES256, RS256 = -8, -7, -257


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def data(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(value: int, length: int) -> bytes:
    return value.to_bytes(length, "big")


class Key:
    """A key pair of one algorithm."""

    def __init__(self, algorithm: int = ES256) -> None:
        self.algorithm = algorithm
        self._made: Any
        if algorithm == ES256:
            self._made = ec.generate_private_key(ec.SECP256R1())
        elif algorithm == ED25519:
            self._made = ed25519.Ed25519PrivateKey.generate()
        else:
            self._made = rsa.generate_private_key(65537, 2048)

    @property
    def cose(self) -> dict[int, Any]:
        """The public half as RFC 9052 writes it."""
        public = self._made.public_key()
        if self.algorithm == ES256:
            at = public.public_numbers()
            return {1: 2, 3: ES256, -1: 1, -2: _number(at.x, 32), -3: _number(at.y, 32)}
        if self.algorithm == ED25519:
            return {1: 1, 3: ED25519, -1: 6, -2: public.public_bytes_raw()}
        of = public.public_numbers()
        return {1: 3, 3: RS256, -1: _number(of.n, 256), -2: _number(of.e, 3)}

    def sign(self, signed: bytes) -> bytes:
        if self.algorithm == ES256:
            return bytes(self._made.sign(signed, ec.ECDSA(SHA256())))
        if self.algorithm == ED25519:
            return bytes(self._made.sign(signed))
        return bytes(self._made.sign(signed, padding.PKCS1v15(), SHA256()))


@dataclass
class Authenticator:
    """One passkey of one device, and the browser before it."""

    origin: str
    rp_id: str = "localhost"
    key: Key = field(default_factory=Key)
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    flags: int = USUAL
    counter: int = 1
    person: bytes = b""
    told: dict[str, Any] = field(default_factory=dict)
    """Of what the browser says, what is otherwise than it should be."""
    cose: Mapping[int, Any] | None = None
    """What it says of its key; None: the truth."""
    attestation: Mapping[str, Any] = field(default_factory=lambda: {"fmt": "none", "attStmt": {}})

    def make(self, options: Mapping[str, Any]) -> str:
        """Answer what a browser is asked to make a passkey by."""
        self.person = data(options["user"]["id"])
        client = self._client("webauthn.create", options["challenge"])
        key = cbor2.dumps(dict(self.cose or self.key.cose))
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + key
        found = {**self.attestation, "authData": self._data(ATTESTED) + attested}
        return self._answer({"clientDataJSON": client, "attestationObject": cbor2.dumps(found)})

    def use(self, options: Mapping[str, Any], **other: bytes) -> str:
        """Answer what a passkey is asked; ``other``: what is put in place of the right parts."""
        self.counter += 1 if self.counter else 0
        client = self._client("webauthn.get", options["challenge"])
        about = self._data()
        parts = {
            "clientDataJSON": client,
            "authenticatorData": about,
            "signature": self.key.sign(about + hashlib.sha256(client).digest()),
            "userHandle": self.person,
            **other,
        }
        return self._answer(parts)

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**told, **self.told}).encode()

    def _data(self, more: int = 0) -> bytes:
        party = hashlib.sha256(self.rp_id.encode()).digest()
        return party + bytes([self.flags | more]) + self.counter.to_bytes(4, "big")

    def _answer(self, parts: Mapping[str, bytes]) -> str:
        return json.dumps(
            {
                "id": text(self.credential),
                "rawId": text(self.credential),
                "type": "public-key",
                "response": {name: text(part) for name, part in parts.items()},
                "clientExtensionResults": {},
            }
        )
