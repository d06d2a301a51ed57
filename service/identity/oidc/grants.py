"""Which roles the identity provider's groups and programs have, and where: read of settings."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeAlias

from service.identity.actor import DEFAULT_SITE, ROLES, Role

Grant: TypeAlias = tuple[str, Role]
"""A site, and a role there."""

Grants: TypeAlias = Mapping[str, frozenset[Grant]]
"""What each group, or each program, is given."""

_SITE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

ALLOWED: Final = (
    'JSON as {"GROUP": "ROLE", "OTHER": ["SITE:ROLE", "ROLE"]} is allowed; roles are '
    f"{', '.join(ROLES)}, and a role without a site is one at {DEFAULT_SITE}"
)


def grants(text: str) -> Grants:
    """Return ``text``, a JSON object, as grants by group or program; of no text there are none.

    Raises ValueError, which says what is allowed.
    """
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(ALLOWED) from None
    if not isinstance(found, dict) or "" in found:
        raise ValueError(ALLOWED)
    return {name: _listed(told) for name, told in found.items()}


def of_groups(known: Grants, groups: Collection[str]) -> frozenset[Grant]:
    """Return what ``groups`` are given; those that nobody has named are given nothing."""
    return frozenset(grant for group in groups for grant in known.get(group, ()))


def by_site(given: Collection[Grant]) -> Mapping[str, frozenset[Role]]:
    """Return the roles of each site in ``given``."""
    sites = {site for site, _role in given}
    return {one: frozenset(role for site, role in given if site == one) for one in sorted(sites)}


def _listed(told: Any) -> frozenset[Grant]:
    listed = [told] if isinstance(told, str) else told
    if not isinstance(listed, list) or not listed:
        raise ValueError(ALLOWED)
    return frozenset(_grant(one) for one in listed)


def _grant(told: Any) -> Grant:
    if not isinstance(told, str):
        raise ValueError(ALLOWED)
    site, separator, name = told.rpartition(":")
    site = site if separator else DEFAULT_SITE
    for role in ROLES:
        if role == name and _SITE.fullmatch(site):
            return site, role
    raise ValueError(ALLOWED)
