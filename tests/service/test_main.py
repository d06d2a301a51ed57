"""The command line, as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service.settings import Settings

COMMAND = [sys.executable, "-W", "error", "-m", "service"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_help_names_the_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("serve", "settings"):
        assert command in done.stdout


def test_settings_are_printed_and_changes_shown() -> None:
    done = run("settings", OSTEOSERVE_PORT="8123", OSTEOSERVE_PROT="1")
    assert done.returncode == 0
    for name in Settings.model_fields:
        assert f"OSTEOSERVE_{name.upper()}\n" in done.stdout
    assert "default: 8000   now: 8123" in done.stdout
    assert "OSTEOSERVE_PROT is no setting of the front: OSTEOSERVE_PORT?" in done.stderr


@pytest.mark.parametrize("command", ["serve", "settings"])
def test_a_bad_setting_stops_the_start(command: str) -> None:
    done = run(command, OSTEOSERVE_PORT="eighty")
    assert done.returncode == 2
    assert "OSTEOSERVE_PORT='eighty'" in done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def serving(var: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    log = var.with_suffix(".log")
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0"],
            env={**os.environ, "OSTEOSERVE_VAR": str(var), **environment},
            stderr=errors,
            text=True,
        )
    try:
        end = time.monotonic() + 30
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        yield process, found.group()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_serve_stops_when_told(tmp_path: Path, kind: signal.Signals) -> None:
    with serving(tmp_path / "var") as (process, url):
        assert httpx.get(url + "/health/ready", trust_env=False).status_code == 200
        process.send_signal(kind)
        process.wait(timeout=10)
    assert "Traceback" not in (tmp_path / "var.log").read_text()


def test_draining_comes_before_the_end(tmp_path: Path) -> None:
    with serving(tmp_path / "var", OSTEOSERVE_DRAIN_SECONDS="1.5") as (process, url):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert httpx.get(url + "/health/ready", trust_env=False).status_code == 503
        assert httpx.get(url + "/about", trust_env=False).status_code == 200
        assert process.wait(timeout=10) in (0, -signal.SIGTERM)


def test_a_second_signal_ends_the_draining(tmp_path: Path) -> None:
    with serving(tmp_path / "var", OSTEOSERVE_DRAIN_SECONDS="60") as (process, _):
        process.send_signal(signal.SIGTERM)
        # On a busy machine two that come close together are one to the process.
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
        assert process.poll() is not None
