"""Filters as directories send them: ``attribute eq "value"``, with ``and`` between."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from service.identity.scim.errors import ScimError, wrong

Filter: TypeAlias = tuple[tuple[str, str | bool], ...]
"""What has to be equal to what, all at once."""

LONGEST: Final = 1000
MOST: Final = 4

_ONE: Final = re.compile(r'\s*([A-Za-z$][\w$.:-]{0,120}) +([A-Za-z]{2}) +("(?:[^"\\]|\\.)*"|\w+)')
_AND: Final = re.compile(r"\s+[Aa][Nn][Dd](?=\s)")


def parse(said: str, known: Mapping[str, str], schema: str) -> Filter:
    """Return ``said`` by what ``known`` calls attributes, whose keys are in lower case.

    Raises :class:`~service.identity.scim.errors.ScimError` for anything else.
    """
    if len(said) > LONGEST:
        raise _not_taken()
    found: list[tuple[str, str | bool]] = []
    at, end = 0, len(said.rstrip())
    while len(found) < MOST:
        one = _ONE.match(said, at)
        if one is None:
            break
        name = one[1].lower().removeprefix(f"{schema.lower()}:")
        if name not in known or one[2].lower() != "eq":
            break
        found.append((known[name], _value(one[3])))
        if one.end() == end:
            return tuple(found)
        between = _AND.match(said, one.end())
        if between is None:
            break
        at = between.end()
    raise _not_taken()


def _value(said: str) -> str | bool:
    if said.lower() in ("true", "false"):
        return said.lower() == "true"
    try:
        found = json.loads(said)
    except ValueError:
        raise _not_taken() from None
    if not isinstance(found, str) or not found.isprintable():
        raise _not_taken()
    return found


def _not_taken() -> ScimError:
    return wrong(
        f'attribute eq "value" is allowed, up to {MOST} with and between, in {LONGEST} characters.',
        "invalidFilter",
    )
