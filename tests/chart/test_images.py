"""What images are made of, as far as it can be told without building them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from k8s import helm
from k8s.strip import strip

IMAGES = helm.ROOT / "k8s" / "images"
COMPILED = next(Path(sys.prefix).glob("lib/python3*/site-packages/uvloop/loop.*.so"))
PATCHED = next(Path(sys.prefix).glob("lib/python3*/site-packages/numpy.libs/*openblas*"))


def test_a_stripped_library_still_loads(tmp_path: Path) -> None:
    copy = tmp_path / COMPILED.name
    shutil.copy(COMPILED, copy)
    cut = strip(copy)
    assert cut == COMPILED.stat().st_size - copy.stat().st_size
    assert cut > 1_000_000
    assert strip(copy) == 0
    # In a process of its own: a broken library takes its process with it.
    done = subprocess.run(
        [sys.executable, "-c", f"import ctypes; ctypes.CDLL({str(copy)!r}, {os.RTLD_NOW})"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_library_that_was_patched_stays(tmp_path: Path) -> None:
    copy = tmp_path / PATCHED.name
    shutil.copy(PATCHED, copy)
    assert strip(copy) == 0
    assert copy.read_bytes() == PATCHED.read_bytes()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(200), b"GROUP ( /lib/libc.so.6 )\n" * 9],
    ids=["empty", "cut short", "no segments", "a linker's script"],
)
def test_what_is_no_library_stays(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.so"
    path.write_bytes(content)
    assert strip(path) == 0
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["front", "runner", "edge", "loadtests"])
def test_an_image_is_pinned_labelled_and_not_root_s(name: str) -> None:
    text = (IMAGES / f"{name}.Dockerfile").read_text("utf-8")
    assert text.count("FROM ${BASE_IMAGE}") == 2
    assert "--require-hashes --no-deps" in text
    assert "\nUSER 10001:10001\n" in text
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in text
    assert "/usr/share/sbom/osteoserve.cdx.json" in text


@pytest.mark.parametrize("name", ["front", "runner", "edge", "loadtests"])
def test_an_image_s_build_sees_no_scan_and_no_state(name: str) -> None:
    rules = (IMAGES / f"{name}.Dockerfile.dockerignore").read_text("utf-8").splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    assert rules[0] == "*"
    shown = {rule[1:] for rule in rules if rule.startswith("!")}
    assert not shown & {"var", "tests", "shared", "."}
