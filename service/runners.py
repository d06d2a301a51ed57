"""The client of the four runners: our own connections, our own deadlines, every failure a name.

::

    RunnerError               the runner gave no answer that can be used
    ├── RunnerRefusedError         refused      no connection
    ├── RunnerTimeoutError         timeout      not within what was left of the deadline
    ├── RunnerBusyError            busy         503 or 429: it sheds load
    ├── RunnerFailedError          failed       any other status that is not 200
    ├── RunnerMalformedError       malformed    200, but not what the contract says
    └── RunnerMismatchError        mismatch     made for another recipe

``result`` is the label in the metrics; success is ``ok``.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Annotated, Any, ClassVar, Self, TypeVar

import httpx
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from service import tracing
from service.heatmap import Rows, even
from service.metrics import Metrics
from service.prediction import Probability, Version
from service.settings import Settings
from service.types import BASES, RUNNERS, Band, BaseName, RunnerName


class RunnerError(Exception):
    result: ClassVar[str] = "failed"


class RunnerRefusedError(RunnerError):
    result = "refused"


class RunnerTimeoutError(RunnerError):
    result = "timeout"


class RunnerBusyError(RunnerError):
    result = "busy"


class RunnerFailedError(RunnerError):
    result = "failed"


class RunnerMalformedError(RunnerError):
    result = "malformed"


class RunnerMismatchError(RunnerError):
    result = "mismatch"


class _Answer(BaseModel):
    # Runners may learn to say more; what is said of these fields must hold.
    model_config = ConfigDict(frozen=True, extra="ignore")

    probability: Probability
    threshold: Probability
    band: Band
    version: Version
    recipe: str

    @model_validator(mode="after")
    def _band_in_order(self) -> Self:
        low, high = self.band
        if not 0 <= low <= high <= 1:
            raise ValueError("band is not two probabilities in order")
        return self


class BaseAnswer(_Answer):
    """One base model's word on one image."""

    auroc: Probability
    map: Rows | None = None

    @field_validator("map")
    @classmethod
    def _map_is_a_grid(cls, rows: Rows | None) -> Rows | None:
        return None if rows is None else even(rows)


class StackAnswer(_Answer):
    """The stack's word on one image's votes."""

    contributions: dict[BaseName, Annotated[float, Field(allow_inf_nan=False)]]
    used: tuple[BaseName, ...] = Field(min_length=1)
    missing: tuple[BaseName, ...]

    @model_validator(mode="after")
    def _every_model_once(self) -> Self:
        if sorted(self.used + self.missing) != sorted(BASES) or set(self.contributions) != set(
            self.used
        ):
            raise ValueError("used, missing and contributions do not name every base model once")
        return self


AnswerT = TypeVar("AnswerT", bound=_Answer)

_BASE_ANSWERS = TypeAdapter(Annotated[list[BaseAnswer], Field(min_length=1, max_length=1)])
_STACK_ANSWERS = TypeAdapter(Annotated[list[StackAnswer], Field(min_length=1, max_length=1)])


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock by which the answer must be there."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        return self.at - time.monotonic()

    def sooner(self, seconds: float) -> Deadline:
        return Deadline(self.at - seconds)


class Runners:
    """Connections to the runners, open between ``async with`` and its end."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._metrics = metrics
        # A client each: a slow runner fills its own connections, not its neighbours'.
        self._clients = {
            name: _client(settings.runner_url(name), settings.runner_connections)
            for name in RUNNERS
        }
        # Probes and second tries never take a connection that may already be closed.
        self._fresh = {
            name: _client(settings.runner_url(name), settings.runner_connections, keepalive=0)
            for name in RUNNERS
        }

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for client in (*self._clients.values(), *self._fresh.values()):
                await stack.enter_async_context(client)
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
        png: bytes,
        recipe: str,
        deadline: Deadline,
        *,
        with_map: bool = False,
    ) -> BaseAnswer:
        """Ask a base runner for its word on one canonical image. Raises :class:`RunnerError`."""
        files = [("images", ("canonical.png", png, "image/png"))]
        path = "/predict?map=true" if with_map else "/predict"
        return await self._ask(name, path, recipe, deadline, _BASE_ANSWERS, files=files)

    async def combine(
        self, votes: Mapping[BaseName, BaseAnswer], recipe: str, deadline: Deadline
    ) -> StackAnswer:
        """Ask the stack for its word on one image's votes. Raises :class:`RunnerError`."""
        item = {
            name: {"probability": vote.probability, "version": vote.version}
            for name, vote in votes.items()
        }
        answer = await self._ask(
            "stack", "/combine", recipe, deadline, _STACK_ANSWERS, json={"votes": [item]}
        )
        if not set(answer.used) <= set(votes):
            raise RunnerMalformedError("used a vote that was not given")
        return answer

    async def ready(self, name: RunnerName, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return (await self._fresh[name].get("/readyz")).status_code == httpx.codes.OK
        except (TimeoutError, httpx.HTTPError):
            return False

    async def _ask(
        self,
        name: RunnerName,
        path: str,
        recipe: str,
        deadline: Deadline,
        answers: TypeAdapter[list[AnswerT]],
        **body: Any,
    ) -> AnswerT:
        with self._metrics.runner_call(name) as call, tracing.calling(name):
            try:
                answer = _parse(await self._post(name, path, deadline, **body), answers)
                if answer.recipe != recipe:
                    raise RunnerMismatchError("judges images of another recipe")
            except RunnerError as error:
                call.result = error.result
                raise
            call.result = "ok"
            return answer

    async def _post(
        self, name: RunnerName, path: str, deadline: Deadline, **body: Any
    ) -> httpx.Response:
        headers = tracing.headers()
        try:
            async with asyncio.timeout(max(deadline.left, 0)):
                try:
                    return await self._clients[name].post(path, headers=headers, **body)
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    # A kept connection that the runner has closed says nothing about the runner.
                    # Asking twice is harmless: a prediction changes nothing.
                    return await self._fresh[name].post(path, headers=headers, **body)
        except TimeoutError as error:
            raise RunnerTimeoutError("no answer within the deadline") from error
        except httpx.ConnectError as error:
            raise RunnerRefusedError("no connection") from error
        except httpx.HTTPError as error:
            raise RunnerFailedError("connection broke") from error


def _client(url: str, connections: int, keepalive: int | None = None) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=connections if keepalive is None else keepalive,
        keepalive_expiry=30.0,
    )
    # The deadline bounds every call as a whole, so httpx's own clocks stay off.
    forever = httpx.Timeout(None)
    return httpx.AsyncClient(
        base_url=url, limits=limits, timeout=forever, trust_env=False, verify=_tls()
    )


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than everything else at start, so once is enough.
    return httpx.create_ssl_context(trust_env=False)


def _parse(response: httpx.Response, answers: TypeAdapter[list[AnswerT]]) -> AnswerT:
    if response.status_code in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS):
        raise RunnerBusyError("sheds load")
    if response.status_code != httpx.codes.OK:
        raise RunnerFailedError(f"status {response.status_code}")
    try:
        return answers.validate_json(response.content, strict=True)[0]
    except ValidationError as error:
        raise RunnerMalformedError("not what the contract says") from error
