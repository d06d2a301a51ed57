"""What a person, an integrator and a bad day do to a running osteoserve."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from models import artifact
from models.image.scan import Scan
from models.inference import preparation
from models.inference.base import Outliner, Scorer
from models.inference.stack import Stack
from models.training import parity
from models.types import BASES
from protocol.runners import RUNNERS
from tests.e2e.conftest import FRONT, ROOT, Running, end, start
from tests.models.reading.encodings import ENCODINGS, LOSSY

pytestmark = pytest.mark.e2e


def predict(client: httpx.Client, data: bytes) -> dict[str, Any]:
    response = client.post("/api/v1/predictions", files={"file": ("scan", data)})
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_a_scan_goes_through_all_five_runners(client: httpx.Client, png: bytes) -> None:
    answer = predict(client, png)

    served = artifact.served(artifact.FOLDER)
    assert not answer["degraded"]
    assert answer["missing"] == []
    assert {n: m["version"] for n, m in answer["models"].items()} == {n: served[n] for n in BASES}
    assert answer["version"] == served["stack"]
    assert answer["vertebrae"]["version"] == served["vertebrae"]
    assert [one["level"] for one in answer["vertebrae"]["levels"]] == ["L1", "L2", "L3", "L4"]
    assert answer["models"]["bone"]["measurements"]
    assert answer["intended_use"] == "research"
    assert client.get(f"/api/v1/predictions/{answer['id']}").json() == answer


def test_the_answer_is_what_the_models_say_without_any_service(
    client: httpx.Client, pixels: np.ndarray, png: bytes
) -> None:
    outline = Outliner(artifact.load("vertebrae"), runtime="keras").outline
    (prepared,) = preparation.prepare([Scan(pixels, 8, "png")], outline)
    assert prepared.canonical is not None
    canonical = prepared.canonical[None]
    scorers = {name: Scorer(artifact.load(name), runtime="keras") for name in BASES}
    votes = {
        name: (scorer.score(canonical)[0].probability, scorer.version)
        for name, scorer in scorers.items()
    }
    expected = Stack.from_artifact(artifact.load("stack")).combine(votes)

    answer = predict(client, png)

    assert answer["probability"] == pytest.approx(expected.probability, abs=parity.LARGEST)
    for name in BASES:
        found = answer["models"][name]["probability"]
        assert found == pytest.approx(votes[name][0], abs=parity.LARGEST)


@pytest.fixture(scope="module")
def expected(client: httpx.Client, png: bytes) -> dict[str, Any]:
    return predict(client, png)


@pytest.mark.parametrize("encoding", sorted(set(ENCODINGS) - set(LOSSY)))
def test_the_same_pixels_in_any_format_give_the_same_answer(
    client: httpx.Client, pixels: np.ndarray, expected: dict[str, Any], encoding: str
) -> None:
    answer = predict(client, ENCODINGS[encoding](pixels))

    assert answer["outcome"] == expected["outcome"]
    assert answer["probability"] == pytest.approx(expected["probability"], abs=1e-3)


def test_a_warm_answer_takes_less_than_a_second(client: httpx.Client, png: bytes) -> None:
    """Generous on purpose: the benchmark is for speed, this is for a path gone wrong."""
    durations = []
    for _ in range(5):
        begun = time.perf_counter()
        predict(client, png)
        durations.append(time.perf_counter() - begun)

    assert min(durations) < 1.0


def test_pages_are_there(client: httpx.Client, png: bytes) -> None:
    assert "<form" in client.get("/").text
    sent = client.post("/", files={"file": ("scan.png", png, "image/png")})
    assert sent.status_code == 303
    page = client.get(sent.headers["location"])
    assert page.status_code == 200
    assert "esearch use only" in page.text


def test_prometheus_finds_every_process(running: Running) -> None:
    port = running.url.rsplit(":", 1)[1]
    groups = json.loads((running.var / "targets" / f"{port}.json").read_text())

    assert [group["labels"]["component"] for group in groups] == ["front", *RUNNERS]
    for group in groups:
        (target,) = group["targets"]
        metrics = httpx.get(f"http://{target}/metrics", trust_env=False)
        assert metrics.status_code == 200
        assert "# TYPE" in metrics.text


def test_nothing_of_an_upload_stays_on_disk(
    client: httpx.Client, running: Running, png: bytes
) -> None:
    predict(client, png)
    client.post("/api/v1/predictions", files={"file": ("secret-name.png", b"\x89PNG\r\n\x1a\n")})

    names = [path.name for path in running.var.rglob("*") if path.is_file()]
    assert not [name for name in names if name.endswith((".png", ".dcm", ".tmp"))]
    for log in running.var.rglob("*.log"):
        assert "secret-name" not in log.read_text()


@pytest.mark.parametrize("name", [name for name in RUNNERS if name != "vertebrae"])
def test_every_request_is_answered_while_a_runner_dies_and_returns(
    client: httpx.Client, running: Running, png: bytes, name: str
) -> None:
    answers = asked_while_it_dies(running, png, name)
    assert {answer.status_code for answer in answers} == {201}
    degraded = [answer.json() for answer in answers if answer.json()["degraded"]]
    assert degraded
    assert all(answer["missing"] == [name] for answer in degraded)
    # The front looks every two seconds whether a runner that it leaves alone is back.
    deadline = time.monotonic() + 30
    while predict(client, png)["degraded"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_without_vertebrae_it_says_when_to_come_back_and_then_answers_whole(
    client: httpx.Client, running: Running, png: bytes
) -> None:
    answers = asked_while_it_dies(running, png, "vertebrae")
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert {answer.json()["code"] for answer in refused} == {"runners_unavailable"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    deadline = time.monotonic() + 30
    while True:
        answer = client.post("/api/v1/predictions", files={"file": ("scan", png)})
        if answer.status_code == 201 and not answer.json()["degraded"]:
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)


def asked_while_it_dies(running: Running, png: bytes, name: str) -> list[httpx.Response]:
    """Return what two who keep asking are answered while runner ``name`` is killed and returns."""
    answers: list[httpx.Response] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=running.url, timeout=30, trust_env=False) as own:
            while not over.is_set():
                answers.append(own.post("/api/v1/predictions", files={"file": ("scan", png)}))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        time.sleep(0.5)
        before = running.said().count(f"{name} is back")
        running.runner(name).kill()
        deadline = time.monotonic() + 90
        while running.said().count(f"{name} is back") == before:
            assert time.monotonic() < deadline, running.said()
            time.sleep(0.2)
        time.sleep(1.0)
    finally:
        over.set()
        for thread in asking:
            thread.join()
    return answers


def test_two_instances_do_not_disturb_each_other(
    client: httpx.Client, running: Running, png: bytes, tmp_path: Path
) -> None:
    """Two `make run` in one checkout: they share the folder of state and nothing else."""
    other = start(tmp_path, running.var)
    try:
        other.wait_until_said("ready: http")
        with httpx.Client(base_url=other.url, timeout=30, trust_env=False) as second:
            answers = [predict(one, png) for one in (client, second, client, second)]
            assert second.get(f"/api/v1/predictions/{answers[0]['id']}").json() == answers[0]
        assert len({answer["probability"] for answer in answers}) == 1
        children = other.descendants()
        targets = running.var / "targets" / f"{other.url.rsplit(':', 1)[1]}.json"
        assert targets.exists()
        assert other.stop() == 0
        assert not targets.exists()
    finally:
        end(other)

    assert not psutil.wait_procs(children, timeout=5)[1]
    assert not predict(client, png)["degraded"]


def test_all_runners_down_is_an_honest_503_and_a_dead_front_ends_everything(
    png: bytes, tmp_path: Path
) -> None:
    instance = start(tmp_path)
    try:
        instance.wait_until_said("ready: http")
        # Stopped, not killed: a killed runner would be back before the question is asked.
        for name in set(RUNNERS) - {"stack"}:
            runner = instance.runner(name)
            for process in (runner, *runner.children(recursive=True)):
                process.send_signal(signal.SIGSTOP)
        refused = httpx.post(
            f"{instance.url}/api/v1/predictions",
            files={"file": ("scan", png)},
            timeout=30,
            trust_env=False,
        )
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] == "runners_unavailable"
        assert int(refused.headers["retry-after"]) >= 1
        assert httpx.get(f"{instance.url}/health/live", trust_env=False).status_code == 200
        for name in set(RUNNERS) - {"stack"}:
            runner = instance.runner(name)
            for process in (runner, *runner.children(recursive=True)):
                process.send_signal(signal.SIGCONT)

        children = instance.descendants()
        instance.front().kill()
        assert instance.process.wait(60) == 1
        assert "the front ended" in instance.said()
        assert not psutil.wait_procs(children, timeout=5)[1]
    finally:
        end(instance)


def test_a_taken_port_is_said_and_nothing_is_started(running: Running, tmp_path: Path) -> None:
    port = running.url.rsplit(":", 1)[1]
    done = subprocess.run(
        [str(FRONT), "-m", "service", "run"],
        cwd=ROOT,
        env={**os.environ, "OSTEOSERVE_PORT": port, "OSTEOSERVE_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    assert f"port {port}" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.iterdir())
