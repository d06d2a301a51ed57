"""What the five processes tell of themselves: one trace through all, and nobody's name anywhere."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import psutil
import pydicom
import pytest

from models import phantom
from models.phantom import Artefact
from models.phantom.dicom import encode
from protocol.runners import RUNNERS
from tests.e2e.conftest import Running, end, start
from tests.telemetry.collector import Collector, Seen, collecting

pytestmark = pytest.mark.e2e

NAME = "ZQXNAME"
BORN = "19310722"
TRACE = "0af7651916cd43dd8448eb211c80319c"
"""Of a caller who traces: ours must be a part of it."""

PLANTED = {
    "name in DICOM": f"{NAME}DICOM",
    "id in DICOM": f"{NAME}ID",
    "birth date in DICOM": BORN,
    "broken element": f"{NAME}BROKEN",
    "name of a file": f"{NAME}FILE",
    "name of a field": f"{NAME}FIELD",
    "name in an archive": f"{NAME}ZIP",
    "patient's reference": f"{NAME}REFERENCE",
    "reviewer": f"{NAME}REVIEWER",
    "reason": f"{NAME}REASON",
    "query": f"{NAME}QUERY",
    "path": f"{NAME}PATH",
    "method": f"{NAME}METHOD",
    "header": f"{NAME}HEADER",
    "agent": f"{NAME}AGENT",
    "tracestate": f"{NAME}STATE".lower(),
    "baggage": f"{NAME}BAGGAGE",
    "body": f"{NAME}BODY",
    "runner's body": f"{NAME}VOTE",
}
KEPT = {
    "patient's reference", "reviewer", "reason",
    "name of a file", "name in an archive",
}  # fmt: skip
"""What the database has, and nothing else of ours: names of files for whoever sent them."""
PATTERN = re.compile(f"{NAME}|{BORN}", re.IGNORECASE)
"""Some are telling in parts."""


@dataclass
class Traced:
    running: Running
    collector: Collector
    form: str

    def logs(self) -> dict[str, str]:
        found = {path.name: path.read_text() for path in self.running.var.rglob("*.log")}
        return {**found, "supervisor": self.running.said()}


@pytest.fixture(scope="module", params=["json", "plain"])
def traced(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Traced]:
    with collecting() as collector:
        instance = start(
            tmp_path_factory.mktemp(f"run-{request.param}"),
            OSTEOSERVE_LOG_FORMAT=request.param,
            OSTEOSERVE_LOG_LEVEL="debug",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_BSP_SCHEDULE_DELAY="200",
        )
        try:
            instance.wait_until_said("ready: http")
            yield Traced(instance, collector, request.param)
        finally:
            end(instance)


@pytest.fixture(scope="module")
def client(traced: Traced) -> Iterator[httpx.Client]:
    headers = {
        "User-Agent": PLANTED["agent"],
        "X-Patient": PLANTED["header"],
        "Referer": f"http://127.0.0.1/{PLANTED['path']}",
        "Cookie": f"patient={PLANTED['header']}",
        "baggage": f"patient={PLANTED['baggage']}",
        "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
        "tracestate": f"patient={PLANTED['tracestate']}",
    }
    url = traced.running.url
    with httpx.Client(base_url=url, timeout=30, trust_env=False, headers=headers) as opened:
        yield opened


@pytest.fixture(scope="module")
def dicom() -> bytes:
    return named_scan(21)


def named_scan(seed: int) -> bytes:
    drawn = phantom.draw(np.random.default_rng(seed), artefact=Artefact.NONE)
    image = pydicom.dcmread(io.BytesIO(encode(drawn)))
    image.PatientName = f"{PLANTED['name in DICOM']}^JANE"
    image.PatientID = PLANTED["id in DICOM"]
    image.PatientBirthDate = PLANTED["birth date in DICOM"]
    buffer = io.BytesIO()
    image.save_as(buffer)
    return buffer.getvalue()


def broken(dicom: bytes) -> list[bytes]:
    """Files that decoders complain of, quoting what they met."""
    name = PLANTED["broken element"].encode()
    rows = b"\x28\x00\x10\x00US\x02\x00"
    at = dicom.index(rows)
    return [
        dicom[: len(dicom) // 2],
        dicom[:at] + b"\x28\x00\x10\x00DS" + len(name).to_bytes(2, "little") + name + dicom[at:],
        b"\x89PNG\r\n\x1a\n" + name * 40,
        b"GIF89a" + name,
    ]


LAST = {
    ("osteoserve-front", "POST /api/v1/predictions"),
    ("osteoserve-cnn", "POST /predict"),
    ("osteoserve-vgg16", "POST /predict"),
    ("osteoserve-resnet", "POST /predict"),
    ("osteoserve-vertebrae", "POST /predict"),
    ("osteoserve-stack", "POST /combine"),
}
"""The spans of a prediction that end last, each in its process."""


def whole(spans: list[Seen], trace: str) -> bool:
    return {(one.service, one.name) for one in spans if one.trace == trace} >= LAST


def test_one_trace_goes_through_all_five(
    traced: Traced, client: httpx.Client, dicom: bytes
) -> None:
    answer = client.post("/api/v1/predictions", files={"file": ("a", dicom)})
    assert answer.status_code == 201, answer.text
    traced.collector.until(lambda spans: whole(spans, TRACE))
    spans = {one.span.span_id: one for one in traced.collector.spans if one.trace == TRACE}
    assert set(traced.collector.paths) == {"/v1/traces"}

    def way(span: Seen) -> list[str]:
        parent = spans.get(span.span.parent_span_id)
        return [*(way(parent) if parent else ()), span.name]

    ways = [way(span) for span in spans.values()]
    front = ["POST /api/v1/predictions", "judge"]
    assert [*front, "prepare"] in ways
    for name in ("cnn", "vgg16", "resnet", "vertebrae"):
        assert [*front, f"runner {name}", "POST /predict", f"compute {name}"] in ways
    assert [*front, "runner vertebrae", "POST /outline", "compute vertebrae"] in ways
    assert [*front, "runner stack", "POST /combine", "compute stack"] in ways
    # The caller's span is the only parent that is not ours.
    assert {one[0] for one in ways} == {front[0]}
    assert not any(one.name.endswith((" send", " receive")) for one in spans.values())


def test_lines_name_their_trace(traced: Traced, client: httpx.Client, dicom: bytes) -> None:
    client.post("/api/v1/predictions", files={"file": ("a", dicom)})
    front = traced.logs()["front.log"]
    lines = [line for line in front.splitlines() if "/api/v1/predictions" in line]
    assert lines
    assert all(TRACE in line for line in lines)
    if traced.form == "json":
        for name, text in traced.logs().items():
            if name == "supervisor":
                continue
            for line in text.splitlines():
                assert {"time", "level", "logger", "event"} <= json.loads(line).keys(), name
        line = json.loads(lines[-1])
        assert line["trace_id"] == TRACE
        assert re.fullmatch("[0-9a-f]{16}", line["span_id"])


def tell(traced: Traced, client: httpx.Client, dicom: bytes) -> None:
    """Send every kind of request there is, with somebody's name wherever one fits."""
    file, field = PLANTED["name of a file"], PLANTED["name of a field"]
    query = f"?patient={PLANTED['query']}&id={PLANTED['query']}"
    number = client.post(f"/api/v1/predictions{query}", files={"file": (file, dicom)}).json()["id"]
    for data in broken(dicom):
        client.post("/api/v1/predictions", files={"file": (file, data)})
        client.post("/", files={"file": (file, data)})
        client.post("/api/v1/predictions", content=data, headers={"Content-Type": "image/png"})
    client.post("/api/v1/predictions", files={field: (file, dicom)})
    client.post("/api/v1/predictions", data={"file": PLANTED["body"]}, files={field: b""})

    one = f"/api/v1/predictions/{number}"
    study = {
        "patient_reference": PLANTED["patient's reference"],
        "acquired_on": "2024-01-02",
        "scanner": {"vendor": "Hologic", "serial": PLANTED["body"]},
        "bmd_g_cm2": 0.9,
        "vertebrae": ["L1", "L2", "L3", "L4"],
    }
    assert client.put(f"{one}/study", json=study).status_code == 200
    client.put(f"{one}/study", json={**study, PLANTED["body"]: PLANTED["body"], "sex": NAME})
    found = client.post("/patients", data={"patient_reference": PLANTED["patient's reference"]})
    assert found.status_code == 303
    client.get(found.headers["location"])
    review = {"action": "override", "outcome": "osteoporosis", "reviewer": PLANTED["reviewer"]}
    sent = client.post(f"{one}/reviews", json={**review, "reason": PLANTED["reason"]})
    assert sent.status_code == 201, sent.text
    client.post(f"{one}/reviews", json={**review, "reason": 3, NAME: NAME})
    client.post(f"{one}/reviews", content=f'{{"reason": {PLANTED["reason"]}'.encode())
    client.post(f"/results/{number}/reviews", data={**review, "reason": ""})
    for path in (
        f"/results/{number}", f"{one}/report.pdf", f"{one}/image", f"{one}/maps/cnn", "/history",
        "/api/v1/predictions", f"/{PLANTED['path']}", f"/results/{PLANTED['path']}",
        f"/static/{PLANTED['path']}.css", f"/api/v1/predictions/{PLANTED['path']}", "/health/ready",
        f"/api/v1/predictions/{PLANTED['path']}/maps/{PLANTED['path']}",
    ):  # fmt: skip
        client.get(path + query)
    client.post("/api/v1/considerations", json={"sex": PLANTED["body"], PLANTED["body"]: 1})
    client.post("/treatment", data={"age": PLANTED["body"]})
    client.request(PLANTED["method"], "/history")

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{PLANTED['name in an archive']}.dcm", dicom)
        archive.writestr(f"{PLANTED['name in an archive']}.txt", PLANTED["body"])
    batch = client.post("/api/v1/batches", files={"file": (f"{file}.zip", packed.getvalue())})
    assert batch.status_code == 201, batch.text
    client.get(f"{batch.headers['location']}/results")

    for name in ("cnn", "vertebrae", "stack"):
        tell_a_runner(traced, name, dicom)


