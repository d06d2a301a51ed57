"""Scenarios of the chart, each rendered once a run."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from k8s import helm

HERE = Path(__file__).parent
SCENARIOS = {
    "defaults": None,
    **{path.stem: path for path in sorted((helm.ROOT / "k8s" / "sites").glob("*.yaml"))},
    **{path.stem: path for path in sorted((HERE / "scenarios").glob("*.yaml"))},
    "kind": helm.ROOT / "k8s" / "kind" / "values.yaml",
    "cluster": helm.ROOT / "tests" / "cluster" / "values.yaml",
}

Object = dict[str, Any]


@cache
def scenario(name: str) -> tuple[Object, ...]:
    """Every object of the release ``rel`` in the namespace ``ns``."""
    path = SCENARIOS[name]
    return objects_of(helm.template(*([path] if path else []), release="rel", namespace="ns"))


@cache
def rendered(*sets: str) -> tuple[Object, ...]:
    return objects_of(helm.template(sets=sets, release="rel", namespace="ns"))


LOADED = ("loadTest.enabled=true", 'loadTest.keySecret="load"')
"""Values that make the load test."""

PEER = {"name": "dxa", "calling": "DXA1", "called": "US", "addresses": ["10.1.2.3"]}
PACS = {"name": "pacs", "called": "PACS", "calling": "US", "host": "pacs.example", "port": 104}
GATEWAY = (
    f"gateway.peers={json.dumps([PEER])}",
    f"gateway.destinations={json.dumps([PACS])}",
)
"""Values that make the gateway, where there is PostgreSQL."""

OIDC = (
    'auth.oidc.issuer="https://idp.example/realms/clinic"',
    'auth.oidc.clientId="osteoserve"',
    'auth.oidc.groups={"dxa-readers":["viewer"]}',
    'front.settings.OSTEOSERVE_PUBLIC_URL="https://dxa.example"',
    'networkPolicy.identityProvider=[{"ipBlock":{"cidr":"10.1.2.5/32"}}]',
)
"""Values by which people sign in at the hospital's identity provider."""


def kinds(objects: tuple[Object, ...], kind: str) -> dict[str, Object]:
    """Objects of one kind, by name."""
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


def objects_of(text: str) -> tuple[Object, ...]:
    """Return the objects of what Helm has rendered."""
    return tuple(one for one in yaml.safe_load_all(text) if one)
