"""Codes of a second factor: what an app shows (RFC 6238), and what stands in for it once.

SHA-1, six digits, thirty seconds: what every app takes. A code of the step before and of the next
one is taken as well, since clocks differ.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from typing import Final

import pyotp
import segno

from service.identity.secrets import hashed

SECONDS: Final = 30
DIGITS: Final = 6
ISSUER: Final = "osteoserve"
RECOVERY: Final = 10
"""Codes that stand in."""

_GROUP, _GROUPS = 4, 6
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 signs that are not taken for one another: 120 bits in 24 of them, for which a plain hash will
do (ASVS 6.5.2)."""


def new_secret() -> str:
    """Return 160 random bits in base32, as apps take them."""
    return pyotp.random_base32(32)


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """Return the step whose code ``code`` is, one before or after now at most; None: no such."""
    digits = code.replace(" ", "")
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    made = pyotp.TOTP(secret)
    now = int(at.timestamp()) // SECONDS
    found = None
    for step in (now, now - 1, now + 1):
        # Each is looked at: how long it takes tells nothing.
        if hmac.compare_digest(made.generate_otp(step), digits):
            found = step
    return found


def address(secret: str, login: str) -> str:
    """Return the ``otpauth:`` address that an app reads a factor from."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def picture(secret: str, login: str) -> str:
    """Return the same as a QR code: an ``svg`` element without style or script."""
    made = segno.make(address(secret, login), error="m", micro=False)
    return str(made.svg_inline(scale=4, border=4, light="#fff", dark="#000", omitsize=False))


def spaced(secret: str) -> str:
    """Return a secret in groups of four, for whoever types it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def recovery_codes() -> tuple[str, ...]:
    """Return new codes that each stand in for the app once."""
    return tuple(
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY)
    )


def recovery_hash(person_id: object, code: str) -> str:
    """Return what is kept of a recovery code of a person, however it is typed."""
    typed = "".join(code.lower().replace("-", " ").split())
    return hashed("recovery", f"{person_id}:{typed}")
