"""What the pages of launches from a record are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.integration.events import LaunchReason
from service.language.locale import N_, _
from service.web.page import Page

_OPEN_AGAIN: Final = N_(
    "This was not begun in this browser, or more than ten minutes ago, or it is over. Nothing has "
    "changed; close this window and open it from %(name)s again."
)
_NOT_TAKEN: Final = N_(
    "What %(name)s has sent cannot be taken. Close this window and open it from there again; "
    "should this stay so, tell whoever runs this service the code below."
)

SENTENCES: Final[Mapping[LaunchReason, str]] = {
    "record_unknown": N_(
        "The record that has sent you here is not known to this service, and was not asked "
        "anything. Tell whoever runs this service, and the record, the code below."
    ),
    "launch_malformed": N_(
        "Which patient's chart is open was not sent along. Open this from within a patient's chart "
        "in the record, not from a bookmark."
    ),
    "flow_unknown": _OPEN_AGAIN,
    "flow_cookie": _OPEN_AGAIN,
    "provider_refused": N_("%(name)s has not let you open this, or you have turned back there."),
    "provider_unavailable": N_(
        "%(name)s does not answer as it should. Try again in a moment; results can be found by "
        "signing in here meanwhile."
    ),
    "code_refused": N_(
        "%(name)s does not confirm that it has sent you. Close this window and open it from there "
        "again."
    ),
    "clock": N_(
        "The clocks of %(name)s and of this service are too far apart. Tell whoever runs them."
    ),
    "no_patient": N_(
        "%(name)s has not said which patient's chart is open. Open this from within a patient's "
        "chart."
    ),
    "patient_unreadable": N_(
        "%(name)s does not let this service read which patient it is about. Tell whoever runs it "
        "the code below."
    ),
    "overage": N_(
        "You are in more groups than %(name)s tells of, so that your role here is not known. Ask "
        "whoever manages accounts."
    ),
    "no_role": N_(
        "You have come from %(name)s, but have no role here that reads results. Ask whoever "
        "manages accounts."
    ),
    "disabled": N_("Your account is disabled here. Ask whoever manages accounts."),
    "too_many_flows": N_(
        "Too many windows have been opened from your network. Wait a few minutes, then try again."
    ),
}


@dataclass(frozen=True, kw_only=True)
class RefusedPage(Page):
    templates = ("launch-refused.html",)

    sentence: str
    reason: LaunchReason

    @classmethod
    def of(cls, reason: LaunchReason, record: str | None) -> RefusedPage:
        # Whoever is not known is called nothing in that sentence.
        return cls(sentence=_(SENTENCES.get(reason, _NOT_TAKEN), name=record or ""), reason=reason)


@dataclass(frozen=True, kw_only=True)
class NothingPage(Page):
    """Of the patient whose chart is open nothing can be shown."""

    templates = ("launch-nothing.html",)

    ambiguous: bool
    """Two patients here have that number."""
