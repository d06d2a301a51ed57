"""What is refused, and what a real API server says to every scenario."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8s import helm
from tests.chart.conftest import HERE as CHART_TESTS
from tests.chart.conftest import SCENARIOS
from tests.chart.conftest import scenario as rendered
from tests.chart.test_names import NAMED, made
from tests.cluster import custom
from tests.cluster.kubectl import KubectlError, Namespace, Object
from tests.cluster.release import Release
from tests.cluster.report import Scenario

pytestmark = pytest.mark.cluster

CUSTOM = {path.stem for path in (CHART_TESTS / "schemas").glob("*.json")}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"front.replica": 2}, "additional properties 'replica' not allowed"),
        (
            {"database.existingSecret": ""},
            "results are kept in SQLite, a file that one front alone",
        ),
        ({"runners.vgg16.resources.requests.cpu": "two"}, '"two" is no quantity'),
    ],
    ids=["misspelt", "three fronts on SQLite", "a quantity in words"],
)
def test_a_mistake_is_refused_and_changes_nothing(
    release: Release, values: dict[str, object], says: str, scenario: Scenario
) -> None:
    before = release.revisions()
    with pytest.raises(helm.HelmError) as refused:
        release.upgrade(values)
    scenario.facts["says"] = str(refused.value).strip().splitlines()[-1].strip()
    assert says in " ".join(str(refused.value).split())
    assert release.revisions() == before
    assert release.whole()


@pytest.fixture(scope="module")
def definitions(space: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The custom resources' definitions, on the cluster for as long as these tests run."""
    try:
        with custom.known(space, tmp_path_factory.mktemp("modules")) as names:
            yield names
    except custom.UnavailableError as error:
        pytest.skip(f"no definitions of custom resources: {error}")


def accepted(space: Namespace, rendered: tuple[Object, ...], *, customs: bool) -> int:
    """Show the API server the objects of a release; return how many there are."""
    objects = [
        {**_alone(one), "metadata": {**one["metadata"], "namespace": space.name}}
        for one in rendered
        if (one["kind"].lower() in CUSTOM) == customs
    ]
    assert objects
    space.accepts(*objects)
    return len(objects)


def _alone(one: Object) -> Object:
    """Return ``one`` without what has to be there for it to be taken, and may not be in a dry run:
    what a pod names, and a family of addresses that this cluster does not have."""
    left_out = {
        "Pod": {"serviceAccountName", "priorityClassName", "runtimeClassName"},
        "Service": {"ipFamilies", "ipFamilyPolicy"},
    }.get(one["kind"])
    if left_out is None:
        return one
    return {**one, "spec": {key: own for key, own in one["spec"].items() if key not in left_out}}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_api_server_takes_every_object(
    name: str, elsewhere: Namespace, scenario: Scenario
) -> None:
    scenario.facts["objects"] = accepted(elsewhere, rendered(name), customs=False)


@pytest.mark.parametrize("case", NAMED)
def test_the_api_server_takes_every_name(
    case: str, elsewhere: Namespace, scenario: Scenario
) -> None:
    # Where nothing is installed: a name is another's, not that of a change to what is there.
    scenario.facts["objects"] = accepted(elsewhere, made(case), customs=False)


@pytest.mark.parametrize("name", ["hospital", "region", "everything"])
def test_the_api_server_takes_every_custom_resource(
    name: str, space: Namespace, definitions: list[str], scenario: Scenario
) -> None:
    scenario.facts |= {
        "objects": accepted(space, rendered(name), customs=True),
        "definitions": definitions,
    }


def test_a_custom_resource_with_a_field_too_many_is_refused(
    space: Namespace, definitions: list[str]
) -> None:
    (one,) = (one for one in rendered("everything") if one["kind"] == "HTTPRoute")
    wrong = {**one, "spec": {**one["spec"], "hostname": "a.example"}}
    wrong["metadata"] = {**one["metadata"], "namespace": space.name}
    with pytest.raises(KubectlError, match=r'unknown field "(spec\.)?hostname"'):
        space.accepts(wrong)


def test_the_plain_manifests_are_taken_too(space: Namespace, scenario: Scenario) -> None:
    said = Namespace("osteoserve").run(
        "apply", "--dry-run=client", "--validate=strict", "--kustomize", str(helm.ROOT / "k8s/base")
    )
    scenario.facts["objects"] = len(said.splitlines())
    assert "deployment.apps/osteoserve-front" in said
