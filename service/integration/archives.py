"""Who is asked by DICOM: archives for studies that nobody pushes, worklists for orders.

::

    [[archive]]                          [[worklist]]
    name = "vna"                         name = "ris"
    peer = "vna"                         called = "RIS"
    called = "VNA"                       calling = "OSTEOSERVE"
    calling = "OSTEOSERVE"               host = "ris.clinic.example"
    host = "vna.clinic.example"          port = 104
    port = 104
    every_minutes = 15

What an archive sends is its peer's, who may be one of the same file alone: by C-MOVE it comes as
anything that this peer pushes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from service.identity.actor import DEFAULT_SITE
from service.integration.destinations import AeTitle, Entry, Name, Port
from service.integration.reached import Secured

MOST_STUDIES = 1000


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Modality = Annotated[str, StringConstraints(to_upper=True, pattern=r"^[A-Za-z0-9_ ]{1,16}$")]
"""A code string of DICOM (PS3.5 section 6.2)."""
Modalities = Annotated[tuple[Modality, ...], BeforeValidator(_listed)]
Minutes = Annotated[float, Field(ge=1, allow_inf_nan=False)]


class Asked(Entry, Secured):
    """What is so of everybody who is asked."""

    called: AeTitle
    calling: AeTitle
    host: str
    port: Port


class Archive(Asked):
    """A PACS that is asked for studies (Study Root Query/Retrieve)."""

    peer: Name
    """In the same file: whose objects those are that it sends. Its ``called`` is the title that it
    is asked to send to."""
    retrieve: Literal["move", "get"] = "move"
    """By C-MOVE on associations of its own, or by C-GET on ours."""
    most: Annotated[int, Field(ge=1, le=MOST_STUDIES)] = 100
    """Studies that may fit a question; of one that more fit none is fetched."""
    attempts: Annotated[int, Field(ge=1, le=1000)] = 5
    """At a question; then a person decides."""
    study_seconds: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 600.0
    """How long one study may take."""
    every_minutes: Minutes | None = None
    """How often it is asked for what is new; None: only when a person asks."""
    back_days: Annotated[int, Field(ge=0, le=366)] = 1
    """Since how many days before today."""
    modality: Modalities = ()
    """Whose series are fetched, where a question says nothing else; none: all of a study."""


class Worklist(Asked):
    """A RIS that is asked for the order that images answer (Modality Worklist)."""

    site: Name = DEFAULT_SITE
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """While it does not answer a result waits for so many; then it goes without an order."""
    by_patient: bool = False
    """Whether an image without an accession number, whose study no item names, is matched by
    patient, day and modality, where exactly one item fits."""
