"""HAPI's FHIR server, with its validator, takes all that is sent, and once only."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from hospital.unpacked import RECORD
from service.exams.measurements import Measurement
from service.integration.compose import bundle
from service.integration.compose.source import Made
from service.integration.destinations import FhirDestination
from service.integration.fhir.client import Client
from tests import ports
from tests.service.integration.compose.kit import (
    REFUSED,
    STUDIES,
    exam,
    made,
    part,
    prediction,
    told,
)

pytestmark = [pytest.mark.hospital, pytest.mark.anyio]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    java = shutil.which("java")
    if java is None or not (RECORD / ".ready").exists():
        pytest.skip("no record: hospital/install makes it")
    port, log = ports.free_port(), tmp_path_factory.mktemp("record") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [java, "-Xmx1g", "-cp", f"{RECORD}/*", "osteoserve.record.Record", str(port)],
            stdout=output,
            stderr=output,
        )
    base, end = f"http://127.0.0.1:{port}/fhir", time.monotonic() + 300
    try:
        while True:
            assert process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < end, log.read_text()[-4000:]
            try:
                if httpx.get(f"{base}/metadata", timeout=60, trust_env=False).is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.5)
        yield base
    finally:
        process.terminate()
        process.wait(30)


def found(base: str, query: str) -> list[dict[str, Any]]:
    answer = httpx.get(
        f"{base}/{query}", timeout=60, trust_env=False, headers={"Cache-Control": "no-cache"}
    )
    assert answer.is_success, answer.text
    return [one["resource"] for one in answer.json().get("entry", [])]


def faults(base: str, resource: dict[str, Any]) -> list[str]:
    """Return the errors that its validator finds in a resource."""
    answer = httpx.post(
        f"{base}/{resource['resourceType']}/$validate",
        json=resource,
        timeout=60,
        trust_env=False,
        headers={"Content-Type": "application/fhir+json"},
    )
    return [
        issue["diagnostics"]
        for issue in answer.json()["issue"]
        if issue["severity"] in ("error", "fatal")
        # References lead to other entries of the transaction.
        and "urn:uuid:" not in issue["diagnostics"]
    ]


async def send(base: str, study: Made) -> Any:
    to = FhirDestination(name="record", kind="fhir", base=base, pdf=True)
    return await Client(to).send(bundle.compose(to, study))


def report_url(base: str, study: Made) -> str:
    """Return by which search the report of a study is found."""
    to = FhirDestination(name="record", kind="fhir", base=base)
    (url,) = [
        one["request"]["url"]
        for one in json.loads(bundle.compose(to, study))["entry"]
        if one["resource"]["resourceType"] == "DiagnosticReport"
    ]
    return str(url)


def device_of(study: Made) -> str:
    """Return the identifier of the scanner that measured."""
    to = FhirDestination(name="record", kind="fhir", base="https://record.example")
    (one,) = [
        one["resource"]["identifier"][0]
        for one in json.loads(bundle.compose(to, study))["entry"]
        if "serialNumber" in one["resource"]
    ]
    return f"{one['system']}|{one['value']}"


@pytest.mark.parametrize("name", STUDIES)
async def test_its_validator_finds_no_error_in_any_resource(base: str, name: str) -> None:
    sent = await send(base, STUDIES[name])
    assert sent.reason is None, sent
    to = FhirDestination(name="record", kind="fhir", base=base, pdf=True)
    entries = json.loads(bundle.compose(to, STUDIES[name]))["entry"]
    assert [fault for one in entries for fault in faults(base, one["resource"])] == []


async def test_what_is_sent_again_changes_nothing(base: str) -> None:
    level = Measurement(region="L4", vertebrae=("L4",), bmd_g_cm2=0.9, t_score=-1.4)
    # Its provenance is the case's, which other tests' studies share.
    study = made(part(PatientID="once", exam=exam(told(level))), case_id=uuid4())
    for _ in range(3):
        assert (await send(base, study)).reason is None
    uid, url = study.origin.study_uid, report_url(base, study)
    (imaging,) = found(base, f"ImagingStudy?identifier=urn:dicom:uid|urn:oid:{uid}")
    (report,) = found(base, url)
    observations = found(base, f"Observation?derived-from=ImagingStudy/{imaging['id']}")
    provenance = found(base, f"Provenance?target=DiagnosticReport/{report['id']}")
    assert (len(observations), len(provenance)) == (4, 1)
    assert len(found(base, "Device?identifier=" + device_of(study))) == 1
    assert {one["meta"]["versionId"] for one in (report, imaging, *observations)} == {"1"}
    assert report["status"] == "preliminary"


async def test_a_revision_replaces_what_was_said_in_the_same_report(base: str) -> None:
    first = part(PatientID="revised")
    study = first.source.StudyInstanceUID
    second = part(prediction(**REFUSED), PatientID="revised", StudyInstanceUID=study)
    assert (await send(base, made(first))).reason is None
    assert (await send(base, made(first, second))).reason is None
    (report,) = found(base, report_url(base, made(first)))
    assert len(report["result"]) == 4
    assert report["meta"]["versionId"] == "2"


async def test_what_it_refuses_is_dead_at_once_with_its_words(base: str) -> None:
    to = FhirDestination(name="record", kind="fhir", base=base)
    wrong = json.loads(bundle.compose(to, made()))
    wrong["entry"][-2]["resource"]["status"] = "perhaps"
    sent = await Client(to).send(json.dumps(wrong).encode())
    assert sent.reason is not None
    assert sent.reason.startswith("refused 4")
    assert not sent.passes
    assert sent.detail is not None
    assert "perhaps" in sent.detail
