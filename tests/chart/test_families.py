"""IPv4, IPv6 and both, and DNS wherever it answers."""

from __future__ import annotations

import pytest

from service.http.hosts import Authority, Hosts
from service.settings import Settings
from tests.chart.conftest import GATEWAY, Object, kinds, rendered, scenario
from tests.chart.test_fields import container

COMPONENTS = ("front", "cnn", "vgg16", "resnet", "vertebrae", "stack")


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_server_listens_on_whatever_its_pod_has(name: str) -> None:
    """``tests/listener`` shows what ``::`` is."""
    found = container(scenario("defaults"), name)
    if name == "front":
        env = {one["name"]: one.get("value") for one in found["env"]}
        assert Settings(host=env["OSTEOSERVE_HOST"]).host == "::"
    else:
        assert found["args"] == [name, "--host", "::", "--port", "8000"]


def test_an_address_of_its_own_is_the_front_s_where_the_settings_have_one() -> None:
    found = rendered('front.settings.OSTEOSERVE_HOST="0.0.0.0"')
    assert "OSTEOSERVE_HOST" not in {one["name"] for one in container(found, "front")["env"]}
    data = kinds(found, "ConfigMap")["rel-osteoserve-front"]["data"]
    assert data == {"OSTEOSERVE_HOST": "0.0.0.0"}  # noqa: S104 - nothing listens


def test_services_are_of_the_families_that_the_values_name() -> None:
    for one in kinds(scenario("defaults"), "Service").values():
        assert not {"ipFamilyPolicy", "ipFamilies"} & set(one["spec"])
    for families, policy in (
        (["IPv6"], "SingleStack"), (["IPv6", "IPv4"], "RequireDualStack"), ([], "PreferDualStack"),
    ):  # fmt: skip
        found = rendered(
            f"service.ipFamilies={families}".replace("'", '"'), f'service.ipFamilyPolicy="{policy}"'
        )
        services = kinds(found, "Service")
        assert len(services) == len(COMPONENTS)
        for one in services.values():
            assert one["spec"].get("ipFamilies", []) == families
            assert one["spec"]["ipFamilyPolicy"] == policy


def test_a_probe_and_a_scrape_by_an_address_of_ipv6_are_let_in() -> None:
    for text in ("[fd00::12]:8000", "10.1.2.3:8000", "[::ffff:10.1.2.3]:8000"):
        authority = Authority.parse(text)
        assert authority is not None
        assert authority in Hosts.of("rel-osteoserve-front")


def test_peers_may_be_of_either_family() -> None:
    edges = ("clients", "metrics", "database", "tracing", "dns")
    blocks = '[{"ipBlock":{"cidr":"10.0.0.0/8"}},{"ipBlock":{"cidr":"fd00::/8"}}]'
    found = kinds(
        rendered(
            *(f"networkPolicy.{one}={blocks}" for one in edges),
            'front.settings.OSTEOSERVE_TRACING_ENDPOINT="http://[fd00::5]:4318"',
            'database.existingSecret="pg"',
            'auth.existingSecret="doors"',
        ),
        "NetworkPolicy",
    )  # fmt: skip
    for edge in ("clients-to-front", "prometheus-to-all", "front-to-database", "front-to-dns",
                 "migration-to-database", "all-to-collector"):  # fmt: skip
        text = str(found[f"rel-osteoserve-{edge}"]["spec"])
        assert "10.0.0.0/8" in text
        assert "fd00::/8" in text


def resolvers(objects: tuple[Object, ...]) -> list[Object]:
    """The rule for DNS of each policy that has one."""
    return [
        rule
        for one in kinds(objects, "NetworkPolicy").values()
        for rule in one["spec"].get("egress", [])
        if any(port.get("protocol") == "UDP" for port in rule.get("ports", []))
    ]


EDGES = 6
"""From front, gateway, migration, helm test, load test, and those that make spans."""


def test_dns_is_asked_by_both_protocols_on_every_port_that_the_values_name() -> None:
    sets = (
        'database.existingSecret="pg"', 'auth.existingSecret="doors"', "loadTest.enabled=true",
        'loadTest.keySecret="load"', 'networkPolicy.tracing=[{"podSelector":{}}]',
        'front.settings.OSTEOSERVE_TRACING_ENDPOINT="http://c:4318"', *GATEWAY,
    )  # fmt: skip
    for ports in ([53, 5353], [5353], [53]):
        own = () if ports == [53, 5353] else (f"networkPolicy.dnsPorts={ports}",)
        found = resolvers(rendered(*sets, *own))
        assert len(found) == EDGES
        for rule in found:
            assert sorted((one["port"], one["protocol"]) for one in rule["ports"]) == sorted(
                (port, protocol) for port in ports for protocol in ("TCP", "UDP")
            )
            # Kubernetes' own, and OpenShift's.
            assert [
                one["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                for one in rule["to"]
            ] == ["kube-system", "openshift-dns"]
