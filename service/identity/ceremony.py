"""What passes between passkeys and us (WebAuthn level 3): asking, and verifying the answers.

A passkey signs a challenge of ours together with the origin of the page that asked, as the browser
saw it, so that a page of another site gets an answer that is of no use here. Which device it is
nobody is asked: attestation is "none".
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEKTY, COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from service.http.hosts import LOOPBACK, Authority

NAME: Final = "osteoserve"
SECONDS: Final = 300
"""How long a challenge is good, and a browser asks for."""

_KINDS: Final = {
    COSEAlgorithmIdentifier.EDDSA: COSEKTY.OKP,
    COSEAlgorithmIdentifier.ECDSA_SHA_256: COSEKTY.EC2,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256: COSEKTY.RSA,
}
"""Algorithms that are taken, the best first, and the kind of key that each goes with."""

_PORTS: Final = {"http": 80, "https": 443}


class CeremonyError(Exception):
    """An answer that is none, or is not for us, or not by this key."""


@dataclass(frozen=True, kw_only=True)
class Party:
    """For whom passkeys are made: a host by its name, and what a browser calls its pages."""

    id: str
    origin: str


def party(public_url: str | None, host: str) -> Party | None:
    """Return the party of a front that people find at ``public_url``, without its path.

    Where none is set, ``host`` of the request counts, if it is ``localhost``. None: browsers have
    no passkeys there, as for an address of numbers, or plain http elsewhere.
    """
    if public_url is not None:
        parts = urlsplit(public_url)
        scheme, name, port = parts.scheme, (parts.hostname or "").rstrip("."), parts.port
    else:
        asked = Authority.parse(host)
        if asked is None or asked.host != LOOPBACK:
            return None
        scheme, name, port = "http", asked.host, asked.port
    is_local = name == LOOPBACK or name.endswith(f".{LOOPBACK}")
    if not name or _is_number(name) or not (scheme == "https" or is_local):
        return None
    at = "" if port in (None, _PORTS.get(scheme)) else f":{port}"
    return Party(id=name, origin=f"{scheme}://{name}{at}")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class Made:
    """A passkey that was just made."""

    credential: bytes
    public_key: bytes
    counter: int
    synced: bool


@dataclass(frozen=True, kw_only=True)
class Used:
    counter: int
    """0: it does not count."""
    synced: bool


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a browser sends of a passkey, of which nothing is verified yet."""

    text: str
    challenge: bytes
    credential: bytes
    person: bytes | None
    """Whom the passkey says that it is of."""


def to_make(
    party: Party, challenge: bytes, person_id: UUID, login: str, name: str, known: Sequence[bytes]
) -> str:
    """Return the JSON by which a browser makes a passkey; it knows ``known`` already."""
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=NAME,
        # Our number of them, which says nothing to whoever finds the device.
        user_id=person_id.bytes,
        user_name=login,
        user_display_name=name,
        challenge=challenge,
        timeout=SECONDS * 1000,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        supported_pub_key_algs=list(_KINDS),
    )
    return webauthn.options_to_json(options)


def to_use(party: Party, challenge: bytes, known: Sequence[bytes]) -> str:
    """Return the JSON by which a browser uses a passkey, one of ``known``; none: any of ours."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=SECONDS * 1000,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def challenge_made(text: str) -> bytes:
    """Return the challenge that a new passkey says it answers. Raises :class:`CeremonyError`."""
    with _read():
        return _challenge(parse_registration_credential_json(text).response.client_data_json)


def made(text: str, party: Party, challenge: bytes) -> Made:
    """Return the new passkey of ``text``. Raises :class:`CeremonyError`."""
    with _read():
        parsed = parse_registration_credential_json(text)
        # Other statements are long, and say what nobody has asked for.
        if parse_attestation_object(parsed.response.attestation_object).fmt != (
            AttestationFormat.NONE
        ):
            raise CeremonyError("an attestation that was not asked for")
        found = webauthn.verify_registration_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=list(_KINDS),
        )
        key = decode_credential_public_key(found.credential_public_key)
        # The library looks at the algorithm alone, and verifies by the kind of key.
        if _KINDS[COSEAlgorithmIdentifier(key.alg)] != key.kty:
            raise CeremonyError("a key of another kind than its algorithm")
        # Raises for a point that is on no curve, which would only be found when it is used.
        usable = decoded_public_key_to_cryptography(key)
        if isinstance(usable, EllipticCurvePublicKey) and not isinstance(usable.curve, SECP256R1):
            raise CeremonyError("another curve than ES256 goes with")
    return Made(
        credential=found.credential_id,
        public_key=found.credential_public_key,
        counter=found.sign_count,
        synced=found.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
    )


def answer(text: str) -> Answer:
    """Return what ``text`` says. Raises :class:`CeremonyError`."""
    with _read():
        parsed = parse_authentication_credential_json(text)
        return Answer(
            text=text,
            challenge=_challenge(parsed.response.client_data_json),
            credential=parsed.raw_id,
            person=parsed.response.user_handle,
        )


def used(answer: Answer, party: Party, challenge: bytes, public_key: bytes) -> Used:
    """Return what ``answer`` says of the passkey of ``public_key``, verified.

    Whether its counter has risen is not looked at. Raises :class:`CeremonyError`.
    """
    with _read():
        found = webauthn.verify_authentication_response(
            credential=answer.text,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            # The library would look before it has verified the signature.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    return Used(
        counter=found.new_sign_count,
        synced=found.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
    )


def _challenge(client_data: bytes) -> bytes:
    told = json.loads(client_data)
    # A page of another site that holds ours in a frame, which no page of ours allows.
    if told.get("crossOrigin") or not isinstance(told.get("challenge"), str):
        raise CeremonyError("asked for by a page in a frame, or of no challenge")
    return webauthn.base64url_to_bytes(told["challenge"])


@contextmanager
def _read() -> Iterator[None]:
    """Raise :class:`CeremonyError` for whatever a stranger's bytes do to those who read them."""
    try:
        yield
    except CeremonyError:
        raise
    # Lengths, CBOR, curves: the library raises a dozen kinds, and Python's own between them.
    except Exception as error:
        raise CeremonyError(type(error).__name__) from error
