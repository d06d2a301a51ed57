from __future__ import annotations

import json
from typing import Any

import pytest
from lxml import html

from service.http.declared import ACCEPTED
from service.http.problem_types import KINDS
from service.http.problems import MEDIA_TYPE
from service.served_models.schemas import Lineup
from tests.service.kit.fronts import API, Front

pytestmark = pytest.mark.anyio


@pytest.fixture
async def document(shared: Front) -> dict[str, Any]:
    body: dict[str, Any] = (await shared.client.get("/api/openapi.json")).json()
    return body


async def test_what_is_documented(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == {
        API,
        API + "/{id}",
        API + "/{id}/ct",
        API + "/{id}/heights",
        API + "/{id}/image",
        API + "/{id}/maps/{model}",
        API + "/{id}/modalities",
        API + "/{id}/report.pdf",
        API + "/{id}/reviews",
        API + "/{id}/sent-image",
        API + "/{id}/study",
        API + "/{id}/ultrasound",
        API + "/{id}/worklist",
        "/api/v1/batches",
        "/api/v1/batches/{id}",
        "/api/v1/batches/{id}/cancel",
        "/api/v1/batches/{id}/quality.csv",
        "/api/v1/batches/{id}/quality.xlsx",
        "/api/v1/batches/{id}/results",
        "/api/v1/considerations",
        "/api/v1/morphometry",
        "/api/v1/models",
        "/api/v1/patients/{key}/progression",
        "/api/v1/patients/{key}/report.pdf",
        "/health/live",
        "/health/ready",
        "/health/startup",
    }
    body = document["paths"][API]["post"]["requestBody"]["content"]
    assert set(body) == {"multipart/form-data", *ACCEPTED}
    assert "Research use only" in document["info"]["description"]


async def test_every_failure_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    schema = response["content"][MEDIA_TYPE]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}
                    codes = response["description"].replace("`", "").split(", ")
                    assert {KINDS[code].status for code in codes} == {int(status)}


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for part in json.dumps(document).split('"$ref": "')[1:]:
        assert part.split('"')[0].removeprefix("#/components/schemas/") in schemas
    assert "HTTPValidationError" not in schemas


async def test_the_example_is_in_both_places(document: dict[str, Any]) -> None:
    post = document["paths"][API]["post"]["responses"]["201"]
    get = document["paths"][API + "/{id}"]["get"]["responses"]["200"]
    examples = [one["content"]["application/json"]["example"] for one in (post, get)]
    assert examples[0] == examples[1]
    assert examples[0]["intended_use"] == "research"
    assert post["headers"]["Location"]


async def test_the_page_comes_from_here_alone(shared: Front) -> None:
    response = await shared.client.get("/api/docs")
    page = html.fromstring(response.text)
    for address in page.xpath("//script/@src | //link[not(@rel='expect')]/@href"):
        assert address.startswith("/static/")
        assert (await shared.client.get(address)).status_code == 200
    assert "https:" not in response.text
    assert "img-src 'self' data:" in response.headers["content-security-policy"]


async def test_what_is_served_is_its_own_example(shared: Front, document: dict[str, Any]) -> None:
    answer = document["paths"]["/api/v1/models"]["get"]["responses"]["200"]
    example = answer["content"]["application/json"]["example"]
    served = (await shared.client.get("/api/v1/models")).json()
    assert Lineup.model_validate_json(json.dumps(example)).version == served["version"]
    for name, model in example["models"].items():
        assert served["models"][name]["card"].startswith(model["card"])
    assert {one["threshold"] for one in example["results"].values()} == {
        one["threshold"] for one in served["results"].values()
    }
