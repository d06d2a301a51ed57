"""What is done with an object that a scanner sends: the first rule that it fits decides.

::

    [[rule]]                                [[rule]]
    name = "hips"                           name = "trial"
    body_part = ["HIP", "FEMUR*"]           peer = "dxa-9"
    then = "ignore"                         then = "judge"
                                            to = ["archive"]

Whatever a rule names has to fit. Letters' case does not count; ``*`` stands for any characters and
``?`` for one. What fits no rule is judged. Rules are asked before anything is kept, of the head of
an object alone; our own results are ignored before any rule is asked, and what is no image is never
held. A study's result goes to all destinations that rules of any of its images name, and to every
one there is where an image fits no rule, or one that names none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from service.integration.destinations import Entry, Name

Action = Literal["judge", "ignore", "hold"]
"""Hold: its study goes into quarantine, where a person restarts or discards it."""

Trait = Literal["modality", "body_part", "series", "protocol", "manufacturer", "model", "station"]
TRAITS: Final[Mapping[Trait, int]] = {
    "modality": 0x00080060,  # Modality
    "body_part": 0x00180015,  # Body Part Examined
    "series": 0x0008103E,  # Series Description
    "protocol": 0x00181030,  # Protocol Name
    "manufacturer": 0x00080070,  # Manufacturer
    "model": 0x00081090,  # Manufacturer's Model Name
    "station": 0x00081010,  # Station Name
}
"""What a rule may name, by its tag in DICOM."""

LONGEST_NAME: Final = 48
"""Characters of a rule's name: it is a reason in the ledger."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Pattern = Annotated[str, StringConstraints(min_length=1, max_length=64, to_upper=True)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_listed), Field(min_length=1)]


class Rule(Entry):
    """One of the file's rules."""

    peer: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    """Names of peers in the same file."""
    modality: Patterns | None = None
    body_part: Patterns | None = None
    series: Patterns | None = None
    protocol: Patterns | None = None
    manufacturer: Patterns | None = None
    model: Patterns | None = None
    station: Patterns | None = None
    then: Action
    to: Annotated[tuple[Name, ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    """Names of destinations in the same file; None: all of them."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.to is not None and self.then == "ignore":
            raise ValueError("what is ignored has no result that could go to anybody")
        if len(self.name) > LONGEST_NAME:
            raise ValueError(f"its name has more than {LONGEST_NAME} characters")
        if self.peer is None and all(getattr(self, trait) is None for trait in TRAITS):
            raise ValueError("it names nothing that an object has, and would fit all of them")
        return self

    @property
    def reason(self) -> str:
        """As the ledger tells why something was ignored or held."""
        return f"rule:{self.name}"

    def fits(self, peer: str, traits: Mapping[Trait, str]) -> bool:
        """Whether an object with ``traits`` that ``peer`` sends is one of these.

        What an object does not say is empty, which ``*`` fits and nothing else.
        """
        if self.peer is not None and peer not in self.peer:
            return False
        return all(
            any(fnmatchcase(traits.get(trait, "").upper(), pattern) for pattern in patterns)
            for trait in TRAITS
            if (patterns := getattr(self, trait)) is not None
        )


def decide(rules: Iterable[Rule], peer: str, traits: Mapping[Trait, str]) -> Rule | None:
    """Return the first of ``rules`` that an object of ``peer`` fits; None where none is."""
    return next((rule for rule in rules if rule.fits(peer, traits)), None)
