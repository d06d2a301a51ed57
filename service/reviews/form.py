"""The forms in which a clinician signs a result, finds another outcome, comments or withdraws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from service.errors import Fault
from service.language.locale import N_, _
from service.medicine.osteoporosis.wording import HEADINGS
from service.reviews.contexts import Signed
from service.reviews.schemas import (
    MAX_REASON,
    MAX_REVIEWER,
    MIN_REASON,
    MIN_REVIEWER,
    Action,
    Review,
    version,
)
from service.types import Outcome
from service.web.forms import Field, options

FAULTS: Final[Mapping[str, str]] = {
    "missing": N_("This is needed."),
    "characters": N_("Some characters here are no text."),
    "choice": N_("Choose one of those listed."),
    "same_outcome": N_("This is the outcome as it stands; to agree with it, sign."),
    "unknown": N_("This form has no such field."),
    "not_signed": N_("Nothing stands that could be withdrawn."),
}


VERSION: Final = "version"
"""The forms' field that says which reviews they were filled in over."""

_SUMMARIES: Final[Mapping[Action, str]] = {
    "sign": N_("Sign: I agree with this outcome"),
    "override": N_("Override: I find another outcome"),
    "comment": N_("Comment without signing"),
    "withdraw": N_("Withdraw what was signed"),
}
_BUTTONS: Final[Mapping[Action, str]] = {
    "sign": N_("Sign"),
    "override": N_("Override"),
    "comment": N_("Comment"),
    "withdraw": N_("Withdraw"),
}
_REASONS: Final[Mapping[Action, str]] = {
    "sign": N_("Remark, if any"),
    "override": N_("Reason"),
    "comment": N_("Comment"),
    "withdraw": N_("Reason"),
}


@dataclass(frozen=True, kw_only=True)
class ReviewForm:
    """The form of one action."""

    action: Action
    summary: str
    button: str
    open: bool
    """Whether it is the one that was sent."""
    fields: tuple[Field, ...]
    error: str
    """What is wrong with no field of the form."""


@dataclass(frozen=True, kw_only=True)
class ReviewForms:
    """Every form: what was typed into one that could not be taken, and what is wrong with it."""

    forms: tuple[ReviewForm, ...]
    version: str
    """The reviews that whoever fills in the form has seen."""
    meanwhile: tuple[Signed, ...] = ()
    """Those that were written while the form was filled in."""
    trouble: str = ""
    """Why a review could not be written down, where it is not to blame."""
    again: str = ""
    """Where somebody signs in once more, whom an identity provider signs in."""
    stale: str = ""
    """What is said of a review that came too long after they had."""
    passkey: bool = False
    """Somebody's passkey may stand in for the password that a signature asks for."""

    @classmethod
    def of(
        cls,
        outcome: Outcome,
        typed: Mapping[str, str] | None = None,
        faults: Sequence[Fault] = (),
        version: str | None = None,
        trouble: str = "",
    ) -> ReviewForms:
        """``typed``, ``faults`` and ``trouble`` are of a form that was refused just now."""
        typed = typed or {}
        sent: Action | None = None
        if typed:
            sent = next((one for one in _SUMMARIES if one == typed.get("action")), "sign")
        errors = {fault.field: _fault(fault) for fault in faults}
        return cls(
            forms=tuple(
                _form(action, outcome, typed, errors)
                if action == sent
                else _form(action, outcome, None, {})
                for action in _SUMMARIES
            ),
            version=version or "",
            trouble=trouble,
        )

    def of_account(
        self, *, password: bool, error: str = "", code: bool = False, passkey: bool = False
    ) -> ReviewForms:
        """Return the forms as somebody gets them who has signed in: no name is asked for.

        ``password``: whether it has to be given with a review, and with it the ``code`` of a second
        factor; ``error``: what was wrong with it; ``passkey``: whether they have one that may stand
        in for both.
        """
        forms = (_of_account(form, password, error, code) for form in self.forms)
        return replace(self, forms=tuple(forms), passkey=password and passkey)

    def when(self, *, signed: bool) -> ReviewForms:
        """Return the forms that are of use: what nobody has signed cannot be withdrawn."""
        kept = [one for one in self.forms if signed or one.open or one.action != "withdraw"]
        return replace(self, forms=tuple(kept))

    def of_provider(self, again: str, error: str = "") -> ReviewForms:
        """Return the forms as somebody gets them who has no password here.

        ``again``: where they sign in once more, empty where they have just done so.
        """
        return replace(self.of_account(password=False), again=again, stale=error)

    @classmethod
    def beside(
        cls,
        outcome: Outcome,
        typed: Mapping[str, str],
        reviews: Sequence[Review],
        seen: str | None,
    ) -> ReviewForms:
        """The forms as they were sent, beside the ``reviews`` written since ``seen``.

        Sent once more it is added to the others', which by then have been seen.
        """
        return replace(
            cls.of(outcome, typed, version=version(reviews)),
            meanwhile=tuple(Signed.of(one) for one in _since(seen, reviews)),
        )


