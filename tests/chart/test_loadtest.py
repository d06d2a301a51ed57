"""The Job that puts load on a release."""

from __future__ import annotations

import json
from typing import Any

from k8s import schema
from loadtests import __main__ as loadtests_main
from loadtests.shapes import SHAPES
from tests.chart.conftest import LOADED, kinds, rendered, scenario


def test_a_load_test_is_there_when_asked_for_alone() -> None:
    for name in ("defaults", "hospital"):
        assert not [one for one in kinds(scenario(name), "Job") if "-load-" in one]
        assert "rel-osteoserve-load-to-front" not in kinds(scenario(name), "NetworkPolicy")
    objects = rendered(*LOADED)
    assert len(kinds(objects, "Job")) == 1
    assert "rel-osteoserve-load-to-front" in kinds(objects, "NetworkPolicy")


def load_test(*sets: str) -> Any:
    """The Job of a load test that is switched on with these values."""
    (found,) = (
        one for name, one in kinds(rendered(*LOADED, *sets), "Job").items() if "-load-" in name
    )
    return found


def test_a_load_test_asks_the_front_for_what_the_values_say() -> None:
    (found,) = (
        one for name, one in kinds(scenario("everything"), "Job").items() if "-load-" in name
    )
    spec = found["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 600)
    pod = spec["template"]["spec"]
    assert pod["nodeSelector"] == {"disk": "fast", "pool": "load"}
    assert pod["containers"][0]["args"] == [
        "run", "--url=http://second-look-front:8080", "--patience=61", "--shape=overload",
        "--rate=12.5", "--scale=0.5", "--workers=3", "--out=/reports",
    ]  # fmt: skip
    assert pod["containers"][0]["env"][0] == {
        "name": "OSTEOSERVE_KEY",
        "valueFrom": {"secretKeyRef": {"name": "load-key", "key": "bearer"}},
    }
    assert pod["containers"][0]["image"] == "registry.example/team/loadtests:v10"
    assert {
        "name": "reports", "persistentVolumeClaim": {"claimName": "load-reports"},
    } in pod["volumes"]  # fmt: skip


def test_a_load_test_s_arguments_are_understood() -> None:
    parser = loadtests_main._parser()
    for scenario_rate in ("2", "0.25", "1000"):
        args = load_test(f"loadTest.rate={scenario_rate}")["spec"]["template"]["spec"][
            "containers"
        ][0]["args"]
        assert parser.parse_args(args).rate == float(scenario_rate)


def test_a_load_test_may_send_to_the_front_and_is_let_in() -> None:
    objects = rendered(*LOADED)
    labels = load_test()["spec"]["template"]["metadata"]["labels"]
    policy = kinds(objects, "NetworkPolicy")["rel-osteoserve-load-to-front"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert labels["osteoserve/client"] == "rel"
    # Neither its pods nor its way in belong to the service: no Service may send people there.
    for one in kinds(objects, "Service").values():
        assert not one["spec"]["selector"].items() <= labels.items()


def test_another_load_is_another_job() -> None:
    names = {
        load_test(*sets)["metadata"]["name"]
        for sets in (
            (),
            ('loadTest.run="again"',),
            ("loadTest.rate=3",),
            ('common.image.tag="x"',),
            # Not its own values, and yet another pod.
            ("service.port=8080",),
            ("security.runAsUser=2000",),
            ('imagePullSecrets=[{"name":"pull"}]',),
        )
    }
    assert len(names) == 7
    assert load_test()["metadata"]["name"] == load_test()["metadata"]["name"]
    assert all(len(name) <= 63 for name in names)


def test_a_load_test_that_has_ended_stays_and_is_not_made_again() -> None:
    assert "ttlSecondsAfterFinished" not in load_test()["spec"]


def test_shapes_of_the_load_are_those_there_are() -> None:
    properties = json.loads(schema.SCHEMA.read_text("utf-8"))["properties"]["loadTest"][
        "properties"
    ]
    assert properties["shape"]["enum"] == list(SHAPES)
