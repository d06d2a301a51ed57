"""Contexts of pages: what every template is given, and what stands around a page."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from markupsafe import Markup

from service.identity.actor import Actor
from service.identity.rules import may
from service.language import locale as language
from service.language.locale import Language, _, languages
from service.web.labels import INTENDED, labels
from service.web.navigation import NavItem, navigation


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every template gets. ``templates`` names the first choice, then the fallbacks."""

    templates: ClassVar[tuple[str, ...]] = ()
    section: ClassVar[str] = ""
    """The address in the navigation under which the page belongs, where it is not one of them."""

    def choices(self) -> tuple[str, ...]:
        return self.templates

    def context(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What stands around a page: ``layout`` in every template."""

    language: Language
    languages: tuple[Language, ...]
    navigation: tuple[NavItem, ...]
    back: str
    """Where the page can be had again, in another language."""
    labels: tuple[Markup, ...]
    intended: str
    actor: Actor | None
    """Who the page is for; None: it is not known, as on a page of an error."""
    idle: int
    """Seconds after which the screen goes blank; 0: never, as where nobody has signed in."""
    paused: str
    """Where it goes then."""

    def may(self, method: str, template: str) -> bool:
        """Whether whoever the page is for may ask for ``template``."""
        return self.actor is None or may(self.actor, method, template)

    @classmethod
    def of(cls, page: Page, address: str, actor: Actor | None) -> Layout:
        """``address`` is the page's path and query."""
        path = address.partition("?")[0]
        return cls(
            language=language.current(),
            languages=tuple(languages().values()),
            navigation=navigation(path, page.section, actor),
            back=address,
            labels=labels(),
            intended=_(INTENDED),
            actor=actor,
            idle=_idle(actor),
            paused=_paused(path, address),
        )


def _paused(path: str, address: str) -> str:
    # A screen that is blank already stays: an address within an address grows with each hour.
    if path == _BLANK:
        return address
    return f"{_BLANK}?{urlencode({'idle': '', 'next': address})}"


_BLANK: Final = "/signin"


def _idle(actor: Actor | None) -> int:
    """Return whole seconds, a little after the sign-in has ended."""
    if actor is None or actor.session is None:
        return 0
    return max(1, math.ceil(actor.session.left.total_seconds()) + 1)
