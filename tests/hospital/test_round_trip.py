"""`make hospital`: an image pushed into Orthanc, and its results in PACS, engine and record."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import pydicom
import pytest
from pydicom.dataset import Dataset

from hospital.unpacked import ROOT
from tests import ports
from tests.service.integration import counterparts
from tests.service.integration.kit import file, image

pytestmark = pytest.mark.hospital

T = TypeVar("T")
SR, SC, PDF = (
    f"1.2.840.10008.5.1.4.1.1.{one}" for one in ("88.34", "7", "104.1")
)  # fmt: skip


@dataclass(frozen=True)
class Hospital:
    told: dict[str, Any]
    var: Path
    process: subprocess.Popen[bytes]

    def orthanc(self, path: str) -> httpx.Response:
        user = (self.told["orthanc_user"], self.told["orthanc_password"])
        return httpx.get(self.told["orthanc"] + path, auth=user, timeout=10, trust_env=False)

    def study(self, uid: str) -> list[Dataset]:
        """Return all that the PACS has of a study."""
        found = self.orthanc("/instances?expand").json()
        read = [
            pydicom.dcmread(io.BytesIO(self.orthanc(f"/instances/{one['ID']}/file").content))
            for one in found
        ]
        return [one for one in read if one.StudyInstanceUID == uid]

    def messages(self, uid: str) -> list[str]:
        texts = [one.read_bytes().decode() for one in sorted(Path(self.told["hl7"]).glob("*.hl7"))]
        return [one for one in texts if uid in one]

    def fhir(self, query: str) -> list[dict[str, Any]]:
        answer = httpx.get(
            f"{self.told['fhir']}/{query}", timeout=30, trust_env=False,
            headers={"Cache-Control": "no-cache"},
        )  # fmt: skip
        assert answer.is_success, answer.text
        return [one["resource"] for one in answer.json().get("entry", [])]

    def push(self, folder: Path, *objects: Dataset) -> None:
        paths = []
        for number, one in enumerate(objects):
            paths.append(folder / f"{number}.dcm")
            paths[-1].write_bytes(file(one))
        dicom = self.told["dicom"]
        done = counterparts.storescu(dicom["port"], *paths, calling="DXA1", called=dicom["aet"])
        assert done.returncode == 0, done.stderr


def until(found: Callable[[], T], seconds: float = 120) -> T:
    """Return what ``found`` does once it is something."""
    end = time.monotonic() + seconds
    while not (there := found()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.5)
    return there


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    var = tmp_path_factory.mktemp("var")
    environment = {
        **os.environ,
        "OSTEOSERVE_VAR": str(var),
        "OSTEOSERVE_PORT": str(ports.free_port()),
        "OSTEOSERVE_RUNNER_PYTHON": str(ROOT / ".venv" / "runners" / "bin" / "python"),
    }
    counterparts.tool("Orthanc")
    with (var / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hospital"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    told = var / "hospital.json"

    def ready() -> bool:
        assert process.poll() is None, (var / "log").read_text()
        return told.exists()

    try:
        until(ready, 400)
        yield Hospital(json.loads(told.read_text()), var, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(120)


def test_what_is_pushed_into_the_pacs_is_answered_everywhere(
    hospital: Hospital, tmp_path: Path
) -> None:
    one = image(PatientName="Doe^Jane", PatientID="4711", AccessionNumber="A1")
    begun = time.monotonic()
    hospital.push(tmp_path, one)
    uid = str(one.StudyInstanceUID)

    def in_pacs() -> list[Dataset]:
        found = hospital.study(uid)
        return found if {SR, SC, PDF} <= {str(each.SOPClassUID) for each in found} else []

    objects = until(in_pacs)
    print(f"\nreport, capture and sheet after {time.monotonic() - begun:.1f} s")
    by_class = {
        str(each.SOPClassUID): each for each in objects if each.Manufacturer == "osteoserve"
    }
    assert set(by_class) == {SR, SC, PDF}
    assert all(each.PatientID == "4711" for each in objects)
    assert by_class[PDF].EncapsulatedDocument.startswith(b"%PDF")
    (message,) = until(lambda: hospital.messages(uid))
    assert "\rPID|1||4711^^^^MR||Doe^Jane|" in message
    assert "|RAD|P\r" in message

    def reports() -> list[dict[str, Any]]:
        every = hospital.fhir("DiagnosticReport?_count=100")
        return [each for each in every if each["subject"]["identifier"]["value"] == "4711"]

    (report,) = until(reports)
    assert report["status"] == "preliminary"
    print(f"all after {time.monotonic() - begun:.1f} s")
    paths = []
    for number, each in enumerate(objects):
        paths.append(tmp_path / f"check-{number}.dcm")
        paths[-1].write_bytes(file(each))
    ours = [path for path, each in zip(paths, objects, strict=True) if each in by_class.values()]
    assert [fault for path in ours for fault in counterparts.dciodvfy(path)] == []
    assert counterparts.dcentvfy(*paths) == []


def test_it_makes_no_loop(hospital: Hospital, tmp_path: Path) -> None:
    one = image(PatientID="loop")
    hospital.push(tmp_path, one)
    until(lambda: len(hospital.study(str(one.StudyInstanceUID))) == 4)
    time.sleep(8)
    assert len(hospital.study(str(one.StudyInstanceUID))) == 4
    assert len(hospital.messages(str(one.StudyInstanceUID))) == 1


def test_only_who_has_the_password_sees_the_pacs(hospital: Hospital) -> None:
    answer = httpx.get(f"{hospital.told['orthanc']}/patients", timeout=10, trust_env=False)
    assert answer.status_code == 401
    assert (hospital.var / "hospital.json").stat().st_mode & 0o077 == 0


def test_ctrl_c_leaves_nothing_behind(hospital: Hospital) -> None:
    children = psutil.Process(hospital.process.pid).children(recursive=True)
    assert len(children) > 3
    hospital.process.send_signal(signal.SIGINT)
    assert hospital.process.wait(120) == 0
    psutil.wait_procs(children, timeout=10)
    assert [one for one in children if one.is_running() and one.status() != "zombie"] == []
    left = sorted(path.name for path in hospital.var.iterdir())
    assert "hospital" not in left
    assert "hospital.json" not in left
