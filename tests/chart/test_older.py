"""Values of an older version of the chart, as ``helm upgrade --reuse-values`` brings them along.

Helm then takes the chart's own defaults from the older version as well, so that here the values
file itself is another.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8s import helm

VALUES: dict[str, Any] = yaml.safe_load((helm.CHART / "values.yaml").read_text("utf-8"))
OLDEST = Path(__file__).parent / "older.yaml"
"""What the first version of the chart had, as far as it differs."""

EVERYTHING = (
    'database.existingSecret="pg"', 'auth.existingSecret="doors"', "loadTest.enabled=true",
    'loadTest.keySecret="load"', 'ingress.host="dxa.example"', "ingress.enabled=true",
    'ingress.tlsSecret="tls"', 'networkPolicy.clients=[{"podSelector":{}}]',
    'networkPolicy.metrics=[{"podSelector":{}}]', "metrics.serviceMonitor.enabled=true",
    "metrics.prometheusRule.enabled=true", "metrics.dashboards.enabled=true",
    "priorityClass.create=true", 'common.autoscaling.kind="hpa"',
)  # fmt: skip
"""What makes most of what can be made; a map that one of these goes into is there again."""


def paths(values: dict[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield (*at, key)
            yield from paths(value, (*at, key))


def without(values: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    found = deepcopy(values)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return found


def rendered(folder: Path, values: dict[str, Any], *sets: str) -> str:
    """Return what the chart makes of ``values`` in place of its own, or says of them."""
    chart = folder / "osteoserve"
    if not chart.exists():
        shutil.copytree(helm.CHART, chart)
    (chart / "values.yaml").write_text(yaml.safe_dump(values), "utf-8")
    arguments = [part for one in sets for part in ("--set-json", one)]
    try:
        return helm.run("template", "rel", str(chart), *arguments)
    except helm.HelmError as error:
        return str(error)


def is_whole(said: str) -> bool:
    """Whether it was rendered, or refused in a sentence; neither in the words of Go's templates."""
    for word in (
        "nil pointer",
        "<nil>",
        "<no value>",
        "executing",
        "error calling",
        "interface {}",
    ):
        assert word not in said, said
    return said.startswith("---")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("older")


@pytest.mark.parametrize("path", list(paths(VALUES)), ids=".".join)
def test_a_map_that_is_missing_is_named(folder: Path, path: tuple[str, ...]) -> None:
    for sets in ((), EVERYTHING):
        said = rendered(folder, without(VALUES, path), *sets)
        # What is needed for something else alone is asked for where that is.
        if not is_whole(said) and "is a part of what is requested" not in said:
            assert f"the values have no {'.'.join(path)}" in said
            assert "--reset-then-reuse-values" in said


@pytest.mark.parametrize("key", list(VALUES))
def test_a_value_that_is_null_is_none(folder: Path, key: str) -> None:
    said = rendered(folder, VALUES, f"{key}=null")
    if not is_whole(said):
        assert f"the values have no {key}" in said


def test_what_is_empty_by_default_may_be_missing(folder: Path) -> None:
    def full(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        found = {key: full(one) for key, one in value.items()}
        return {
            key: one
            for key, one in found.items()
            if one is not None and one is not False and one not in ("", [], {})
        }

    bare = full(VALUES)
    # Maps have to be there.
    bare |= {"ingress": {}, "httpRoute": {}}
    bare["loadTest"]["reports"] = {}
    said = rendered(folder, bare)
    assert is_whole(said), said
    assert said == rendered(folder, VALUES)


def _git(*arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run(
        [git, *arguments], cwd=helm.ROOT, check=False, capture_output=True, text=True
    )
    return done.stdout


FILE = "helm/osteoserve/values.yaml"
OLDER = {
    "kept beside this test": OLDEST.read_text("utf-8"),
    # As far as the history is here.
    **{commit: _git("show", f"{commit}:{FILE}")
       for commit in _git("log", "--format=%h", "--", FILE).split()[1:]},
}  # fmt: skip


@pytest.mark.parametrize("text", list(OLDER.values()), ids=list(OLDER))
@pytest.mark.parametrize(
    "sets",
    [
        (),
        ('database.existingSecret="pg"', 'auth.existingSecret="doors"'),
        ("loadTest.enabled=true", 'loadTest.keySecret="load"', "metrics.dashboards.enabled=true"),
    ],
    ids=["alone", "PostgreSQL", "a load test"],
)
def test_values_of_an_older_version_are_refused_in_a_sentence(
    folder: Path, text: str, sets: tuple[str, ...]
) -> None:
    said = rendered(folder, yaml.safe_load(text), *sets)
    assert is_whole(said) or "--reset-then-reuse-values" in said or "not allowed" in said


def test_every_template_looks_first() -> None:
    for path in (helm.CHART / "templates").rglob("*"):
        if path.suffix in (".yaml", ".txt"):
            assert 'include "osteoserve.check.values" .' in path.read_text("utf-8").splitlines()[0]


def test_the_older_values_are_those_of_a_version_that_there_was() -> None:
    kept = yaml.safe_load(OLDEST.read_text("utf-8"))
    assert "auth" not in kept
    assert "test" not in kept
