"""Schemathesis asks the API what its OpenAPI document allows, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from service.app import create_app
from service.http.openapi import document
from service.settings import Settings
from tests.service.kit.fronts import front
from tests.service.kit.runners import running

DOCUMENT = document(create_app(Settings()))


def cases() -> Iterator[tuple[str, str, GenerationMode]]:
    """Every operation with what is valid, and with what is not where there is anything to break."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, GenerationMode.POSITIVE
            if operation.get("parameters") or "requestBody" in operation:
                yield method, path, GenerationMode.NEGATIVE


CASES = list(cases())

MORE_THAN_A_SCHEMA_CAN_SAY = {
    ("post", "/api/v1/predictions"): "which bytes are an image of some size",
    ("post", "/api/v1/batches"): "which bytes are an image or a zip file",
    ("get", "/api/v1/predictions"): "which cursors have been given out",
    ("put", "/api/v1/predictions/{id}/study"): "which characters can be printed",
    ("post", "/api/v1/considerations"): "which facts go together",
    ("post", "/api/v1/morphometry"): "which points lie below which",
    ("put", "/api/v1/predictions/{id}/heights"): "which points lie below which",
}
"""Where a request that fits the document may still be refused."""


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The document, to be asked of a front on a thread of its own: Schemathesis is not async."""
    var = tmp_path_factory.mktemp("var")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running()) as runners,
        portal.wrap_async_context_manager(front(var, runners)) as opened,
    ):
        url = str(opened.client.base_url)
        yield schemathesis.openapi.from_url(f"{url}/api/openapi.json")


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    CASES,
    ids=[f"{method} {path}, {mode.value}" for method, path, mode in CASES],
)
def test_the_api_keeps_its_word(
    schema: BaseSchema, method: str, path: str, mode: GenerationMode
) -> None:
    left_out = [positive_data_acceptance] if (method, path) in MORE_THAN_A_SCHEMA_CAN_SAY else []

    @settings(
        max_examples=10,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(timeout=20, excluded_checks=left_out)

    ask()
