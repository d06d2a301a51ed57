"""The edge's wheel: built, installed apart from the repository, and asked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from pathlib import Path

import httpx
import pytest

from k8s import wheel as package
from k8s.packages import locked
from k8s.wheel.__main__ import LOCK, build
from models.image.scan import Scan
from models.reading import read
from service.edge.models import Models
from tests.ports import free_port
from tests.service.edge.test_client import ALIKE, MODELS_BYTES, judged, opened
from tests.service.edge.test_edge import scan

PATIENCE = 240.0
"""Seconds for a start, on a machine with much else to do."""
COMPILED = (".so", ".pyd", ".dylib", ".pyc")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the ``bin`` of an environment with the wheel and, by a path, what the lock names."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check",
         "--python", str(python), "install", "--no-deps", "--no-index", "--no-compile", str(wheel)],
        check=True,
    )  # fmt: skip
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Return a folder with modules of our names in it, which are not ours."""
    for name in ("service", "models"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('not ours')\n")
    return tmp_path


@pytest.fixture
def url(installed: Path, elsewhere: Path) -> Iterator[str]:
    port, log = free_port(), elsewhere / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(installed / "osteoserve-edge"), "--port", str(port)],
            stdout=output, stderr=output, cwd=elsewhere,
            env={"PATH": os.environ["PATH"], "OSTEOSERVE_VAR": str(elsewhere / "var"),
                 "OSTEOSERVE_AUTH": "none"},
        )  # fmt: skip
    try:
        end = time.monotonic() + PATIENCE
        while "Uvicorn running" not in log.read_text("utf-8"):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < end, "the edge takes too long"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as file:
        (name,) = (one for one in file.namelist() if one.endswith(".dist-info/METADATA"))
        return message_from_string(file.read(name).decode("utf-8"))


def test_it_is_for_every_machine(wheel: Path) -> None:
    assert re.fullmatch(r"osteoserve_edge-[\d.]+-py3-none-any\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert len(names) > 500
    assert [name for name in names if name.endswith(COMPILED)] == []
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"osteoserve_edge"}


def test_it_asks_for_what_is_locked_and_carries_the_lock(wheel: Path) -> None:
    asked = metadata(wheel).get_all("Requires-Dist") or []
    pinned = {f"{one.name}=={one.version}" for one in locked("edge")}
    assert len(pinned) > 50
    assert {re.split(r"\s*;", one)[0] for one in asked} == pinned
    (scipy,) = (one for one in asked if re.match(r'scipy==.*python_full_version < "3\.12"', one))
    assert scipy
    with zipfile.ZipFile(wheel) as file:
        assert file.read(f"{package.PACKAGE}/requirements.txt") == LOCK.read_bytes()


def test_its_models_are_those_that_are_read_and_small_enough(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        held = {
            one.filename: one.file_size
            for one in file.infolist()
            if one.filename.endswith((".tflite", ".safetensors", ".bin"))
        }
    assert 30e6 < sum(held.values()) < MODELS_BYTES
    assert not [name for name in held if name.endswith(("weights.safetensors", ".bin"))]
    assert sum(name.endswith("network.tflite") for name in held) == 5


@pytest.mark.e2e
@pytest.mark.anyio
async def test_installed_it_answers_as_the_repository_does(url: str, models: Models) -> None:
    data = scan(5)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        answer = await client.post("/api/v1/predictions", content=data)
        page = await client.get("/", headers={"Accept-Language": "de"})
    assert answer.status_code == 201
    said = answer.json()
    assert said["missing"] == []
    phantom: Scan = read(data)
    async with opened(models) as (runners, _):
        votes, combined = await judged(runners, phantom)
    assert said["probability"] == pytest.approx(combined.probability, abs=ALIKE)
    assert {name: one["probability"] for name, one in said["models"].items()} == pytest.approx(
        {name: one.probability for name, one in votes.items()}, abs=ALIKE
    )
    # Its catalogues are there as well.
    assert page.status_code == 200
    assert '<html lang="de"' in page.text


def test_installed_it_is_not_the_repository_that_runs(installed: Path, elsewhere: Path) -> None:
    done = subprocess.run(
        [str(installed / "python"), "-c",
         "import sys; sys.argv[1:] = ['settings']\n"
         "from osteoserve_edge.__main__ import main; main()\n"
         "import service; print(service.__file__)"],
        cwd=elsewhere, check=True, capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "PYTHONSAFEPATH": "1"},
    )  # fmt: skip
    assert Path(done.stdout.splitlines()[-1]).is_relative_to(installed.parent)