def tell_a_runner(traced: Traced, name: str, dicom: bytes) -> None:
    """As somebody inside the network might: a runner trusts nobody either."""
    process: psutil.Process = traced.running.runner(name)
    arguments = process.cmdline()
    url = f"http://127.0.0.1:{arguments[arguments.index('--port') + 1]}"
    vote = {"cnn": {"probability": PLANTED["runner's body"], "version": PLANTED["runner's body"]}}
    headers = {
        "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
        "tracestate": f"patient={PLANTED['tracestate']}",
        "User-Agent": PLANTED["agent"],
    }
    with httpx.Client(base_url=url, timeout=30, trust_env=False, headers=headers) as runner:
        files: Any = {"images": (PLANTED["name of a file"], dicom)}
        runner.post(f"/predict?map={PLANTED['query']}", files=files)
        runner.post("/predict", files={PLANTED["name of a field"]: (NAME, dicom)})
        runner.post(f"/outline?map={PLANTED['query']}", files=files)
        runner.post("/combine", json={"votes": [vote]})
        runner.post("/combine", content=PLANTED["runner's body"].encode())
        runner.get(f"/{PLANTED['path']}?{PLANTED['query']}")
        runner.post(f"/predict/{PLANTED['path']}")
        runner.request(PLANTED["method"], "/predict")


