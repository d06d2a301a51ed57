"""A Prometheus of the test's own: Debian's, on a free port, gone when the test is."""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from k8s.rules.files import PROMETHEUS, text
from k8s.rules.scope import PLAIN, Scope
from tests.operations.tools import tool
from tests.ports import free_port

HURRIED: Final = Scope(matchers=PLAIN.matchers, speed=30)
"""An hour is two minutes: windows, holding times and intervals of every rule, nothing else."""

LOOK: Final = "2s"
"""Between two scrapes, and as long as one may take: a busy machine needs more than a second."""


@dataclass
class Prometheus:
    client: httpx.Client

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return what an instant query finds. An error of Prometheus' fails the test."""
        answer = self.client.get("/api/v1/query", params={"query": query}).json()
        assert answer["status"] == "success", f"{query}: {answer}"
        data = answer["data"]
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        result: list[dict[str, Any]] = data["result"]
        return result

    def value(self, query: str) -> float | None:
        """Return the largest number that ``query`` finds; None where it finds none."""
        found = [float(one["value"][1]) for one in self.ask(query)]
        return max((number for number in found if not math.isnan(number)), default=None)

    def targets(self) -> dict[str, str]:
        """Return the health of what is scraped, by component."""
        found = self._get("/api/v1/targets")["activeTargets"]
        return {one["labels"]["component"]: one["health"] for one in found}

    def rules(self) -> list[dict[str, Any]]:
        groups = self._get("/api/v1/rules")["groups"]
        return [{**rule, "group": group["name"]} for group in groups for rule in group["rules"]]

    def firing(self) -> set[str]:
        found = self._get("/api/v1/alerts")["alerts"]
        return {one["labels"]["alertname"] for one in found if one["state"] == "firing"}

    def until(self, true: Callable[[], object], seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"firing: {self.firing()}, {self.targets()}"
            time.sleep(0.25)

    def _get(self, path: str) -> Any:
        answer = self.client.get(path).json()
        assert answer["status"] == "success", answer
        return answer["data"]


@contextmanager
def prometheus(folder: Path, targets: str, rules: Scope | None = HURRIED) -> Iterator[Prometheus]:
    """Run Prometheus as ``k8s/prometheus`` configures it, looking more often.

    ``targets`` is the pattern of target files. The rules are those of the scope ``rules``, or
    without one the committed file's.
    """
    program = tool("prometheus")
    path = PROMETHEUS / "rules.yaml"
    if rules is not None:
        path = folder / "rules.yaml"
        path.write_text(text(rules))
    config = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text())
    config["global"] = {"scrape_interval": LOOK, "evaluation_interval": LOOK}
    config["rule_files"] = [str(path)]
    (job,) = config["scrape_configs"]
    job["file_sd_configs"] = [{"files": [targets], "refresh_interval": "1s"}]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    url = f"127.0.0.1:{free_port()}"
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                *(program, f"--config.file={folder / 'prometheus.yaml'}"),
                *(f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={url}"),
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        with httpx.Client(base_url=f"http://{url}", trust_env=False, timeout=20) as client:
            _wait(client, process, folder / "prometheus.log")
            yield Prometheus(client)
    finally:
        process.terminate()
        process.wait(30)


def _wait(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        over = process.poll() is not None or time.monotonic() > deadline
        assert not over, log.read_text()
        try:
            if client.get("/-/ready").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
