"""Every object of every scenario against Kubernetes' own schemas, strict: no field too many.

Those of the API are in the package ``kubernetes-validate``; what the chart uses of custom resources
is described beside this file.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import kubernetes_validate
import pytest
from jsonschema import Draft202012Validator, ValidationError
from kubernetes_validate import utils

from tests.chart.conftest import HERE, SCENARIOS, Object, scenario

OLDEST, NEWEST = "1.30", "1.36"

# Read and parsed again for each object otherwise, at a megabyte a time.
utils.schema_contents = cache(utils.schema_contents)


@cache
def custom(kind: str) -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((HERE / "schemas" / f"{kind.lower()}.json").read_text("utf-8"))
    )


@cache
def _checked(text: str, version: str) -> None:
    kubernetes_validate.validate(json.loads(text), version, strict=True)


def check(one: Object, version: str) -> None:
    """Raises jsonschema's ValidationError."""
    if (HERE / "schemas" / f"{one['kind'].lower()}.json").exists():
        custom(one["kind"]).validate(one)
    else:
        _checked(json.dumps(one, sort_keys=True), version)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_object_is_valid(name: str, version: str) -> None:
    for one in scenario(name):
        check(one, version)


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "replica"), 1),
        ("Deployment", ("spec", "template", "spec", "containers"), "none"),
        ("NetworkPolicy", ("spec", "podSelectors"), {}),
        ("HTTPRoute", ("spec", "hostname"), "a.example"),
        ("ScaledObject", ("spec", "triggers"), []),
        ("ServiceMonitor", ("spec", "endpoint"), []),
        ("PrometheusRule", ("spec", "groups"), [{"name": "empty"}]),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_the_check_can_fail(kind: str, path: tuple[str, ...], value: Any) -> None:
    one = json.loads(json.dumps(next(o for o in scenario("everything") if o["kind"] == kind)))
    inner = one
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ValidationError):
        check(one, NEWEST)
