"""Errors with what SCIM calls their kind."""

from __future__ import annotations

from typing import Literal

from service.http.problems import Problem

ScimType = Literal[
    "invalidFilter", "invalidPath", "invalidSyntax", "invalidValue", "mutability", "noTarget",
    "tooMany", "uniqueness",
]  # fmt: skip


class ScimError(Problem):
    """Whose ``detail`` says what is allowed, and quotes nothing of what was sent."""

    def __init__(self, code: str, detail: str, scim_type: ScimType | None = None) -> None:
        super().__init__(code, detail, None, {} if scim_type is None else {"scimType": scim_type})


def wrong(detail: str, scim_type: ScimType = "invalidValue") -> ScimError:
    """Return what a request that cannot be taken is answered with."""
    return ScimError("bad_request", detail, scim_type)


def taken(field: str) -> ScimError:
    return ScimError("conflict", f"Another resource has this {field} already.", "uniqueness")


def nobody() -> ScimError:
    """Return what is said of an id of another site, too."""
    return ScimError("not_found", "No resource of this site has this id.")


def changed() -> ScimError:
    return ScimError("changed_meanwhile", "It is not, or not any more, as If-Match says.")


def other_site() -> ScimError:
    return ScimError("forbidden", "A group of this name gives roles at another site alone.")