def _form(
    action: Action, outcome: Outcome, typed: Mapping[str, str] | None, errors: Mapping[str, str]
) -> ReviewForm:
    """Return one of the forms; ``typed`` is None where it was not the one sent."""
    override, values = action == "override", typed or {}
    explained = action != "sign"
    reviewer = Field(
        name="reviewer",
        id=f"{action}-reviewer",
        label=_("Your name or initials"),
        value=values.get("reviewer", ""),
        error=errors.get("reviewer", ""),
        required=True,
        minlength=MIN_REVIEWER,
        maxlength=MAX_REVIEWER,
        autocomplete="name",
    )
    choices: dict[str, str] = {"": N_("Choose"), **dict(HEADINGS.items())}
    del choices[outcome]
    found = Field(
        name="outcome",
        id=f"{action}-outcome",
        label=_("Your outcome"),
        kind="select",
        value=values.get("outcome", ""),
        options=options(choices, values.get("outcome", "")),
        error=errors.get("outcome", ""),
        required=True,
    )
    reason = Field(
        name="reason",
        id=f"{action}-reason",
        label=_(_REASONS[action]),
        kind="textarea",
        value=values.get("reason", ""),
        error=errors.get("reason", ""),
        required=explained,
        minlength=MIN_REASON if explained else None,
        maxlength=MAX_REASON,
    )
    fields = (reviewer, found, reason) if override else (reviewer, reason)
    other = errors.keys() - {field.name for field in fields}
    return ReviewForm(
        action=action,
        summary=_(_SUMMARIES[action]),
        button=_(_BUTTONS[action]),
        open=typed is not None,
        fields=fields,
        error=" ".join(errors[name] for name in sorted(other)),
    )


def _of_account(form: ReviewForm, password: bool, error: str, code: bool) -> ReviewForm:
    fields = [field for field in form.fields if field.name != "reviewer"]
    # A comment is no signature.
    if password and form.action != "comment":
        fields.append(
            Field(
                name="password",
                id=f"{form.action}-password",
                label=_("Your password"),
                kind="password",
                error=error if form.open else "",
                required=True,
                autocomplete="current-password",
            )
        )
    if password and code and form.action != "comment":
        fields.append(
            Field(
                name="code",
                id=f"{form.action}-code",
                label=_("Code of your app"),
                required=True,
                maxlength=40,
                autocomplete="one-time-code",
                autocapitalize="none",
            )
        )
    return replace(form, fields=tuple(fields))


def _since(seen: str | None, reviews: Sequence[Review]) -> Sequence[Review]:
    return reviews[int(seen) :] if seen and seen.isdecimal() and len(seen) < 9 else reviews


def _fault(fault: Fault) -> str:
    if fault.code == "length":
        least, most = (
            (MIN_REVIEWER, MAX_REVIEWER) if fault.field == "reviewer" else (MIN_REASON, MAX_REASON)
        )
        return _("%(least)s to %(most)s characters, please.", least=least, most=most)
    return _(FAULTS[fault.code])
