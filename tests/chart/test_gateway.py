"""The gateway is there when somebody may send, and then as closed and as patient as it must be."""

from __future__ import annotations

import ipaddress
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from k8s import helm
from service.integration.destinations import (
    KINDS,
    DicomWebDestination,
    FhirDestination,
    Hl7Destination,
)
from service.integration.peers import Peers
from service.settings import Settings
from tests.chart.conftest import GATEWAY, PACS, PEER, Object, kinds, rendered, scenario
from tests.chart.test_fields import container, deployment

POSTGRES = ('database.existingSecret="pg"', 'auth.existingSecret="doors"')
ON = (*POSTGRES, *GATEWAY)
RUNNERS = ("cnn", "vgg16", "resnet", "vertebrae", "stack")


ENGINE = {"name": "engine", "kind": "hl7", "host": "engine.example", "port": 2575}


def sending_to(destination: dict[str, Any]) -> list[str]:
    """Return values of a gateway with one destination."""
    return [*POSTGRES, GATEWAY[0], f"gateway.destinations={json.dumps([destination])}"]


def environment(objects: tuple[Object, ...]) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in container(objects, "gateway")["env"]}


def policy(objects: tuple[Object, ...], edge: str) -> Any:
    return kinds(objects, "NetworkPolicy")[f"rel-osteoserve-{edge}"]["spec"]


def test_without_peers_there_is_none() -> None:
    for objects in (scenario("defaults"), rendered(*POSTGRES)):
        names = {one["metadata"]["name"] for one in objects}
        assert not [name for name in names if "gateway" in name or name.endswith("-dicom")]


def test_with_peers_it_has_all_that_a_component_has() -> None:
    objects = rendered(*ON)
    for kind in ("Deployment", "Service", "ConfigMap", "PodDisruptionBudget", "ServiceAccount"):
        assert "rel-osteoserve-gateway" in kinds(objects, kind)
    assert deployment(objects, "gateway")["replicas"] == 2
    assert container(objects, "gateway")["args"] == ["gateway"]
    fronts = container(objects, "front")["image"]
    assert container(objects, "gateway")["image"] == fronts


def test_feeds_have_a_port_of_their_own_and_come_from_where_they_are() -> None:
    feed = {"name": "engine", "addresses": ["10.1.2.9", "10.8.0.0/24"], "typed": "HOSP"}
    objects = rendered(*ON, f"gateway.feeds={json.dumps([feed])}", "gateway.service.hl7Port=2576")
    ports = {one["name"]: one["containerPort"] for one in container(objects, "gateway")["ports"]}
    assert ports["hl7"] == 2575
    outside = kinds(objects, "Service")["rel-osteoserve-dicom"]["spec"]["ports"]
    assert outside[1] == {"name": "hl7", "port": 2576, "targetPort": "hl7"}
    dicom, hl7 = policy(objects, "modalities-to-gateway")["ingress"]
    assert [one["ipBlock"]["cidr"] for one in hl7["from"]] == ["10.1.2.9/32", "10.8.0.0/24"]
    assert (dicom["ports"], hl7["ports"]) == ([{"port": 11112}], [{"port": 2575}])
    (text,) = (
        one["data"]["peers.toml"]
        for key, one in kinds(objects, "ConfigMap").items()
        if key.endswith("-peers")
    )
    assert Peers.model_validate(tomllib.loads(text)).feed[0].issuers("HOSP") == ("HOSP", "")


def test_rules_are_in_the_file_in_their_order() -> None:
    rules = [
        {"name": "but-this", "body_part": ["LSPINE", "T*"], "then": "judge"},
        {"name": "rest", "modality": "*", "then": "ignore"},
    ]
    objects = rendered(*ON, f"gateway.rules={json.dumps(rules)}")
    (text,) = (
        one["data"]["peers.toml"]
        for key, one in kinds(objects, "ConfigMap").items()
        if key.endswith("-peers")
    )
    found = Peers.model_validate(tomllib.loads(text)).rule
    assert [(one.name, one.then) for one in found] == [("but-this", "judge"), ("rest", "ignore")]
    assert found[0].body_part == ("LSPINE", "T*")


