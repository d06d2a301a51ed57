"""The client of the four runners: our own connections, our own deadlines, every failure a name.

::

    RunnerError               the runner gave no answer that can be used
    ├── RunnerRefusedError         refused      no connection
    ├── RunnerTimeoutError         timeout      not within what was left of the deadline
    ├── RunnerBusyError            busy         503 or 429: it sheds load
    ├── RunnerOpenError            open         not asked: it has not answered others lately
    ├── RunnerFailedError          failed       any other status that is not 200
    └── RunnerMalformedError       malformed    200, but not what the contract says
        └── RunnerMismatchError    mismatch     made for another recipe

``result`` is the label in the metrics; success is ``ok``. Images that wait for the same runner go
together in one call (``service.coalescing``); a runner that fails call after call is left alone for
a while (``service.circuit``).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cache
from types import TracebackType
from typing import Any, ClassVar, Final, Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from models import recipe
from models.recipe import Canonical
from service import tracing
from service.answers import BaseAnswer, Dropped, StackAnswer
from service.circuit import Circuit
from service.coalescing import Coalescer, Send, Waiting
from service.deadline import Deadline
from service.metrics import Metrics
from service.priority import Priority
from service.settings import Settings
from service.types import BASES, RUNNERS, BaseName, RunnerName

RECIPE_HEADER: Final = "X-Recipe"
COUNT_HEADER: Final = "X-Count"
LEFT_HEADER: Final = "X-Left-Ms"
"""What runners are told beside the images; ``bentos.wire`` and ``bentos.admission`` read them."""


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


class RunnerOpenError(RunnerError):
    result = "open"


class RunnerFailedError(RunnerError):
    result = "failed"


class RunnerMalformedError(RunnerError):
    result = "malformed"


class RunnerMismatchError(RunnerMalformedError):
    result = "mismatch"


CONNECT_SECONDS: Final = 1.0
"""Longest wait for a connection within one's own network; the kernel accepts for a busy runner."""

Votes = Mapping[BaseName, BaseAnswer]

T = TypeVar("T")
AnswerT = TypeVar("AnswerT", BaseAnswer, StackAnswer)

_BASE_ANSWERS = TypeAdapter(list[BaseAnswer | Dropped])
_STACK_ANSWERS = TypeAdapter(list[StackAnswer | Dropped])

_AT_FAULT: Final = (RunnerRefusedError, RunnerTimeoutError, RunnerFailedError)
"""What speaks against calling a runner again soon. One that sheds load or speaks another contract
answers quickly, and may answer the next call better."""


