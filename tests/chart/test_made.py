"""Files that are made from others are what they would be made as."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

from k8s import base, conformance, helm, readme, required, schema
from k8s.dashboards import files as dashboards
from k8s.rules import files as rules


@pytest.mark.parametrize(
    "target",
    [schema, readme, required, base, rules, dashboards, conformance],
    ids=lambda one: one.__name__,
)
def test_no_drift(target: Any) -> None:
    for path, text in target.written().items():
        assert path.read_text("utf-8") == text, "python -m k8s writes it anew"


def test_the_tests_that_the_page_of_services_names_are_there() -> None:
    (page,) = conformance.written().values()
    cited = re.findall(r"`(tests/[^`]+)`", page)
    assert len(cited) > 3
    assert [one for one in cited if not (helm.ROOT / one).is_file()] == []


def test_the_schema_is_strict_and_described_at_every_level() -> None:
    def look(node: Any, path: str) -> None:
        for key, child in node.get("properties", {}).items():
            if "$ref" not in child:
                assert child.get("description"), f"{path}.{key} is not described"
            look(child, f"{path}.{key}")
        if "properties" in node and path != ".global":
            assert node["additionalProperties"] is False, f"{path} lets anything through"
        if isinstance(node.get("items"), dict):
            look(node["items"], f"{path}[]")

    root = json.loads(schema.SCHEMA.read_text("utf-8"))
    look(root, "")
    for name, node in root["$defs"].items():
        look(node, name)


def test_everything_sets_every_value_that_there_is() -> None:
    root = json.loads(schema.SCHEMA.read_text("utf-8"))
    path = helm.ROOT / "tests" / "chart" / "scenarios" / "everything.yaml"
    everything = yaml.safe_load(path.read_text("utf-8"))
    assert set(everything) == set(root["properties"])
    for key in (
        "common",
        "database",
        "networkPolicy",
        "service",
        "ingress",
        "httpRoute",
        "metrics",
        "test",
        "loadTest",
        "retention",
    ):
        assert set(everything[key]) == set(root["properties"][key]["properties"])
    migration = root["properties"]["database"]["properties"]["migration"]
    assert set(everything["database"]["migration"]) == set(migration["properties"])


def test_kustomize_reads_the_base() -> None:
    done = subprocess.run(
        [str(helm.binary("kubectl")), "kustomize", str(base.FOLDER)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    kinds = {one["kind"] for one in objects}
    assert {"Namespace", "Deployment", "Service", "PersistentVolumeClaim"} <= kinds
    namespaces = {one["metadata"].get("namespace") for one in objects if one["kind"] != "Namespace"}
    assert namespaces == {"osteoserve"}