def test_no_autoscaler_takes_a_gateway_away_from_its_scanner() -> None:
    objects = rendered(*ON, 'common.autoscaling.kind="hpa"')
    assert "rel-osteoserve-front" in kinds(objects, "HorizontalPodAutoscaler")
    assert "rel-osteoserve-gateway" not in kinds(objects, "HorizontalPodAutoscaler")
    assert deployment(objects, "gateway")["replicas"] == 2


@pytest.mark.parametrize("name", ["everything", "own"])
def test_the_gateway_itself_reads_what_the_values_say(tmp_path: Path, name: str) -> None:
    objects = scenario(name) if name == "everything" else rendered(*ON)
    (text,) = (
        one["data"]["peers.toml"]
        for key, one in kinds(objects, "ConfigMap").items()
        if key.endswith("-peers")
    )
    path = tmp_path / "peers.toml"
    path.write_text(text)
    found = Peers.read(path)
    if name == "own":
        (peer,), (pacs,) = found.peer, found.destination
        assert (peer.name, peer.is_at("10.1.2.3"), peer.is_at("10.1.2.4")) == ("dxa", True, False)
        assert (pacs.name, pacs.port) == ("pacs", 104)
    else:
        assert [one.name for one in found.peer] == ["dxa-1", "dxa-2"]
        kinds_of = {one.name: one.kind for one in found.destination}
        assert kinds_of == {
            "pacs": "dicom", "archive": "dicom", "engine": "hl7", "cloud": "dicomweb",
            "record": "fhir", "second": "fhir", "third": "fhir",
        }  # fmt: skip
        assert [one.name for one in found.pacs if one.commitment] == ["archive"]
        files = Path("/etc/osteoserve/destinations")
        (engine,) = (one for one in found.destination if isinstance(one, Hl7Destination))
        assert (engine.charset, engine.key) == ("8859/1", files / "own.key")
        (cloud,) = (one for one in found.destination if isinstance(one, DicomWebDestination))
        assert (cloud.base, cloud.confirm) == ("https://cloud.example:8444/dicom-web", True)
        assert (cloud.user, cloud.password_file) == ("osteoserve", files / "password")
        record, second, third = (
            one for one in found.destination if isinstance(one, FhirDestination)
        )
        assert (record.base, record.token_file) == (
            "https://fhir.hospital.example/r4", files / "token",
        )  # fmt: skip
        assert second.client_secret_file == files / "client-secret"
        assert (third.client_key_file, third.client_key_id) == (files / "client-key", "1")
        (vna,), (ris,), (rule,) = found.archive, found.worklist, found.rule
        assert (vna.retrieve, vna.modality, vna.key) == ("get", ("OT", "BMD"), files / "own.key")
        assert (ris.site, ris.by_patient) == ("north", True)
        assert rule.to == ("pacs", "record")


def test_its_settings_are_settings() -> None:
    env = environment(rendered(*ON, 'gateway.tls.existingSecret="tls"'))
    own = {
        key.removeprefix("OSTEOSERVE_").lower(): value
        for key, value in env.items()
        if key.startswith("OSTEOSERVE_GATEWAY_")
    }
    found = Settings(**own)
    assert (found.gateway_host, found.gateway_dicom_port, found.gateway_http_port) == (
        "::", 11112, 8000,
    )  # fmt: skip
    assert found.gateway_certificate is not None
    assert found.gateway_certificate.parent == Path("/etc/osteoserve/dicom-tls")


