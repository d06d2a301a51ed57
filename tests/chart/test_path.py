"""The way in leads to the path below which the front says that it is found."""

from __future__ import annotations

import pytest

from tests.chart.conftest import rendered

CLIENTS = 'networkPolicy.clients=[{"podSelector": {}}]'


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("", "/"),
        ("https://dxa.example", "/"),
        ("https://dxa.example/", "/"),
        ("https://intranet.example/osteoserve", "/osteoserve"),
        ("https://intranet.example/a/b/", "/a/b"),
    ],
)
def test_ingress_and_route_lead_to_the_path_of_the_public_url(url: str, path: str) -> None:
    objects = rendered(
        'ingress={"enabled": true, "host": "dxa.example"}',
        'httpRoute={"enabled": true, "parentRefs": [{"name": "way"}], "hostnames": ["a.example"]}',
        CLIENTS,
        *([f'front.settings={{"OSTEOSERVE_PUBLIC_URL": "{url}"}}'] if url else []),
    )
    ((rule,),) = (one["spec"]["rules"] for one in objects if one["kind"] == "Ingress")
    assert [one["path"] for one in rule["http"]["paths"]] == [path]
    ((route,),) = (one["spec"]["rules"] for one in objects if one["kind"] == "HTTPRoute")
    assert [one["path"]["value"] for one in route["matches"]] == [path]
