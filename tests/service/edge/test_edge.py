"""The whole edge as a process of its own, with nothing of what its image has not."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from models import phantom
from models.phantom import Artefact
from tests.ports import free_port

pytestmark = pytest.mark.e2e

SERVE = """
import sys
for name in ("tensorflow", "keras", "openvino", "sklearn", "shap", "numba", "bentoml", "psutil"):
    sys.modules[name] = None
# It connects in C, which no hook hears of.
sys.modules["uvloop"] = None

def noted(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        print("CALLED", event, arguments[1], flush=True)
    if event == "socket.getaddrinfo" and arguments[0] != "127.0.0.1":
        print("CALLED", event, arguments[0], flush=True)

sys.addaudithook(noted)
from service.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
MEMORY = 700 * 10**6
PATIENCE = 240.0
"""Seconds for a start and for each step, on a machine with much else to do."""


def scan(seed: int) -> bytes:
    drawn = phantom.draw(np.random.default_rng(seed), artefact=Artefact.NONE).image
    buffer = io.BytesIO()
    Image.fromarray(drawn).save(buffer, "PNG")
    return buffer.getvalue()


def until(state: Callable[[], object], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not state():
        assert process.poll() is None, "the edge ended"
        assert time.monotonic() < end, "the edge takes too long"
        time.sleep(0.1)


def resident(process: subprocess.Popen[str]) -> int:
    """Return the most bytes of memory that the process has had."""
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_an_edge_judges_its_folder_shows_its_pages_and_calls_nobody(tmp_path: Path) -> None:
    folder, port = tmp_path / "files", free_port()
    incoming = folder / "in"
    incoming.mkdir(parents=True)
    data = scan(5)
    (incoming / "SECRET^NAME.png").write_bytes(data)
    (incoming / "broken.png").write_bytes(data[:3000])
    url = f"http://127.0.0.1:{port}"
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, "edge", "--port", str(port), "--folder", str(folder)],
            stdout=output, stderr=output, text=True,
            env={"PATH": os.environ["PATH"], "OSTEOSERVE_VAR": str(tmp_path / "var"),
                 "OSTEOSERVE_AUTH": "none", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
    try:
        until(lambda: "Uvicorn running" in log.read_text(), process)
        until(lambda: not list(incoming.iterdir()), process)
        until(lambda: list(folder.glob("judged/[!.]*")), process)
        (result,) = folder.glob("judged/*/result.json")
        said = json.loads(result.read_text("utf-8"))
        assert said["missing"] == []
        assert set(said["models"]) == {"cnn", "vgg16", "resnet", "bone"}
        assert (result.parent / "scan.png").read_bytes() == data
        assert (result.parent / "report.pdf").read_bytes().startswith(b"%PDF")
        (reason,) = folder.glob("refused/*/reason.json")
        assert json.loads(reason.read_text("utf-8"))["code"] == "corrupt_file"

        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            page = client.get(f"/results/{said['id']}")
            assert page.status_code == 200
            sent = client.post("/api/v1/predictions", content=data)
            assert sent.status_code == 201
            assert sent.json()["probability"] == pytest.approx(said["probability"], abs=1e-9)
            # The file's name is the folder's alone.
            assert set(said) == {*sent.json(), "file"}
            ready = client.get("/health/ready").json()
            assert set(ready["runners"].values()) == {"ready"}
            # A forest's map takes what is not there: told, and its vote stays.
            assert client.get(f"/api/v1/predictions/{said['id']}/maps/resnet").status_code == 404

        # The same bytes once more: the same result, and nothing is written over.
        (incoming / "again.png").write_bytes(data)
        until(lambda: len(list(folder.glob("judged/[!.]*/scan.png"))) == 2, process)
        found = {
            one.parent.name: json.loads(one.read_text("utf-8"))["id"]
            for one in folder.glob("judged/*/result.json")
        }
        assert found == {said["id"]: said["id"], f"{said['id']}-2": said["id"]}
        assert resident(process) < MEMORY
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert process.returncode in (0, -signal.SIGTERM)
    told = log.read_text("utf-8")
    assert "CALLED" not in told
    assert "SECRET" not in told