def test_nobody_s_name_is_in_a_line_or_a_span(
    traced: Traced, client: httpx.Client, dicom: bytes
) -> None:
    tell(traced, client, dicom)
    # Spans leave each process in order: once the last are here, so are all before them.
    last = "1" * 32
    asked = {"traceparent": f"00-{last}-b7ad6b7169203331-01"}
    # Another image: what was judged a moment ago is remembered.
    client.post("/api/v1/predictions", files={"file": ("a", named_scan(22))}, headers=asked)
    traced.collector.until(lambda spans: whole(spans, last))
    assert len(traced.collector.spans) > 100
    logs = traced.logs()
    assert {f"{name}.log" for name in ("front", *RUNNERS)} <= logs.keys()
    for name, text in logs.items():
        assert PATTERN.findall(text) == [], name
    assert "/api/v1/predictions/{id}/study" in logs["front.log"]
    for request in traced.collector.requests:
        assert PATTERN.findall(str(request)) == []
        assert PATTERN.search(request.SerializeToString().decode("latin-1")) is None


def test_what_is_sought_would_be_found(traced: Traced, dicom: bytes) -> None:
    """The planted names do reach the processes, so their absence says something."""
    assert set(PATTERN.findall(dicom.decode("latin-1"))) == {NAME, BORN}
    database = b"".join(path.read_bytes() for path in traced.running.var.rglob("osteoserve.db*"))
    for kept in KEPT:
        assert PLANTED[kept].encode() in database, kept
    for never in PLANTED.keys() - KEPT - {"body"}:
        assert PLANTED[never].encode() not in database, never
