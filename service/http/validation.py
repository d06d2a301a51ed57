"""What pydantic finds wrong with what was sent, as faults that name fields and repeat nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from service.errors import Fault

_LIMITS: Final = frozenset({"ge", "le", "min_length", "max_length", "expected"})
"""What of an error's context is ours: a ``tag`` or an ``error`` may be the sender's text."""


def faults(
    errors: Iterable[Mapping[str, Any]],
    sentence: Callable[[Mapping[str, Any]], str],
    known: Collection[str] = (),
) -> tuple[Fault, ...]:
    """Return a fault for each field in pydantic's ``errors``: its first one.

    Fields are named by their path, ``body`` at the root. A name that nobody asked for is the
    sender's own text: unless ``known``, its parent is named. ``values`` have the limits, and as
    ``came`` the kind of value that was sent.
    """
    found: dict[str, Fault] = {}
    for error in errors:
        code, place = error["type"], [str(part) for part in error["loc"]]
        if code == "extra_forbidden" and place[-1] not in known:
            place.pop()
        name = ".".join(place) or "body"
        values = {
            key: _written(value) for key, value in error.get("ctx", {}).items() if key in _LIMITS
        }
        values["came"] = "nothing" if code == "missing" else _kind(error.get("input"))
        found.setdefault(name, Fault(name, code, sentence(error), values))
    return tuple(found.values())


def _written(limit: object) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list() | tuple():
            return "a list"
        case _:
            return "an object"
