"""STOW-RS (PS3.18 section 10.5): sends results to a PACS, and says of each what became of it.

An object a request: what is answered is then of no other one, and no server has to take all of a
study at once. They go one after the other on one connection.
"""

from __future__ import annotations

import asyncio
import io
import secrets
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Final

import aiohttp
import pydicom

from service.integration.credentials import Credentials, TokenError
from service.integration.destinations import DicomWebDestination
from service.integration.dicomweb import answer
from service.integration.http_client import bounded, client_context, no_answer, session
from service.integration.ledger.schemas import Result, Sent
from service.integration.statuses import ACCEPTED, accepted, judge, passes

REQUEST_SECONDS: Final = 25.0
BEGIN_SECONDS: Final = 15.0
"""After so long no further object is begun; the others follow with the next attempt."""
WHOLE_SECONDS: Final = 50.0
"""Less than a lease."""
FILE: Final = "application/dicom"
JSON: Final = "application/dicom+json"
_OF_OBJECT: Final = (400, 409, 413, 415, 422, 500)
"""Statuses that another object may not get."""
_NOT_FOUND: Final = (204, 404)


class StoppedError(Exception):
    """The server does nothing for us now, whatever it is sent."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Client:
    """Of one destination."""

    def __init__(self, destination: DicomWebDestination) -> None:
        self._destination = destination
        self._credentials = Credentials(destination)

    async def send(self, results: Sequence[Result], before: Mapping[str, str]) -> Sent:
        """Store those of ``results`` that were not accepted ``before``; return what became of each.

        An object counts as accepted by an answer that names it and, with ``confirm``, once a search
        finds it.
        """
        left = [one for one in results if not accepted(before.get(one.sop_uid))]
        if not left:
            return Sent(objects={}, reason=None)
        try:
            context = client_context(self._destination)
        except (OSError, ssl.SSLError):
            return Sent(objects={}, reason="certificate_unreadable")
        found: dict[str, str] = {}
        try:
            async with asyncio.timeout(WHOLE_SECONDS), session(context, REQUEST_SECONDS) as opened:
                silent = await self._all(opened, left, found)
        except StoppedError as error:
            said = str(error.status)
            return Sent(objects=found, reason=f"refused {said}", passes=passes(said))
        except TokenError as error:
            return Sent(objects=found, reason=str(error))
        except (TimeoutError, aiohttp.ClientError) as error:
            return Sent(objects=found, reason=no_answer(error))
        return judge(left, found, silent)

    async def nothing(self) -> tuple[int, bytes]:
        """Ask to store no object, which changes nothing; return status and body.

        Raises :class:`~service.integration.credentials.TokenError`, :class:`OSError`,
        :class:`TimeoutError` and :class:`aiohttp.ClientError`.
        """
        async with session(client_context(self._destination), REQUEST_SECONDS) as opened:
            return await self._post(opened)

    async def search(self, study: str, sop_uid: str) -> tuple[int, bytes]:
        """Search for an object; return status and body. Raises as :meth:`nothing`."""
        async with session(client_context(self._destination), REQUEST_SECONDS) as opened:
            return await self._get(opened, study, sop_uid)

    async def _all(
        self, opened: aiohttp.ClientSession, left: Sequence[Result], found: dict[str, str]
    ) -> str:
        """Write down in ``found`` what was said of each; return why of some nothing was."""
        end, silent = time.monotonic() + BEGIN_SECONDS, "cut off"
        for one in left:
            if time.monotonic() > end:
                break
            status, body = await self._post(opened, one.data)
            said = self._said(status, body, one.sop_uid)
            if self._destination.confirm and (said is None or accepted(said)):
                said = (said or ACCEPTED) if await self._is_there(opened, one) else None
            if said is None:
                silent = "not_confirmed"
            else:
                found[one.sop_uid] = said
        return silent

    def _said(self, status: int, body: bytes, sop_uid: str) -> str | None:
        """Return an object's status; None where a server that took something does not say it."""
        said = answer.status(body, sop_uid)
        if 200 <= status < 300:
            return said
        if status in _OF_OBJECT:
            # It was not stored, whatever else is said.
            return str(status) if said is None or accepted(said) else said
        raise StoppedError(status)

    async def _is_there(self, opened: aiohttp.ClientSession, one: Result) -> bool:
        head = await asyncio.to_thread(
            pydicom.dcmread, io.BytesIO(one.data), specific_tags=["StudyInstanceUID"]
        )
        status, body = await self._get(opened, str(head.StudyInstanceUID), one.sop_uid)
        if status == 200:
            return answer.names(body, one.sop_uid)
        if status in _NOT_FOUND:
            return False
        raise StoppedError(status)

    async def _post(self, opened: aiohttp.ClientSession, *files: bytes) -> tuple[int, bytes]:
        kind, body = related(*files)
        headers = {"Content-Type": kind, "Accept": JSON, **await self._credentials.headers(opened)}
        async with opened.post(
            f"{self._destination.base}/studies", data=body, headers=headers, allow_redirects=False
        ) as response:
            return await self._answered(response)

    async def _get(
        self, opened: aiohttp.ClientSession, study: str, sop_uid: str
    ) -> tuple[int, bytes]:
        url = f"{self._destination.base}/studies/{study}/instances"
        headers = {"Accept": JSON, **await self._credentials.headers(opened)}
        async with opened.get(
            url, params={"SOPInstanceUID": sop_uid}, headers=headers, allow_redirects=False
        ) as response:
            return await self._answered(response)

    async def _answered(self, response: aiohttp.ClientResponse) -> tuple[int, bytes]:
        if response.status == 401:
            self._credentials.forget()
        return response.status, await bounded(response)


def related(*files: bytes) -> tuple[str, bytes]:
    """Return ``files`` as ``multipart/related`` (RFC 2387), after its media type.

    In one piece, with its length: there are servers that lose what comes in chunks.
    """
    boundary = secrets.token_hex(16)
    while any(boundary.encode() in one for one in files):
        boundary = secrets.token_hex(16)
    head = f"--{boundary}\r\nContent-Type: {FILE}\r\n\r\n".encode()
    body = b"".join(part for one in files for part in (head, one, b"\r\n"))
    kind = f'multipart/related; type="{FILE}"; boundary="{boundary}"'
    return kind, body + f"--{boundary}--\r\n".encode()