def test_it_drains_within_its_grace() -> None:
    """What associations are given, and 60 s for what is delivered, end before it is killed."""
    spec = deployment(rendered(*ON), "gateway")["template"]["spec"]
    grace = spec["terminationGracePeriodSeconds"]
    pause = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = int(environment(rendered(*ON))["OSTEOSERVE_GATEWAY_DRAIN_SECONDS"])
    assert grace == 120
    assert pause + drain + 60 == grace
    with pytest.raises(helm.HelmError, match="60 s for what is being delivered need 75"):
        rendered(*ON, "gateway.terminationGraceSeconds=60")


def test_probes_never_knock_at_the_dicom_port() -> None:
    found = container(rendered(*ON), "gateway")
    ports = {one["name"]: one["containerPort"] for one in found["ports"]}
    assert ports == {"http": 8000, "dicom": 11112}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert found[probe]["httpGet"]["port"] == "http"


def test_scanners_reach_the_dicom_port_alone_and_keep_their_addresses() -> None:
    inside = kinds(rendered(*ON), "Service")["rel-osteoserve-dicom"]["spec"]
    assert inside["type"] == "ClusterIP"
    assert "externalTrafficPolicy" not in inside
    assert [one["targetPort"] for one in inside["ports"]] == ["dicom"]
    outside = kinds(
        rendered(
            *ON,
            'gateway.service={"type":"LoadBalancer","port":104,'
            '"loadBalancerSourceRanges":["10.1.0.0/16"]}',
            'service.ipFamilyPolicy="PreferDualStack"',
        ),
        "Service",
    )["rel-osteoserve-dicom"]["spec"]
    assert outside["externalTrafficPolicy"] == "Local"
    assert outside["loadBalancerSourceRanges"] == ["10.1.0.0/16"]
    assert outside["ipFamilyPolicy"] == "PreferDualStack"
    assert [(one["port"], one["targetPort"]) for one in outside["ports"]] == [(104, "dicom")]
    # And what Prometheus asks is no part of it.
    metrics = kinds(rendered(*ON), "Service")["rel-osteoserve-gateway"]["spec"]
    assert (metrics["type"], [one["name"] for one in metrics["ports"]]) == ("ClusterIP", ["http"])