class Runners:
    """Connections to the runners, open between ``async with`` and its end."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._lines = {name: _Line(name, settings, metrics) for name in RUNNERS}
        most, calls = settings.runner_images, settings.runner_calls
        patience = settings.bulk_patience_seconds
        self._bases: dict[BaseName, Coalescer[Canonical, BaseAnswer]] = {
            name: Coalescer(self._asker(name), most=most, calls=calls, patience=patience)
            for name in BASES
        }
        self._stack: Coalescer[Votes, StackAnswer] = Coalescer(
            self._combine, most=most, calls=calls, patience=patience
        )
        for base, coalescer in self._bases.items():
            self._lines[base].when_open(coalescer)
        self._lines["stack"].when_open(self._stack)
        self.versions: dict[RunnerName, str] = {}
        """Of every runner that has answered, the version that did so last."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for line in self._lines.values():
                await stack.enter_async_context(line.client)
                await stack.enter_async_context(line.fresh)
            for coalescer in self._bases.values():
                stack.push_async_callback(coalescer.close)
            stack.push_async_callback(self._stack.close)
            self._closing = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._closing.aclose()

    async def predict(
        self,
        name: BaseName,
        image: Canonical,
        deadline: Deadline,
        priority: Priority = Priority.PERSON,
    ) -> BaseAnswer:
        """Ask a base runner for its word on one canonical image. Raises :class:`RunnerError`."""
        return await _in_time(self._bases[name](image, deadline, priority))

    async def explain(self, name: BaseName, image: Canonical, deadline: Deadline) -> BaseAnswer:
        """The same with a heat map, in a call of its own: maps are large and made one at a time."""
        with tracing.calling(name, [tracing.here()]):
            (answer,) = await self._ask_base(name, [image], [deadline], "/predict?map=true")
        return _expected(answer)

    async def combine(
        self, votes: Votes, deadline: Deadline, priority: Priority = Priority.PERSON
    ) -> StackAnswer:
        """Ask the stack for its word on one image's votes. Raises :class:`RunnerError`."""
        return await _in_time(self._stack(votes, deadline, priority))

    async def ready(self, name: RunnerName, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                response = await self._lines[name].fresh.get("/readyz")
                return response.status_code == httpx.codes.OK
        except (TimeoutError, httpx.HTTPError):
            return False

    def seen(self, name: RunnerName, *, ready: bool) -> None:
        """Tell what looks at a runner's readiness have found."""
        self._lines[name].circuit.seen(ready)

    def _asker(self, name: BaseName) -> Send[Canonical, BaseAnswer]:
        async def ask(
            together: Sequence[Waiting[Canonical, BaseAnswer]],
        ) -> Sequence[BaseAnswer | Exception]:
            images, deadlines = [w.item for w in together], [w.deadline for w in together]
            with tracing.calling(name, [w.origin for w in together]):
                return await self._ask_base(name, images, deadlines, "/predict")

        return ask

    async def _ask_base(
        self, name: BaseName, images: Sequence[Canonical], deadlines: Sequence[Deadline], path: str
    ) -> Sequence[BaseAnswer | RunnerError]:
        return await self._ask(
            name,
            path,
            deadlines,
            _BASE_ANSWERS,
            content=recipe.pack(images),
            headers={
                "Content-Type": "application/octet-stream",
                RECIPE_HEADER: recipe.NAME,
            },
        )

    async def _combine(
        self, together: Sequence[Waiting[Votes, StackAnswer]]
    ) -> Sequence[StackAnswer | Exception]:
        sets = [
            {
                name: {"probability": vote.probability, "version": vote.version}
                for name, vote in waiting.item.items()
            }
            for waiting in together
        ]
        deadlines = [waiting.deadline for waiting in together]
        headers = {COUNT_HEADER: str(len(sets))}
        with tracing.calling("stack", [waiting.origin for waiting in together]):
            answers = await self._ask(
                "stack",
                "/combine",
                deadlines,
                _STACK_ANSWERS,
                json={"votes": sets},
                headers=headers,
            )
        return [
            RunnerMalformedError("used a vote that was not given")
            if isinstance(answer, StackAnswer) and not set(answer.used) <= set(waiting.item)
            else answer
            for waiting, answer in zip(together, answers, strict=True)
        ]

    async def _ask(
        self,
        name: RunnerName,
        path: str,
        deadlines: Sequence[Deadline],
        answers: TypeAdapter[list[AnswerT | Dropped]],
        **body: Any,
    ) -> list[AnswerT | RunnerError]:
        response = await self._lines[name].call(path, deadlines, answers, **body)
        found: list[AnswerT | RunnerError] = []
        for answer in response:
            if isinstance(answer, Dropped):
                late = answer.dropped == "expired"
                found.append(
                    RunnerTimeoutError("too late to be computed")
                    if late
                    else RunnerFailedError("could not be computed")
                )
            else:
                self.versions[name] = answer.version
                found.append(answer)
        return found


class _Line:
    """One runner: connections, circuit, and what a call to it goes through."""

    def __init__(self, name: RunnerName, settings: Settings, metrics: Metrics) -> None:
        self._name = name
        self._metrics = metrics
        self._hedge = settings.hedge_seconds
        url = settings.runner_url(name)
        # A client each: a slow runner fills its own connections, not its neighbours'. Room for the
        # calls, hedges, and maps beside them.
        connections = 2 * settings.runner_calls + 8
        self.client = _client(url, connections)
        # Probes and second tries never take a connection that may already be closed.
        self.fresh = _client(url, connections, keepalive=0)
        self.circuit = Circuit(settings.circuit_seconds, self._changed)
        self._waiting: Coalescer[Any, Any] | None = None

    def when_open(self, waiting: Coalescer[Any, Any]) -> None:
        """Let nobody in ``waiting`` wait for a runner that is left alone."""
        self._waiting = waiting

    async def call(
        self,
        path: str,
        deadlines: Sequence[Deadline],
        answers: TypeAdapter[list[AnswerT | Dropped]],
        **body: Any,
    ) -> list[AnswerT | Dropped]:
        """Return an answer for each of ``deadlines``. Raises :class:`RunnerError`."""
        with self._metrics.runner_call(self._name, len(deadlines)) as call:
            try:
                if not self.circuit.allows():
                    raise RunnerOpenError("has not answered lately")
                answer = await self._tried(path, deadlines, answers, **body)
            except RunnerError as error:
                call.result = error.result
                if isinstance(error, _AT_FAULT):
                    self.circuit.failed()
                elif not isinstance(error, RunnerOpenError):
                    self.circuit.succeeded()
                raise
            except asyncio.CancelledError:
                # Nobody waits any more: because time was up, or because all of them went away.
                if max(deadlines).left <= 0:
                    call.result = RunnerTimeoutError.result
                    self.circuit.failed()
                else:
                    call.result = "cancelled"
                    self.circuit.gave_up()
                raise
            self.circuit.succeeded()
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
            if error.retry_after * 2 > latest.left:
                raise
            await asyncio.sleep(error.retry_after)
            return _parse(
                await self._post(path, latest, deadlines, **body), len(deadlines), answers
            )

    async def _post(
        self, path: str, latest: Deadline, deadlines: Sequence[Deadline], **body: Any
    ) -> httpx.Response:
        left = ",".join(str(max(0, int(deadline.left * 1000))) for deadline in deadlines)
        body["headers"] = {**body["headers"], **tracing.headers(), LEFT_HEADER: left}
        try:
            async with asyncio.timeout(max(latest.left, 0)):
                if self._hedge is None:
                    return await self._once(path, **body)
                return await self._hedged(self._hedge, path, **body)
        except TimeoutError as error:
            raise RunnerTimeoutError("no answer within the deadline") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise RunnerRefusedError("no connection") from error
        except httpx.HTTPError as error:
            raise RunnerFailedError("connection broke") from error

    async def _once(self, path: str, **body: Any) -> httpx.Response:
        try:
            return await self.client.post(path, **body)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A kept connection that the runner has closed says nothing about the runner.
            # Asking twice is harmless: a prediction changes nothing.
            return await self.fresh.post(path, **body)

    async def _hedged(self, seconds: float, path: str, **body: Any) -> httpx.Response:
        """Ask once more, over another connection, where the first is not back; the faster wins."""
        first = asyncio.create_task(self._once(path, **body))
        tasks = [first]
        try:
            done, _ = await asyncio.wait(tasks, timeout=seconds)
            if not done:
                tasks.append(asyncio.create_task(self.fresh.post(path, **body)))
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            answered = [task for task in tasks if task.done() and task.exception() is None]
            return await (answered[0] if answered else tasks[-1])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _changed(self, is_open: bool) -> None:
        self._metrics.circuit(self._name, is_open)
        if is_open and self._waiting is not None:
            # Once the call that opened it has told its own error.
            error = RunnerOpenError("does not answer")
            asyncio.get_running_loop().call_soon(self._waiting.fail, error)


async def _in_time(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except TimeoutError as error:
        raise RunnerTimeoutError("no answer within the deadline") from error


def _expected(answer: AnswerT | RunnerError) -> AnswerT:
    if isinstance(answer, RunnerError):
        raise answer
    return answer


def _client(url: str, connections: int, keepalive: int | None = None) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=connections if keepalive is None else keepalive,
        keepalive_expiry=30.0,
    )
    # The deadline bounds every call as a whole, so httpx's own clocks stay off; but nobody answers
    # a knock where no pod is left and a policy drops the packets.
    patience = httpx.Timeout(None, connect=CONNECT_SECONDS)
    return httpx.AsyncClient(
        base_url=url, limits=limits, timeout=patience, trust_env=False, verify=_tls()
    )


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than everything else at start, so once is enough.
    return httpx.create_ssl_context(trust_env=False)


def _parse(
    response: httpx.Response, count: int, answers: TypeAdapter[list[AnswerT | Dropped]]
) -> list[AnswerT | Dropped]:
    if response.status_code in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS):
        raise RunnerBusyError("sheds load", _retry_after(response))
    if response.status_code != httpx.codes.OK:
        raise RunnerFailedError(f"status {response.status_code}")
    try:
        found = answers.validate_json(response.content, strict=True)
    except ValidationError as error:
        raise RunnerMalformedError("not what the contract says") from error
    if len(found) != count:
        raise RunnerMalformedError("not one answer an image")
    if any(not isinstance(one, Dropped) and one.recipe != recipe.NAME for one in found):
        raise RunnerMismatchError("judges images of another recipe")
    return found


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 1.0
