"""What is left in the end: nothing."""

from __future__ import annotations

import pytest

from tests.cluster.conftest import everything
from tests.cluster.kubectl import Namespace, eventually
from tests.cluster.release import Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster


def test_nothing_is_left(
    release: Release, space: Namespace, before: set[str], scenario: Scenario
) -> None:
    during = everything(space)
    release.uninstall()
    eventually("all pods are gone", lambda: space.all("pods", release.selector()) == [], 120)
    left = everything(space) - before
    kinds = space.run("api-resources", "--namespaced=false", "--verbs=list", "--output=name")
    cluster = space.run(
        "get", ",".join(kind for kind in kinds.split() if "metrics.k8s.io" not in kind),
        "--selector", release.selector(), "--output=name",
    )  # fmt: skip
    scenario.facts |= {"objects of the release": len(during - before), "left": sorted(left) or 0}
    assert len(during - before) > 30
    assert left == set()
    assert cluster == ""
