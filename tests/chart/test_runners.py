"""A runner is told of once in the service, once in the chart's values, and in its own folders."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from k8s import helm, schema
from service.runners.registry import BY_NAME, MODEL_NAMES, REGISTRY, Runner
from service.settings import PREFIX, Settings
from service.types import MODELS, RUNNER_OF, RUNNERS
from tests.chart.conftest import rendered

BASES = sorted(one.name for one in REGISTRY if one.role == "votes")
"""Runners of base models alone: those of which another may come. ``vertebrae`` and ``stack`` are
asked by name for what nobody else does."""

FOLDERS = (
    "service", "protocol", "bentos", "listener", "telemetry", "loadtests", "k8s", "helm",
)  # fmt: skip
PLACES = {
    "protocol/runners.py": "names, as types know them",
    "service/runners/registry.py": "the registry",
    "helm/osteoserve/values.yaml": "the chart's",
    # Made of these two by `python -m k8s`.
    "helm/osteoserve/values.schema.json": "made",
    "helm/osteoserve/files/required.txt": "made",
    "helm/osteoserve/files/rules/osteoserve.yaml": "made",
    "k8s/base/osteoserve.yaml": "made",
    "k8s/prometheus/rules.yaml": "made",
    # Of an installation, which may say something of any of them.
    "k8s/kind/values.yaml": "an installation's",
    "k8s/sites/hospital.yaml": "an installation's",
    "k8s/sites/region.yaml": "an installation's",
    # Of one among them.
    "bentos/policy.py": "ResNet's own batches are smaller",
    "bentos/base.py": "type of those that share it",
    "service/predictions/schemas.py": "an example in the API's description",
    "service/predictions/heat_maps/schemas.py": "an example in the API's description",
    "loadtests/target.py": "tells whose processor time was measured",
    "loadtests/capacity.py": "what was measured, by name",
    "loadtests/measured.json": "what was measured, by name",
}
"""Files outside `models/` that have a base runner's name, beside its own folder."""


def texts(path: Path) -> Iterator[str]:
    """Yield what of a file is no comment and no docstring."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        yield from (line.partition("#")[0] for line in text.splitlines())
        return
    tree = ast.parse(text)
    spoken = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in spoken:
            yield node.value
        elif isinstance(node, ast.Name | ast.alias):
            yield node.id if isinstance(node, ast.Name) else node.name
        elif isinstance(node, ast.Attribute):
            yield node.attr


def test_names_are_written_in_known_places_alone() -> None:
    names = re.compile(rf"\b({'|'.join(BASES)})(_url)?\b")
    own = {f"bentos/{name}" for name in BASES}
    found = set()
    for folder in (
        "service",
        "protocol",
        "bentos",
        "listener",
        "telemetry",
        "loadtests",
        "k8s",
        "helm",
    ):
        for path in (helm.ROOT / folder).rglob("*"):
            name = path.relative_to(helm.ROOT).as_posix()
            if not path.is_file() or path.suffix in (".pyc", ".md", ".mo", ".png"):
                continue
            if path.parent.relative_to(helm.ROOT).as_posix() in own:
                continue
            if any(names.search(text) for text in texts(path)):
                found.add(name)
    assert found == set(PLACES), "a base model is to be added in the registry and the values alone"


def test_the_registry_is_whole() -> None:
    assert set(RUNNERS) == set(BY_NAME)
    assert len(REGISTRY) == len(BY_NAME) == len({one.port for one in REGISTRY})
    assert {model: one.name for one in REGISTRY for model in one.models} == RUNNER_OF
    assert set(MODEL_NAMES) == set(MODELS)


def test_every_runner_has_its_folder_its_values_and_its_address() -> None:
    values = yaml.safe_load((helm.CHART / "values.yaml").read_text("utf-8"))["runners"]
    known = json.loads(schema.SCHEMA.read_text("utf-8"))["properties"]["runners"]
    folders = {path.parent.name for path in helm.ROOT.glob("bentos/*/service.py")}
    assert set(values) == set(known["properties"]) == folders
    assert folders == set(BY_NAME)
    for name in BY_NAME:
        assert values[name]["image"]["repository"] == f"osteoserve/{name}"


@pytest.mark.parametrize("one", REGISTRY, ids=lambda one: one.name)
def test_an_address_is_its_own_port_unless_its_variable_says_otherwise(
    one: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings().runner_url(one.name) == f"http://127.0.0.1:{one.port}"
    monkeypatch.setenv(f"{PREFIX}{one.name.upper()}_URL", "http://elsewhere:1/")
    assert Settings().runner_url(one.name) == "http://elsewhere:1"


def test_a_runner_that_the_values_deny_is_refused() -> None:
    with pytest.raises(helm.HelmError, match="cnn"):
        rendered("runners.cnn=null")


def test_a_runner_that_nobody_knows_is_refused() -> None:
    with pytest.raises(helm.HelmError, match="'tree' not allowed"):
        rendered('runners.tree={"image": {"repository": "a/b"}}')
