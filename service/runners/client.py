"""HTTP client of one runner: its connections, deadlines and circuit breaker, failures by name.

::

    RunnerError               the runner gave no answer that can be used
    ├── RunnerRefusedError         refused      no connection
    ├── RunnerTimeoutError         timeout      not within what was left of the deadline
    ├── RunnerBusyError            busy         503 or 429: it sheds load
    ├── CircuitOpenError            open         not asked: it has not answered others lately
    ├── RunnerFailedError          failed       any other status that is not 200
    └── RunnerMalformedError       malformed    200, but not what the contract says
        └── RunnerMismatchError    mismatch     made for another recipe

``result`` is the label in the metrics; success is ``ok``. A runner that fails call after call is
not called for a while (``service.runners.circuit_breaker``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

import aiohttp
from pydantic import TypeAdapter, ValidationError

from protocol import headers
from protocol.answers import BasePrediction, Dropped, EnsemblePrediction, Outline
from service.flow.deadline import Deadline
from service.observability import tracing
from service.runners.circuit_breaker import CircuitBreaker
from service.runners.metrics import RunnerMetrics
from service.runners.settings import RunnerPolicy
from service.types import RunnerName

CONNECT_SECONDS: Final = 0.5
"""Longest wait for a connection within one's own network; the kernel accepts for a busy runner.

