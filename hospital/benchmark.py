"""``python -m hospital.benchmark``: what a running ``make hospital`` takes, and how soon.

Pushed are phantoms as Secondary Captures of half a megabyte, to the gateway as the PACS would send
them; each is acknowledged once it is kept. Each figure stands beside what is wanted. Whatever else
the machine does counts against them.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import numpy as np
import psutil
import pydicom
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu import A_ASSOCIATE_RQ

from models import phantom
from models.phantom import Artefact
from models.phantom import dicom as phantom_dicom
from service.settings import load

SIDE: Final = 724
"""Pixels a side: half a megabyte at 8 bits."""

ASSOCIATIONS: Final = 8
OPEN: Final = 64
ASKING: Final = 8
"""Of those, how many ask. The threads that pynetdicom gives to each would take from each other."""
ACCEPTED: Final = b"\x02"
"""The first byte of an A-ASSOCIATE-AC (PS3.8 section 9.3.3)."""
VERIFICATION: Final = "1.2.840.10008.1.1"
REPORT: Final = "1.2.840.10008.5.1.4.1.1.88.34"
PATIENCE: Final = 120.0
"""Seconds for a result to come, before it is said to be lost."""


@dataclass(frozen=True)
class Figure:
    """One measurement, and what is wanted of it: ``best`` is the least or the most."""

    name: str
    value: float
    unit: str
    wanted: float
    at_least: bool = False

    @property
    def is_reached(self) -> bool:
        return self.value >= self.wanted if self.at_least else self.value <= self.wanted

    def line(self) -> str:
        sign = "≥" if self.at_least else "≤"
        end = "" if self.is_reached else "   not reached"
        return f"{self.name:44} {self.value:8.1f} {self.unit:10} {sign} {self.wanted:g}{end}"


class Hospital:
    """The one that ``told``, the content of ``hospital.json``, describes."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._gateway = told["gateway"]
        self.messages = Path(told["hl7"])
        self.front = str(told["front"])
        self.pacs = httpx.Client(
            base_url=told["orthanc"],
            auth=(told["orthanc_user"], told["orthanc_password"]),
            timeout=30,
            trust_env=False,
        )

    @contextmanager
    def associated(self) -> Iterator[Association]:
        """An association with the gateway. Raises :class:`ConnectionError` where there is none."""
        ae = AE(self._gateway["calling"])
        ae.add_requested_context(SecondaryCaptureImageStorage, ExplicitVRLittleEndian)
        ae.add_requested_context(VERIFICATION)
        to = self._gateway
        one = ae.associate(to["host"], to["port"], ae_title=to["aet"])
        if not one.is_established:
            raise ConnectionError("the gateway takes no association")
        try:
            yield one
        finally:
            one.release()

    @contextmanager
    def silent(self, like: Association) -> Iterator[None]:
        """Have an association that asks for what ``like`` did, and then for nothing."""
        asked: Any = like.requestor.primitive
        request = A_ASSOCIATE_RQ()
        request.from_primitive(asked)
        with socket.create_connection((like.acceptor.address, like.acceptor.port), 10) as line:
            line.sendall(request.encode())
            if line.recv(1) != ACCEPTED:
                raise ConnectionError("the gateway takes no association")
            yield

    def reports(self, studies: set[str]) -> dict[str, float]:
        """Return when the report of each of ``studies`` was first seen in the PACS."""
        seen: dict[str, float] = {}
        last, end = self.last_change(), time.monotonic() + PATIENCE
        while len(seen) < len(studies) and time.monotonic() < end:
            answer = self.pacs.get("/changes", params={"since": last, "limit": 500}).json()
            last = answer["Last"]
            for change in answer["Changes"]:
                if change["ChangeType"] != "NewInstance":
                    continue
                tags = self.pacs.get(f"/instances/{change['ID']}/simplified-tags").json()
                if tags["SOPClassUID"] == REPORT:
                    seen.setdefault(tags["StudyInstanceUID"], time.monotonic())
            time.sleep(0.05)
        return {study: seen[study] for study in studies if study in seen}

    def message(self, study: str) -> float:
        """Return when a message about ``study`` came to the interface engine."""
        known: set[Path] = set()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for path in set(self.messages.glob("*.hl7")) - known:
                known.add(path)
                if study.encode() in path.read_bytes():
                    return time.monotonic()
            time.sleep(0.05)
        return end

    def last_change(self) -> int:
        return int(self.pacs.get("/changes", params={"last": ""}).json()["Last"])


