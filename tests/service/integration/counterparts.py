"""Real counterparts: Orthanc and DCMTK's dcmqrscp as PACS, its wlmscpfs as RIS, its storescu as
scanner, and two validators."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset

from hospital import unpacked
from hospital.unpacked import UNPACKED

T = TypeVar("T")

LIMITS = [f"-Djdk.xml.xpath{name}Limit=0" for name in ("ExprOp", "TotalOp", "ExprGrp")]


def tool(name: str) -> str:
    """Return where ``name`` lies; without it skip, or fail where HOSPITAL=required."""
    return _there(unpacked.tool(name), name)


def plugin(name: str) -> Path:
    """Return where the plug-in ``name`` of Orthanc's lies, as :func:`tool`."""
    return _there(unpacked.plugin(name), name)


def _there(found: T | None, name: str) -> T:
    if found is not None:
        return found
    said = f"no {name}: hospital/install (part of make test) gets it"
    if os.environ.get("HOSPITAL") == "required":
        pytest.fail(said)
    pytest.skip(said)


def environment() -> dict[str, str]:
    """Return the environment in which what was unpacked finds its own."""
    return {**os.environ, **unpacked.environment()}


def run(name: str, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tool(name), *arguments],
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
    )


def storescu(
    port: int, *files: Path, calling: str = "DXA1", called: str = "OSTEOSERVE"
) -> subprocess.CompletedProcess[str]:
    """Push ``files``, as a scanner would."""
    names = map(str, files)
    return run("storescu", "-aet", calling, "-aec", called, "127.0.0.1", str(port), *names)


def dciodvfy(file: Path) -> list[str]:
    """Return the errors that it finds in ``file``."""
    done = run("dciodvfy", str(file))
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]


def dcentvfy(*files: Path) -> list[str]:
    """Return in what ``files`` of one study contradict each other."""
    done = run("dcentvfy", *map(str, files))
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]


def sr_validator(file: Path) -> list[str]:
    """Return the errors that PixelMed's DicomSRValidator finds in ``file``."""
    java = shutil.which("java")
    jars = [*UNPACKED.glob("usr/share/java/pixelmed.jar"), Path("/usr/share/java/pixelmed.jar")]
    jar = next((one for one in jars if one.exists()), None)
    if java is None or jar is None:
        pytest.skip("no Java with PixelMed's DicomSRValidator")
    done = subprocess.run(
        [java, *LIMITS, "-cp", str(jar), "com.pixelmed.validate.DicomSRValidator", str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = done.stdout + done.stderr
    assert "IOD validation complete" in said, said
    return [line for line in said.splitlines() if line.startswith("Error")]


@dataclass
class Orthanc:
    """A PACS of our own, which can be ended and started again on what it holds."""

    folder: Path
    dicom: int
    http: int
    web: bool = False
    """Whether it speaks DICOMweb."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        configuration: dict[str, object] = {
            "Name": "PACS",
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "DicomAet": "PACS",
            "DicomPort": self.dicom,
            "DicomCheckCalledAet": True,
            "HttpPort": self.http,
            "AuthenticationEnabled": False,
            "RemoteAccessAllowed": False,
            "OverwriteInstances": False,
        }
        if self.web:
            configuration["Plugins"] = [str(plugin("libOrthancDicomWeb.so"))]
            configuration["DicomWeb"] = {"Enable": True, "Root": "/dicom-web/"}
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(configuration))
        with (self.folder / "orthanc.log").open("ab") as log:
            self.process = subprocess.Popen(
                [tool("Orthanc"), str(path)],
                env=environment(),
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                self.get("/system")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.folder / "orthanc.log").read_text(errors="replace")[-2000:])

    def stop(self, *, kill: bool = False) -> None:
        if self.process is not None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(30)
            self.process = None

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.http}{path}", timeout=10, trust_env=False)

    def knows(self, name: str, aet: str, port: int) -> None:
        """Let it know of somebody whom it may reach by DICOM."""
        modality = {"AET": aet, "Host": "127.0.0.1", "Port": port}
        url = f"http://127.0.0.1:{self.http}/modalities/{name}"
        httpx.put(url, json=modality, timeout=10, trust_env=False).raise_for_status()

    def post(self, path: str, content: bytes | dict[str, object]) -> httpx.Response:
        url = f"http://127.0.0.1:{self.http}{path}"
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        found = httpx.post(url, content=body, timeout=60, trust_env=False)
        found.raise_for_status()
        return found

    def instances(self) -> dict[str, dict[str, str]]:
        """Return the main tags of every object, by its SOP Instance UID."""
        found = {}
        for one in self.get("/instances?expand").json():
            tags = self.get(f"/instances/{one['ID']}/simplified-tags").json()
            found[tags["SOPInstanceUID"]] = {**tags, "ID": one["ID"]}
        return found

    def file(self, id: str) -> bytes:
        return self.get(f"/instances/{id}/file").content


@contextmanager
def orthanc(folder: Path, dicom: int, http: int, *, web: bool = False) -> Iterator[Orthanc]:
    folder.mkdir(parents=True, exist_ok=True)
    opened = Orthanc(folder, dicom, http, web)
    opened.start()
    try:
        yield opened
    finally:
        opened.stop()


@contextmanager
def dcmqrscp(folder: Path, port: int, title: str, knows: dict[str, int]) -> Iterator[int]:
    """Run DCMTK's archive of one title, which sends to titles at these ports of this machine."""
    (folder / "held").mkdir(parents=True, exist_ok=True)
    hosts = [f"known{n} = ({aet}, 127.0.0.1, {at})" for n, (aet, at) in enumerate(knows.items())]
    text = [
        f"NetworkTCPPort = {port}",
        "MaxPDUSize = 16384",
        "MaxAssociations = 16",
        "HostTable BEGIN",
        *hosts,
        "HostTable END",
        "AETable BEGIN",
        f"{title} {folder / 'held'} RW (200, 1024mb) ANY",
        "AETable END",
    ]
    (folder / "dcmqrscp.cfg").write_text("\n".join(text) + "\n")
    with _running(folder, "dcmqrscp", port, "-c", str(folder / "dcmqrscp.cfg")):
        yield port


@contextmanager
def wlmscpfs(folder: Path, port: int, title: str, *items: Dataset) -> Iterator[int]:
    """Run DCMTK's worklist of one title, with ``items``."""
    place = folder / title
    place.mkdir(parents=True, exist_ok=True)
    (place / "lockfile").touch()
    for number, item in enumerate(items):
        pydicom.dcmwrite(place / f"{number}.wl", item, implicit_vr=False, little_endian=True)
    with _running(folder, "wlmscpfs", port, "-dfp", str(folder), str(port)):
        yield port


@contextmanager
def _running(folder: Path, name: str, port: int, *arguments: str) -> Iterator[None]:
    """Run a server of DCMTK's, once it answers."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [tool(name), *arguments], env=environment(), stdout=log, stderr=log, cwd=folder
        )
        try:
            end = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < end:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            else:
                raise AssertionError((folder / f"{name}.log").read_text(errors="replace")[-2000:])
            yield
        finally:
            process.terminate()
            process.wait(30)
