"""Looks whether an interface engine can be reached, and says in a sentence what is wrong.

HL7 has no question without consequence, so that no message is sent: an engine that takes
connections may refuse messages all the same.
"""

from __future__ import annotations

from functools import partial

from service.integration.destinations import Hl7Destination
from service.integration.hl7.client import client_context
from service.integration.line import FaultError, Line, reach


def check(destination: Hl7Destination) -> str | None:
    """Return what is wrong with ``destination``, beginning with its name; None: nothing."""
    authorities = destination.authorities
    try:
        reach(
            Line(
                host=destination.host,
                port=destination.port,
                context=None
                if authorities is None
                else partial(client_context, destination, authorities),
                authorities=authorities,
                certificate=destination.certificate,
                key=destination.key,
            )
        )
    except FaultError as fault:
        return f"{destination.name} {fault}."
    return None
