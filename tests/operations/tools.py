"""Prometheus and promtool: the system's, or those that ``tests/operations/install`` unpacked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from k8s.helm import ROOT

UNPACKED = ROOT / ".venv" / "prometheus" / "usr" / "bin"


def tool(name: str) -> str:
    """Return where ``name`` lies; without it skip, or fail where PROMETHEUS=required."""
    found = shutil.which(name) or shutil.which(name, path=str(UNPACKED))
    if found is not None:
        return found
    said = f"no {name}: tests/operations/install (part of make test) gets it where apt-get is"
    if os.environ.get("PROMETHEUS") == "required":
        pytest.fail(said)
    pytest.skip(said)


def promtool(*arguments: str, given: str | None = None) -> str:
    """Return what promtool prints; a test fails with it where it is not content."""
    done = subprocess.run(
        [tool("promtool"), *arguments], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def unit_test(folder: Path, rules: Path, series: dict[str, str], **test: object) -> None:
    """Let promtool play ``series`` to the rules, and compare as ``test`` says."""
    values = [{"series": name, "values": value} for name, value in series.items()]
    group = {"interval": "1m", **test, "input_series": values}
    groups = yaml.safe_load(rules.read_text())["groups"]
    document = {
        "rule_files": [str(rules)],
        "evaluation_interval": group["interval"],
        # Else promtool takes them in any order, and an alert may see its rate a step late.
        "group_eval_order": [one["name"] for one in groups],
        "tests": [group],
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(document))
    promtool("test", "rules", str(path))
