"""What SCIM calls an error (RFC 7644, 3.12): the hospital's directory reads no other form."""

from __future__ import annotations

from typing import Any, Final

PREFIX: Final = "/scim/v2"
MEDIA_TYPE: Final = "application/scim+json"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"


def error(status: int, detail: str, scim_type: str | None) -> dict[str, Any]:
    """Return the body of an answer that is not a success."""
    told = {"schemas": [ERROR], "status": str(status), "detail": detail}
    return told if scim_type is None else {**told, "scimType": scim_type}
