"""What the groups of the hospital's directory give: the same settings as for a sign-in's groups."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from service.identity.actor import Actor, Role
from service.identity.events import RolesChanged
from service.identity.oidc.grants import Grants, of_groups
from service.identity.repository import memberships
from service.identity.repository.memberships import BY_SCIM
from service.identity.schemas import in_order
from service.identity.scim import repository
from service.identity.scim.schemas import Group
from service.storage.transaction import Transaction


def given(grants: Grants, site: str, groups: Collection[Group]) -> frozenset[Role]:
    """Return the roles at ``site`` that ``groups`` give, by their names or the directory's ids."""
    names = {name for one in groups for name in (one.display_name, one.external_id) if name}
    return frozenset(role for where, role in of_groups(grants, names) if where == site)


def is_elsewhere(grants: Grants, site: str, *names: str) -> bool:
    """Whether a group of these names gives something, and nothing at ``site``."""
    found = of_groups(grants, [name for name in names if name])
    return bool(found) and all(where != site for where, _role in found)


async def refresh(
    transaction: Transaction, actor: Actor, grants: Grants, people: Collection[UUID]
) -> None:
    """Give ``people`` at the actor's site what their groups give now."""
    connection, site = transaction.connection, actor.site
    groups = await repository.groups_of(connection, people)
    before = await repository.roles_of(connection, site, people)
    for person_id in sorted(people):
        old = in_order(before.get(person_id, ()))
        new = in_order(given(grants, site, groups.get(person_id, ())))
        if old == new:
            continue
        await memberships.set_roles(connection, person_id, site, new, BY_SCIM)
        await transaction.emit(
            RolesChanged(actor=actor, person_id=person_id, before=old, after=new, source="scim")
        )
