"""Forms of sign-in, accounts and keys: their fields, and in words what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from service.errors import Fault
from service.identity.actor import ROLES, Role
from service.identity.passwords import LONGEST, SHORTEST
from service.identity.schemas import (
    LONGEST_KEY_DAYS,
    LONGEST_LOGIN,
    LONGEST_NAME,
    LONGEST_REASON,
    LONGEST_SITE,
    SHORTEST_REASON,
)
from service.language.locale import N_, _
from service.web.forms import Field, FieldGroup, options

ROLE_NAMES: Final[Mapping[Role, str]] = {
    "viewer": N_("Viewer"),
    "clinician": N_("Clinician"),
    "integrator": N_("Integrator"),
    "administrator": N_("Administrator"),
    "auditor": N_("Auditor"),
    "provisioner": N_("Provisioner"),
}

_ROLES: Final[Mapping[Role, str]] = {
    "viewer": N_("Viewer: reads results"),
    "clinician": N_("Clinician: sends images, reads, enters facts and signs"),
    "integrator": N_("Integrator: a program, sends images and reads what it sent"),
    "administrator": N_("Administrator: manages people and keys, deletes results, sees no image"),
    "auditor": N_("Auditor: reads and exports the trail, sees no image"),
    "provisioner": N_("Provisioner: the hospital’s directory, adds and ends people (SCIM)"),
}

_FAULTS: Final[Mapping[str, str]] = {
    "missing": N_("This is needed."),
    "login": N_("2 to 64 of a to z, digits, and . _ @ + - are allowed."),
    "name": N_("One line of at most 80 characters, please."),
    "guessable": N_("This is among what is tried first: use words that nobody would put together."),
    "different": N_("This is not the same as above."),
    "role": N_("Choose one of those listed."),
    "days": N_("1 to 366 days, please."),
    "taken": N_("Somebody has this already."),
    "wrong": N_("This is not your password."),
    "listed": N_("Choose one of those listed."),
    "reason": N_("10 to 500 characters on one line, please."),
    "remark": N_("At most 500 characters on one line, please."),
    "site": N_("1 to 63 of a to z, digits and - are allowed."),
}

_ROLE: Final = "role_"
"""Before a role's checkbox: a name each, since a field of a form counts once."""

Typed = Mapping[str, str]
Faults = Sequence[Fault]


def roles_in(sent: Typed) -> set[Role]:
    """Return the roles that are ticked."""
    return {role for role in ROLES if f"{_ROLE}{role}" in sent}


def signing_in(typed: Typed) -> tuple[Field, ...]:
    return (_login(typed, "username"), _password("password", _("Password"), "current-password"))


def first_account(typed: Typed, faults: Faults = ()) -> tuple[Field, ...]:
    """Fields that are read: ``token``, ``login``, ``name``, ``password``, ``again``, ``reads``."""
    return (
        _token(typed),
        _login(typed, "username", faults),
        _name(_("Your name, as it stands beside what you sign"), "name", typed, faults),
        *_new_password(faults),
        Field(
            name="reads",
            id="reads",
            label=_("I also send images, read results and sign them."),
            kind="checkbox",
            value=typed.get("reads", ""),
        ),
    )


def by_link(typed: Typed, faults: Faults = ()) -> tuple[Field, ...]:
    return (_token(typed), *_new_password(faults))


def another_password(faults: Faults = (), *, code: bool = False) -> tuple[Field, ...]:
    """``code``: whoever changes it has a second factor."""
    old = _password("old", _("Password until now"), "current-password", _said(faults, "old"))
    return (old, *_new_password(faults), *([_code("code")] if code else []))


def code(*, offered: bool, app: bool = True) -> tuple[Field, ...]:
    """``offered``: an app is to take up a secret first, so that nothing stands in for it yet.

    ``app``: they have one, or are offered it; otherwise recovery codes are all there is to type.
    """
    field = _code("code", recovery=not offered)
    return (field if app else replace(field, label=_("Recovery code"), hint=""),)


def proving(*, code: bool, faults: Faults = (), within: str = "") -> tuple[Field, ...]:
    """Return what somebody proves by that it is they: ``password``, and a ``code`` if they can.

    ``within``: what ids begin with, where a page has several such forms.
    """
    password = _password(
        "password", _("Your password"), "current-password", _said(faults, "password")
    )
    fields = (password, *([_code("code")] if code else []))
    return tuple(replace(one, id=f"{within}{one.id}") for one in fields)


def passkey_name(faults: Faults = ()) -> tuple[Field, ...]:
    field = _name(_("What you call it"), "off", {}, faults)
    return (replace(field, hint=_("As “my phone” or “key on my ring”: it stands in the list.")),)


def site_name(site: str, typed: Typed, faults: Faults = ()) -> Field:
    return Field(
        name="name",
        id=f"name-{site}",
        label=_("Name of %(site)s", site=site),
        value=typed.get("name", ""),
        error=_said(faults, "name"),
        required=True,
        maxlength=LONGEST_NAME,
    )