def image(seed: int) -> Dataset:
    """Return a phantom of :data:`SIDE` pixels a side, in a study of its own."""
    drawn = phantom.draw(np.random.default_rng(seed), artefact=Artefact.NONE)
    data = pydicom.dcmread(io.BytesIO(phantom_dicom.encode(drawn)))
    pixels = Image.fromarray(drawn.image).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    rows, columns = drawn.image.shape
    data.Rows = data.Columns = SIDE
    data.PixelSpacing = [drawn.spacing * rows / SIDE, drawn.spacing * columns / SIDE]
    data.PixelData = pixels.tobytes()
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(data, name, generate_uid())
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.PatientID = f"BENCH-{uuid4().hex[:12]}"
    return data


def store(line: Association, one: Dataset) -> float:
    """Return the seconds until ``one`` was acknowledged."""
    begun = time.monotonic()
    status = line.send_c_store(one).get("Status")
    if status != 0:
        raise ConnectionError(f"C-STORE was answered with {status}")
    return time.monotonic() - begun


def receiving(hospital: Hospital, count: int, associations: int) -> list[Figure]:
    """Send studies of one image each at once, and wait until the PACS has a report of each."""
    images = [image(seed) for seed in range(count)]
    studies = {str(one.StudyInstanceUID) for one in images}

    def lot(which: int) -> list[float]:
        with hospital.associated() as line:
            return [store(line, one) for one in images[which::associations]]

    with ThreadPoolExecutor(associations + 1) as pool:
        waiting = pool.submit(hospital.reports, studies)
        begun = time.monotonic()
        seconds = [one for lot_ in pool.map(lot, range(associations)) for one in lot_]
        took = time.monotonic() - begun
        seen = waiting.result()
    over = f"{count} objects, {associations} association{'s' if associations > 1 else ''}"
    return [
        Figure(f"{over}: received", count / took, "a second", 50 if associations > 1 else 40, True),
        Figure(f"{over}: response p95", 1e3 * percentile(seconds, 0.95), "ms", 60),
        Figure(f"{over}: without report", count - len(seen), "studies", 0),
    ]


def answering(hospital: Hospital, rounds: int) -> list[Figure]:
    """Send a study when the one before is answered; the wait for others is within."""
    reports, messages = [], []
    for seed in range(rounds):
        one = image(seed)
        study = str(one.StudyInstanceUID)
        with ThreadPoolExecutor(2) as pool:
            waiting = pool.submit(hospital.reports, {study})
            message = pool.submit(hospital.message, study)
            with hospital.associated() as line:
                store(line, one)
                begun = time.monotonic()
            reports.append(waiting.result().get(study, begun + PATIENCE) - begun)
            messages.append(message.result() - begun)
    late = [max(two - one, 0.0) for one, two in zip(reports, messages, strict=True)]
    return [
        Figure("last response to report in the PACS, p50", statistics.median(reports), "s", 4.0),
        Figure("last response to report in the PACS, p95", percentile(reports, 0.95), "s", 5.5),
        Figure("message at the engine after the report, p95", percentile(late, 0.95), "s", 1.0),
    ]