def test_who_reaches_it_and_whom_it_reaches() -> None:
    peer = {**PEER, "addresses": ["10.1.2.3", "10.5.0.0/16", "fd00::9"]}
    away = {**PACS, "name": "away", "port": 2762}
    objects = rendered(
        *POSTGRES,
        f"gateway.peers={json.dumps([peer, {**PEER, 'name': 'other'}])}",
        f"gateway.destinations={json.dumps([PACS, away])}",
        'networkPolicy.destinations=[{"ipBlock":{"cidr":"10.1.9.0/24"}}]',
        'networkPolicy.modalities=[{"podSelector":{"matchLabels":{"a":"b"}}}]',
        'networkPolicy.metrics=[{"podSelector":{}}]',
    )
    (rule,) = policy(objects, "modalities-to-gateway")["ingress"]
    blocks = [one["ipBlock"]["cidr"] for one in rule["from"] if "ipBlock" in one]
    assert blocks == ["10.1.2.3/32", "10.5.0.0/16", "fd00::9/128"]
    assert all(ipaddress.ip_network(one) for one in blocks)
    assert {"podSelector": {"matchLabels": {"a": "b"}}} in rule["from"]
    assert rule["ports"] == [{"port": 11112}]
    (out,) = policy(objects, "gateway-to-destinations")["egress"]
    assert out == {
        "to": [{"ipBlock": {"cidr": "10.1.9.0/24"}}],
        "ports": [{"port": 104}, {"port": 2762}],
    }
    (runners,) = policy(objects, "gateway-to-runners")["egress"]
    assert len(runners["to"]) == len(RUNNERS)
    for name in RUNNERS:
        (rule,) = policy(objects, f"front-to-{name}")["ingress"]
        askers = {
            one["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for one in rule["from"]
        }
        assert askers == {"front", "gateway"}
    _, database = policy(objects, "gateway-to-database")["egress"]
    assert database["ports"] == [{"port": 5432}]
    scraped = policy(objects, "prometheus-to-all")["podSelector"]["matchExpressions"][0]["values"]
    assert "gateway" in scraped


def test_who_reports_or_hears_reports_is_let_through() -> None:
    peer = {**PEER, "report_host": "dxa.example", "report_port": 4006}
    pacs = {**PACS, "host": "10.1.9.4", "commitment": True}
    far = {**PACS, "name": "far", "commitment": True, "addresses": ["10.2.0.0/16"]}
    objects = rendered(
        *POSTGRES,
        f"gateway.peers={json.dumps([peer])}",
        f"gateway.destinations={json.dumps([pacs, far, {**PACS, 'name': 'mute'}])}",
    )
    (rule,) = policy(objects, "modalities-to-gateway")["ingress"]
    blocks = [one["ipBlock"]["cidr"] for one in rule["from"]]
    assert blocks == ["10.1.2.3/32", "10.1.9.4/32", "10.2.0.0/16"]
    (out,) = policy(objects, "gateway-to-destinations")["egress"]
    assert out["ports"] == [{"port": 104}, {"port": 4006}]


def test_ports_of_every_kind_of_destination_are_open_and_no_others() -> None:
    (out,) = next(
        one["spec"]["egress"]
        for name, one in kinds(scenario("everything"), "NetworkPolicy").items()
        if name.endswith("gateway-to-destinations")
    )
    ports = [one["port"] for one in out["ports"]]
    assert ports == [104, 2762, 2575, 8444, 443, 8443, 9443, 11119, 11120]
    near = {"name": "near", "kind": "fhir", "base": "http://[::1]/fhir"}
    found = rendered(*POSTGRES, GATEWAY[0], f"gateway.destinations={json.dumps([near])}")
    (out,) = policy(found, "gateway-to-destinations")["egress"]
    assert out["ports"] == [{"port": 80}]


def test_values_know_each_kind_as_the_gateway_does() -> None:
    schema = json.loads((helm.CHART / "values.schema.json").read_text("utf-8"))
    items = schema["properties"]["gateway"]["properties"]["destinations"]["items"]
    known, *kinds_of = items["allOf"]
    assert known["properties"]["kind"]["enum"] == list(KINDS)
    assert [one["if"]["properties"]["kind"]["const"] for one in kinds_of] == list(KINDS)


def test_the_default_is_that_only_destinations_ports_are_open() -> None:
    (out,) = policy(rendered(*ON), "gateway-to-destinations")["egress"]
    assert out == {"ports": [{"port": 104}]}


def test_keys_and_certificates_are_files_of_secrets() -> None:
    objects = rendered(
        *ON, 'gateway.tls.existingSecret="dicom"', 'gateway.destinationsSecret="pacs"'
    )
    spec = deployment(objects, "gateway")["template"]["spec"]
    volumes = {one["name"]: one for one in spec["volumes"]}
    assert volumes["dicom-tls"]["secret"]["secretName"] == "dicom"
    assert volumes["destinations"]["secret"]["secretName"] == "pacs"
    mounts = {one["name"]: one for one in spec["containers"][0]["volumeMounts"]}
    for name in ("dicom-tls", "destinations", "peers"):
        assert mounts[name]["readOnly"] is True
    assert mounts["destinations"]["mountPath"] == "/etc/osteoserve/destinations"
    # Without them neither is there, and DICOM is plain.
    plain = environment(rendered(*ON))
    assert "OSTEOSERVE_GATEWAY_KEY" not in plain


def test_another_peer_restarts_the_gateway_alone() -> None:
    def checksums(objects: tuple[Object, ...]) -> dict[str, str]:
        return {
            name: one["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
            for name, one in kinds(objects, "Deployment").items()
        }

    more = [PEER, {**PEER, "name": "other", "calling": "DXA2"}]
    before, after = (
        checksums(rendered(*ON)),
        checksums(rendered(*ON, f"gateway.peers={json.dumps(more)}")),
    )
    assert {name for name in before if before[name] != after[name]} == {"rel-osteoserve-gateway"}


@pytest.mark.parametrize(
    ("sets", "says"),
    [
        pytest.param(
            [*POSTGRES, f"gateway.peers={json.dumps([PEER])}"],
            "gateway.peers has entries, but gateway.destinations has none: name where results go",
            id="results for nobody",
        ),
        pytest.param(
            [*POSTGRES, f"gateway.destinations={json.dumps([PACS])}"],
            "gateway.destinations has entries, but gateway.peers has none, so that there is no",
            id="a destination of no gateway",
        ),
        pytest.param(
            [*GATEWAY],
            "gateway.peers has entries, but results are kept in SQLite, a file that one front",
            id="two processes on one file",
        ),
        pytest.param(
            [*ON, f"gateway.peers={json.dumps([{**PEER, 'aet': 'DXA1'}])}"],
            "invalid propertyName 'aet'",
            id="a peer with something that there is not",
        ),
        pytest.param(
            [*ON, f"gateway.peers={json.dumps([{'name': 'dxa'}])}"],
            "missing properties",
            id="a peer without titles",
        ),
        pytest.param(
            sending_to({**PACS, "kind": "dicmo"}),
            "value must be one of 'dicom', 'dicomweb', 'hl7', 'fhir'",
            id="a kind that there is not",
        ),
        pytest.param(
            sending_to({**ENGINE, "commitment": True}),
            "invalid propertyName 'commitment'",
            id="an interface engine that is asked to commit",
        ),
        pytest.param(
            sending_to({**PACS, "base": "https://fhir.example"}),
            "invalid propertyName 'base'",
            id="a PACS with an address of FHIR",
        ),
        pytest.param(
            sending_to({**PACS, "kind": "dicomweb"}),
            "missing property 'base'",
            id="a PACS by DICOMweb with titles",
        ),
        pytest.param(
            sending_to(
                {
                    "name": "cloud",
                    "kind": "dicomweb",
                    "base": "https://cloud.example/dicom-web",
                    "user": "us",
                    "password_file": "/etc/osteoserve/destinations/password",
                }
            ),
            "password_file of cloud in gateway.destinations is /etc/osteoserve/destinations/passwo"
            "rd, but no Secret is mounted there: name it in gateway.destinationsSecret.",
            id="a password of no Secret",
        ),
        pytest.param(
            sending_to({"name": "record", "kind": "fhir"}),
            "missing property 'base'",
            id="a record without its address",
        ),
        pytest.param(
            sending_to({**PACS, "kind": "hl7"}),
            "invalid propertyName 'call",
            id="an interface engine with titles",
        ),
        pytest.param(
            sending_to({**ENGINE, "authorities": "/etc/osteoserve/destinations/ca.pem"}),
            "authorities of engine in gateway.destinations is /etc/osteoserve/destinations/ca.pem, "
            "but no Secret is mounted there: name it in gateway.destinationsSecret.",
            id="a file of no Secret",
        ),
        pytest.param(
            [*ON, 'gateway.settings.OSTEOSERVE_GATEWAY_PEERS="/x"'],
            "invalid propertyName 'OSTEOSERVE_GATEWAY_PEERS'",
            id="a setting that is the chart's",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(sets: list[str], says: str) -> None:
    with pytest.raises(helm.HelmError) as refused:
        rendered(*sets)
    assert says in str(refused.value)


def test_notes_say_where_scanners_push() -> None:
    sets = [part for one in ON for part in ("--set-json", one)]
    said = helm.run("install", "rel", str(helm.CHART), "--dry-run=client", *sets)
    assert "service/rel-osteoserve-dicom, port 11112: DXA1; results go to pacs." in said