def glass(typed: Typed, sites: Sequence[str], faults: Faults = ()) -> tuple[Field, ...]:
    return (
        Field(
            name="site",
            id="site",
            label=_("Whose results"),
            kind="select",
            options=options({"": N_("Choose"), **{one: one for one in sites}},
                            typed.get("site", "")),
            error=_said(faults, "site"),
            required=True,
        ),
        Field(
            name="reason",
            id="reason",
            label=_("Why"),
            kind="textarea",
            value=typed.get("reason", ""),
            hint=_("As the emergency department has no other way; no name of a patient."),
            error=_said(faults, "reason"),
            required=True,
            minlength=SHORTEST_REASON,
            maxlength=LONGEST_REASON,
        ),
    )  # fmt: skip


def another_site(site: str, sites: Sequence[str]) -> Field:
    return Field(
        name="site",
        id="site",
        label=_("Another site"),
        kind="select",
        options=options({one: one for one in sites}, site),
    )


def new_site(typed: Typed, faults: Faults = ()) -> tuple[Field, ...]:
    return (
        Field(
            name="site",
            id="site",
            label=_("Code of the site"),
            value=typed.get("site", ""),
            hint=_("Short and for good, as north-clinic; it stands in the trail."),
            error=_said(faults, "site"),
            required=True,
            maxlength=LONGEST_SITE,
            autocapitalize="none",
        ),
    )


def new_person(typed: Typed, faults: Faults = ()) -> tuple[Field, ...]:
    return (
        _login(typed, "off", faults),
        _name(_("Name, as it stands beside what they sign"), "off", typed, faults),
    )


def roles(chosen: Collection[str], site: str = "") -> FieldGroup:
    """Return a checkbox a role; ``site``: another than the one that the page is about."""
    return FieldGroup(
        title=_("Roles at %(site)s", site=site) if site else _("Roles"),
        fields=tuple(
            Field(
                name=f"{_ROLE}{role}",
                id=f"{site}_{_ROLE}{role}" if site else f"{_ROLE}{role}",
                label=_(_ROLES[role]),
                kind="checkbox",
                value="yes" if role in chosen else "",
            )
            for role in ROLES
        ),
    )


def new_key(typed: Typed, faults: Faults = ()) -> tuple[Field, ...]:
    return (
        _name(_("What program it is for"), "off", typed, faults),
        Field(
            name="role",
            id="role",
            label=_("Role"),
            kind="select",
            options=options(dict(_ROLES.items()), typed.get("role", "integrator")),
            error=_said(faults, "role"),
        ),
        Field(
            name="days",
            id="days",
            label=_("Good for how many days"),
            value=typed.get("days", ""),
            error=_said(faults, "days"),
            inputmode="numeric",
            required=True,
            maxlength=len(str(LONGEST_KEY_DAYS)),
        ),
    )


def _login(typed: Typed, autocomplete: str, faults: Faults = ()) -> Field:
    return Field(
        name="login",
        id="login",
        label=_("Name for signing in"),
        value=typed.get("login", ""),
        error=_said(faults, "login"),
        required=True,
        maxlength=LONGEST_LOGIN,
        autocomplete=autocomplete,
        autocapitalize="none",
    )


def _code(name: str, *, recovery: bool = True) -> Field:
    return Field(
        name=name,
        id=name,
        label=_("Code of your app"),
        hint=_("Six digits, or one of your recovery codes.") if recovery else _("Six digits."),
        required=True,
        maxlength=40,
        inputmode="text" if recovery else "numeric",
        autocomplete="one-time-code",
        autocapitalize="none",
    )


def _name(label: str, autocomplete: str, typed: Typed, faults: Faults) -> Field:
    return Field(
        name="name",
        id="name",
        label=label,
        value=typed.get("name", ""),
        error=_said(faults, "name"),
        required=True,
        maxlength=LONGEST_NAME,
        autocomplete=autocomplete,
    )


def _token(typed: Typed) -> Field:
    return Field(
        name="token",
        id="token",
        label=_("Code in the link"),
        value=typed.get("token", ""),
        hint=_("What stands behind # in the link; filled in by itself where scripts run."),
        required=True,
    )


def _new_password(faults: Faults) -> tuple[Field, Field]:
    hint = _("%(least)s characters or more; a sentence is easier to remember than signs.",
             least=SHORTEST)  # fmt: skip
    chosen = _password(
        "password", _("New password"), "new-password", _said(faults, "password"), hint
    )
    again = _password("again", _("The same once more"), "new-password", _said(faults, "again"))
    return chosen, again


def _password(name: str, label: str, autocomplete: str, error: str = "", hint: str = "") -> Field:
    """A password never comes back: what was typed into it is not shown again."""
    return Field(
        name=name,
        id=name,
        label=label,
        kind="password",
        hint=hint,
        error=error,
        required=True,
        maxlength=LONGEST,
        autocomplete=autocomplete,
    )


def _said(faults: Faults, field: str) -> str:
    """Return what is wrong with ``field`` in a sentence; empty: nothing."""
    for fault in faults:
        if fault.field == field:
            if fault.code == "length":
                return _("%(least)s to %(most)s characters, please.", least=SHORTEST, most=LONGEST)
            return _(_FAULTS[fault.code])
    return ""