def greeting(hospital: Hospital, gateway: psutil.Process, rounds: int) -> list[Figure]:
    """Open associations one after the other, and then many at a time."""
    begun = time.monotonic()
    for _ in range(rounds):
        with hospital.associated() as line:
            line.send_c_echo()
    rate = rounds / (time.monotonic() - begun)
    seconds = []
    with ExitStack() as stack:
        lines = [stack.enter_context(hospital.associated()) for _ in range(ASKING)]
        # Those of the PACS itself count among them.
        for _ in range(OPEN - 2 - ASKING):
            stack.enter_context(hospital.silent(lines[0]))
        for line in lines * 40:
            asked = time.monotonic()
            if line.send_c_echo().get("Status") != 0:
                raise ConnectionError("C-ECHO was not answered")
            seconds.append(time.monotonic() - asked)
        held = gateway.memory_info().rss
    name = f"{OPEN - 2} open associations"
    return [
        Figure("new associations with a C-ECHO", rate, "a second", 15, True),
        Figure(f"{name}: C-ECHO p99", 1e3 * percentile(seconds, 0.99), "ms", 100),
        Figure(f"{name}: resident memory", held / 2**20, "MB", 400),
    ]


async def deciding(front: str, key: str, seconds: float, rate: float = 20.0) -> list[Figure]:
    """Call the hook ``patient-view`` at a steady rate, whether or not the last was answered."""
    took: list[float] = []
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=front, timeout=30, trust_env=False, headers=headers
    ) as client, asyncio.TaskGroup() as group:  # fmt: skip
        found = (await client.get("/cds-services")).raise_for_status().json()["services"]
        (service,) = (one["id"] for one in found if one["hook"] == "patient-view")

        async def call(patient: str) -> None:
            begun = time.monotonic()
            answer = await client.post(
                f"/cds-services/{service}",
                json={
                    "hook": "patient-view",
                    "hookInstance": str(uuid4()),
                    "context": {"userId": "Practitioner/1", "patientId": patient},
                    "prefetch": {
                        "patient": {
                            "resourceType": "Patient",
                            "id": patient,
                            "identifier": [{"value": patient}],
                        }
                    },
                },
            )
            answer.raise_for_status()
            took.append(time.monotonic() - begun)

        begun = time.monotonic()
        for number in range(int(seconds * rate)):
            await asyncio.sleep(max(begun + number / rate - time.monotonic(), 0))
            group.create_task(call(f"BENCH-{number}"))
    return [Figure(f"CDS hook at {rate:g} a second, p95", 1e3 * percentile(took, 0.95), "ms", 150)]


def percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(values, 100 * share))


def clinician(state: Path) -> str:
    """Return a key of the service whose ``state`` it is; both go when the hospital does."""
    name = f"benchmark-{uuid4().hex[:8]}"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "service", "keys", "add", "--name", name, "--role", "clinician"],
        env={**os.environ, "OSTEOSERVE_VAR": str(state)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1]


def gateway_process(port: int) -> psutil.Process:
    """Return whoever listens on ``port``."""
    for one in psutil.net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid:
            return psutil.Process(one.pid)
    raise ConnectionError(f"nobody listens on port {port}")


def measured(var: Path, options: argparse.Namespace) -> Iterator[Figure]:
    told = json.loads((var / "hospital.json").read_bytes())
    hospital = Hospital(told)
    gateway = gateway_process(told["gateway"]["port"])
    yield from answering(hospital, options.rounds)
    yield from greeting(hospital, gateway, 10 * options.rounds)
    key = clinician(var / "hospital" / "state")
    yield from asyncio.run(deciding(hospital.front, key, options.rounds))
    for associations in (1, ASSOCIATIONS):
        yield from receiving(hospital, options.objects, associations)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m hospital.benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="studies that are waited for")
    parser.add_argument("--objects", type=int, default=120, help="objects of a burst")
    options = parser.parse_args()
    try:
        for figure in measured(load().var.resolve(), options):
            print(figure.line(), flush=True)
    except (OSError, httpx.HTTPError) as error:
        print(f"hospital.benchmark: {error}; does `make hospital` run?", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
