"""Looks whether a PACS takes objects by STOW-RS, and says in a sentence what is wrong.

It is asked to store nothing, as what is sent later is, with the same credentials: a server that
takes objects says that there are none, and has no more than before.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any, Final

import aiohttp
from pydicom.uid import generate_uid

from service.integration.credentials import TokenError, refused, untold
from service.integration.destinations import DicomWebDestination
from service.integration.dicomweb.answer import is_json
from service.integration.dicomweb.client import Client
from service.integration.http_client import line
from service.integration.line import FaultError, reach

_NO_SUCH: Final = (404, 405, 410, 501)
"""Statuses of a server that has nothing of the kind at this address."""


def check(destination: DicomWebDestination) -> str | None:
    """Return what is wrong with ``destination``, beginning with its name; None: nothing."""
    client = Client(destination)
    try:
        reach(line(destination))
        _stores(destination, *_asked(destination, client.nothing()))
        if destination.confirm:
            uid = str(generate_uid(prefix=None))
            _searches(*_asked(destination, client.search(uid, uid)))
    except FaultError as fault:
        return f"{destination.name} {fault}."
    return None


def _asked(
    destination: DicomWebDestination, question: Coroutine[Any, Any, tuple[int, bytes]]
) -> tuple[int, bytes]:
    try:
        return asyncio.run(_once(question))
    except TokenError as error:
        raise FaultError(untold(destination, error)) from None
    except (aiohttp.ClientSSLError, ssl.SSLError):
        raise FaultError("ends the handshake of TLS when it is asked something") from None
    except (OSError, TimeoutError, aiohttp.ClientError):
        at = " and ".join(filter(None, (destination.token_url, destination.base)))
        raise FaultError(f"breaks off, or gives no answer in time, at {at}") from None


async def _once(question: Coroutine[Any, Any, tuple[int, bytes]]) -> tuple[int, bytes]:
    return await question


def _stores(destination: DicomWebDestination, status: int, body: bytes) -> None:
    at = f"{destination.base}/studies"
    if status in (401, 403):
        raise FaultError(refused(destination, status))
    if status in _NO_SUCH:
        raise FaultError(f"answers {status} at {at}, and so takes no objects there: correct base")
    if 300 <= status < 400:
        raise FaultError(f"answers {status} at {at}, and is not followed elsewhere: correct base")
    if status in (406, 415):
        raise FaultError(
            f"answers {status}: it takes no multipart/related of application/dicom, or does not "
            "answer as application/dicom+json"
        )
    if status >= 500 or status in (408, 425, 429):
        raise FaultError(f"answers {status} when it is asked to store nothing, at {at}")
    if status < 300 and not is_json(body):
        raise FaultError(f"answers {status} and no DICOM JSON at {at}: correct base")


def _searches(status: int, body: bytes) -> None:
    if status in (401, 403):
        said = "does not let us search, which confirm asks for"
        raise FaultError(f"{said}: it answers {status}")
    if status not in (200, 204, 404) or (status == 200 and not is_json(body)):
        raise FaultError(f"is not able to search, which confirm asks for: it answers {status}")