Where no pod is left and packets are dropped, answers are degraded within half of the second that
the objective allows; a lost packet would only be sent again after that second (RFC 6298).
"""

KEPT_SECONDS: Final = 30.0
"""How long a connection that nobody uses stays open."""

AnswerT = TypeVar("AnswerT", BasePrediction, Outline, EnsemblePrediction)


class RunnerError(Exception):
    result: ClassVar[str] = "failed"


class RunnerRefusedError(RunnerError):
    result = "refused"


class RunnerTimeoutError(RunnerError):
    result = "timeout"


class RunnerBusyError(RunnerError):
    result = "busy"

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class CircuitOpenError(RunnerError):
    result = "open"


class RunnerFailedError(RunnerError):
    result = "failed"


class RunnerMalformedError(RunnerError):
    result = "malformed"


class RunnerMismatchError(RunnerMalformedError):
    result = "mismatch"


_AT_FAULT: Final = (RunnerRefusedError, RunnerTimeoutError, RunnerFailedError)
"""What speaks against calling a runner again soon. One that sheds load or speaks another contract
answers quickly, and may answer the next call better."""


class _Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class RunnerClient:
    """HTTP client of one runner: connections, circuit breaker, and what a call goes through.

    ``on_open`` is called when the circuit opens, with the error that calls fail with from then on.
    """

    def __init__(
        self,
        name: RunnerName,
        policy: RunnerPolicy,
        metrics: RunnerMetrics,
        on_open: Callable[[RunnerError], None],
    ) -> None:
        self._name = name
        self._metrics = metrics
        self._on_open = on_open
        self._url = policy.runner_url(name).rstrip("/")
        # Room for the calls, second tries, and maps beside them.
        self._most = 2 * policy.runner_calls + 8
        self._circuit = CircuitBreaker(policy.circuit_seconds, self._changed)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold connections until the end."""
        # Probes and second tries never take a connection that may already be closed.
        async with (
            _session(self._most, keep=True) as self._kept,
            _session(self._most, keep=False) as self._fresh,
        ):
            yield

    async def ready(self, seconds: float) -> bool:
        try:
            async with (
                asyncio.timeout(seconds),
                self._fresh.get(f"{self._url}/readyz", allow_redirects=False) as response,
            ):
                return response.status == HTTPStatus.OK
        except (TimeoutError, aiohttp.ClientError):
            return False

    def record_probe(self, ready: bool) -> None:
        """Take note of what a probe found; a runner that is not ready is not called."""
        self._circuit.record_probe(ready)

    async def call(
        self,
        path: str,
        deadlines: Sequence[Deadline],
        answers: TypeAdapter[list[AnswerT | Dropped]],
        **body: Any,
    ) -> list[AnswerT | Dropped]:
        """Return an answer for each of ``deadlines``. Raises :class:`RunnerError`."""
        with self._metrics.call(self._name, len(deadlines)) as call:
            try:
                if not self._circuit.allows():
                    raise CircuitOpenError("has not answered lately")
                answer = await self._tried(path, deadlines, answers, **body)
            except RunnerError as error:
                call.result = error.result
                if isinstance(error, _AT_FAULT):
                    self._circuit.record_failure()
                elif not isinstance(error, CircuitOpenError):
                    self._circuit.record_success()
                raise
            except asyncio.CancelledError:
                # Nobody waits any more: because time was up, or because all of them went away.
                if max(deadlines).remaining <= 0:
                    call.result = RunnerTimeoutError.result
                    self._circuit.record_failure()
                else:
                    call.result = "cancelled"
                    self._circuit.record_cancelled()
                raise
            self._circuit.record_success()
            call.result = "ok"
            return answer

    async def _tried(
        self,
        path: str,
        deadlines: Sequence[Deadline],
        answers: TypeAdapter[list[AnswerT | Dropped]],
        **body: Any,
    ) -> list[AnswerT | Dropped]:
        latest = max(deadlines)
        try:
            return _parse(
                await self._post(path, latest, deadlines, **body), len(deadlines), answers
            )
        except RunnerBusyError as error:
            # Worth waiting for only where the answer would still be in time.
            if error.retry_after * 2 > latest.remaining:
                raise
            await asyncio.sleep(error.retry_after)
            return _parse(
                await self._post(path, latest, deadlines, **body), len(deadlines), answers
            )

    async def _post(
        self, path: str, latest: Deadline, deadlines: Sequence[Deadline], **body: Any
    ) -> _Response:
        left = ",".join(str(max(0, int(deadline.remaining * 1000))) for deadline in deadlines)
        body["headers"] = {**body["headers"], **tracing.headers(), headers.TIMEOUT: left}
        try:
            async with asyncio.timeout(max(latest.remaining, 0)):
                return await self._once(path, **body)
        # First, since aiohttp's own timeout is a TimeoutError as well.
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise RunnerRefusedError("no connection") from error
        except TimeoutError as error:
            raise RunnerTimeoutError("no answer within the deadline") from error
        except aiohttp.ClientError as error:
            raise RunnerFailedError("connection broke") from error

    async def _once(self, path: str, **body: Any) -> _Response:
        try:
            return await self._sent(self._kept, path, **body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
            # A kept connection that the runner has closed says nothing about the runner.
            # Asking twice is harmless: a prediction changes nothing.
            return await self._sent(self._fresh, path, **body)

    async def _sent(self, session: aiohttp.ClientSession, path: str, **body: Any) -> _Response:
        async with session.post(self._url + path, allow_redirects=False, **body) as response:
            return _Response(response.status, response.headers, await response.read())

    def _changed(self, is_open: bool) -> None:
        self._metrics.circuit(self._name, is_open)
        if is_open:
            # Once the call that opened it has told its own error.
            error = CircuitOpenError("does not answer")
            asyncio.get_running_loop().call_soon(self._on_open, error)


def _session(connections: int, *, keep: bool) -> aiohttp.ClientSession:
    # A pool for each runner: a slow one fills its own connections, not its neighbours'.
    connector = (
        aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEPT_SECONDS)
        if keep
        else aiohttp.TCPConnector(limit=connections, force_close=True)
    )
    # The deadline bounds every call as a whole, so aiohttp's own clocks stay off; but nobody
    # answers a knock where no pod is left and a policy drops the packets.
    patience = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    return aiohttp.ClientSession(
        connector=connector, timeout=patience, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


def _parse(
    response: _Response, count: int, answers: TypeAdapter[list[AnswerT | Dropped]]
) -> list[AnswerT | Dropped]:
    if response.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        raise RunnerBusyError("sheds load", _retry_after(response.headers))
    if response.status != HTTPStatus.OK:
        raise RunnerFailedError(f"status {response.status}")
    try:
        found = answers.validate_json(response.body, strict=True)
    except ValidationError as error:
        raise RunnerMalformedError("not what the contract says") from error
    if len(found) != count:
        raise RunnerMalformedError("not one answer an image")
    if any(not isinstance(one, Dropped) and one.recipe != one.expected_recipe for one in found):
        raise RunnerMismatchError("judges images of another recipe")
    return found


def _retry_after(headers: Mapping[str, str]) -> float:
    value = headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 1.0
