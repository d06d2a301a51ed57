"""What the pages of sign-in by the identity provider are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.identity.events import ProviderReason
from service.identity.oidc.service import Oidc
from service.language.locale import N_, _
from service.web.page import Page

_BEGIN_AGAIN: Final = N_(
    "This sign-in was not begun in this browser, or more than ten minutes ago, or it is over. "
    "Nothing has changed; begin again."
)
_NOT_TAKEN: Final = N_(
    "What %(name)s has sent cannot be taken for a sign-in. Begin again; should this stay so, tell "
    "whoever runs this service the code below."
)

SENTENCES: Final[Mapping[ProviderReason, str]] = {
    "flow_unknown": _BEGIN_AGAIN,
    "flow_cookie": _BEGIN_AGAIN,
    "answer_malformed": _BEGIN_AGAIN,
    "code_refused": N_("%(name)s does not confirm this sign-in. Begin again."),
    "provider_refused": N_("%(name)s has not let you in, or you have turned back there."),
    "provider_unavailable": N_(
        "%(name)s does not answer. Whoever has signed in goes on working; try again in a moment."
    ),
    "clock": N_(
        "The clocks of %(name)s and of this service are too far apart. Tell whoever runs them."
    ),
    "stale": N_(
        "%(name)s has not said that you have just proved who you are, so that nothing can be "
        "signed. Tell whoever runs it that auth_time is needed."
    ),
    "other_person": N_(
        "Somebody else has signed in at %(name)s than here. Sign out there, then begin again."
    ),
    "overage": N_(
        "You are in more groups than %(name)s puts into a sign-in, so that your role here is not "
        "known. Ask %(contact)s to use app roles or a group filter for this application."
    ),
    "no_role": N_(
        "You have signed in at %(name)s, but none of your groups has a role here. Ask %(contact)s."
    ),
    "disabled": N_("Your account is disabled here. Ask whoever manages accounts."),
    "too_many_flows": N_(
        "Too many sign-ins have been begun in your network. Wait a few minutes, then begin again."
    ),
}


@dataclass(frozen=True, kw_only=True)
class RefusedPage(Page):
    templates = ("provider.html",)

    sentence: str
    reason: ProviderReason

    @classmethod
    def of(cls, reason: ProviderReason, oidc: Oidc) -> RefusedPage:
        contact = oidc.contact or _("whoever manages groups")
        told = SENTENCES.get(reason, _NOT_TAKEN)
        return cls(sentence=_(told, name=oidc.name, contact=contact), reason=reason)


@dataclass(frozen=True, kw_only=True)
class SignedOutPage(Page):
    """A link, since a browser would not follow a form's answer to another site."""

    templates = ("signedout.html",)

    provider: str
    address: str
