"""What the hospital's directory is served by: one object, or none."""

from __future__ import annotations

from dataclasses import dataclass

from service.http.scim import PREFIX
from service.identity.oidc.settings import OidcSettings
from service.identity.scim import subjects
from service.identity.scim.groups import Groups
from service.identity.scim.users import Users
from service.storage.transaction import Transactions


@dataclass(frozen=True, kw_only=True)
class Directory:
    base: str
    """The address of it all."""
    users: Users
    groups: Groups


@dataclass(frozen=True)
class MaybeDirectory:
    """A directory, where an identity provider signs people in by what it sends."""

    directory: Directory | None


def of(
    settings: OidcSettings, issuer: str | None, public_url: str | None, transactions: Transactions
) -> MaybeDirectory:
    """Return what serves a directory; nothing does without an issuer.

    Nor where ``externalId`` alone does not say who signs in
    (:func:`service.identity.scim.subjects.template`).
    """
    if issuer is None or public_url is None:
        return MaybeDirectory(None)
    subject = subjects.template(settings.subject_claims, issuer)
    if subject is None:
        return MaybeDirectory(None)
    grants = settings.group_grants
    return MaybeDirectory(
        Directory(
            base=public_url.rstrip("/") + PREFIX,
            users=Users(issuer, subject, grants, transactions),
            groups=Groups(grants, transactions),
        )
    )
