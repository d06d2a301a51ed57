"""Judging images offline, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import artifact, phantom
from models.types import BASES

PREDICT = """
import argparse, re, sys
from pathlib import Path
from models.commands import predict
parser = argparse.ArgumentParser()
predict.add(parser)
status = predict.run(parser.parse_args(sys.argv[1:]))
heavy = [n for n in ("tensorflow", "keras", "openvino", "sklearn", "shap") if n in sys.modules]
# Not ru_maxrss: a child inherits its parent's peak through fork and exec.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(f"{heavy} {peak}", file=sys.stderr)
raise SystemExit(status)
"""


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scans") / "scan.png"
    Image.fromarray(phantom.draw(np.random.default_rng(11)).image).save(path)
    return path


def predict(root: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PREDICT, *map(str, arguments)],
        env={"OSTEOSERVE_ARTIFACTS": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_edge_imports_nothing_heavy_and_stays_small(tiny_artifacts: Path, scan: Path) -> None:
    done = predict(tiny_artifacts, scan, "--runtime", "litert", "--json")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["outcome"] == "osteoporosis"
    assert set(answer["models"]) == {"cnn", "vgg16", "resnet", "bone"}
    assert {vote["runtime"] for vote in answer["models"].values()} == {"litert-f32"}
    heavy, _, peak = done.stderr.splitlines()[-1].rpartition(" ")
    assert heavy == "[]"
    assert float(peak) < 700


@pytest.mark.parametrize("runtime", ["litert", "openvino"])
def test_the_shipped_ensemble_fits_a_small_machine(scan: Path, runtime: str) -> None:
    """Under 150 MB on disk and 700 MB of memory, everything that is served together."""
    done = predict(artifact.FOLDER, scan, scan, "--runtime", runtime, "--json")

    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        assert set(json.loads(line)["models"]) == set(BASES)
    peak = float(done.stderr.splitlines()[-1].rpartition(" ")[2])
    assert peak < 700
    served = [artifact.load(name, artifact.FOLDER) for name in artifact.served(artifact.FOLDER)]
    sizes = [path.stat().st_size for model in served for path in model.folder.iterdir()]
    assert sum(sizes) < 150e6


def test_each_bad_file_is_named_and_the_good_ones_are_judged(
    tiny_artifacts: Path, scan: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nno more")

    done = predict(tiny_artifacts, broken, scan, tmp_path / "missing.png", "--runtime", "litert")

    assert done.returncode == 1
    header, first, second, third, notice = done.stdout.splitlines()
    assert header.split()[:4] == ["file", "outcome", "probability", "band"]
    assert "error" in first
    assert "osteoporosis" in second
    assert "error" in third
    assert "Research use only" in notice


def test_maps_are_drawn_under_numbers(tiny_artifacts: Path, scan: Path, tmp_path: Path) -> None:
    done = predict(tiny_artifacts, scan, "--runtime", "litert", "--map", tmp_path / "maps")

    assert done.returncode == 0, done.stderr
    drawn = sorted(path.name for path in (tmp_path / "maps").iterdir())
    assert drawn == ["001-cnn.png", "001-resnet.png", "001-vgg16.png"]
    pixels = np.asarray(Image.open(tmp_path / "maps" / "001-cnn.png"))
    assert pixels.shape == (224, 224, 3)
    assert pixels[..., 0].astype(int).std() > 0
