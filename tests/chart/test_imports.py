"""Whatever runs inside an image imports what is there: its lock's packages, and copied folders."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from k8s import helm
from tests.chart.conftest import LOADED, SCENARIOS, Object, rendered, scenario
from tests.chart.contents import EDGE, FRONT, LOADTESTS, RUNNER, RUNNER_GPU, Image, imported

CLUSTER = helm.ROOT / "tests" / "cluster"
RUNNERS = sorted(path.parent.name for path in helm.ROOT.glob("bentos/*/service.py"))
IMAGES = {"front": FRONT, "loadtests": LOADTESTS, **dict.fromkeys(RUNNERS, RUNNER)}

SERVICE = [
    "service.__main__",
    "service.gateway",
    "service.decoding.__main__",
    "service.storage.migrations.env",
]
BENTOS = ["bentos.__main__", *(f"bentos.{name}.service" for name in RUNNERS)]
PROCESSES = [
    (FRONT, SERVICE),
    (RUNNER, BENTOS),
    (RUNNER_GPU, BENTOS),
    (
        EDGE,
        [
            "service.__main__",
            "service.edge.app",
            "service.decoding.__main__",
            "service.storage.migrations.env",
        ],
    ),
    (LOADTESTS, ["loadtests.__main__", "loadtests.locustfile"]),
]
EVERY = pytest.mark.parametrize(
    ("image", "modules"), PROCESSES, ids=[image.lock for image, _ in PROCESSES]
)

NOT_ASKED_FOR = {
    # Of `make run`; without it `python -m service run` says so.
    "front": {"service.local", "service.local.supervisor", "service.edge", "service.edge.app"},
    # It computes by LiteRT, without what explains forests.
    "edge": {
        "service.local",
        "service.local.supervisor",
        "keras",
        "openvino",
        "tensorflow",
        "shap",
    },
    # A network without a GPU is in a form that needs no TensorFlow.
    "runners": {"keras", "tensorflow"},
    "runners-gpu": set(),
    "loadtests": set(),
}
"""What functions would import that nobody calls in this image."""


def importing(modules: list[str]) -> str:
    return "\n".join(f"import {name}" for name in modules)


@EVERY
def test_a_process_has_what_it_starts_with(image: Image, modules: list[str]) -> None:
    assert len(image.files) > 100
    assert image.missing(importing(modules), later=False) == {}


@EVERY
def test_a_process_has_what_it_asks_for_later(image: Image, modules: list[str]) -> None:
    assert set(image.missing(importing(modules))) == NOT_ASKED_FOR[image.lock]


def test_the_front_s_folders_alone_serve_and_say_why_they_do_not_run(tmp_path: Path) -> None:
    for name in FRONT.files:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(helm.ROOT / name, target)

    def service(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "service", *arguments], check=False, cwd=tmp_path,
            capture_output=True, text=True, env={**os.environ, "OSTEOSERVE_VAR": "var"},
        )  # fmt: skip

    told = service("settings")
    assert told.returncode == 0, told.stderr
    assert "OSTEOSERVE_DATABASE_URL" in told.stdout
    refused = service("run")
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert line.endswith("which this image has not: use serve")
    refused = service("edge")
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert line.endswith("the edge's image has it (docs/edge.md)")


def test_the_cluster_s_client_runs_in_the_front_s_image() -> None:
    assert FRONT.missing((CLUSTER / "client.py").read_text("utf-8")) == {}


def pieces(path: Path) -> list[str]:
    """Return the texts in a module that are Python and import something."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "0" for one in node.values]
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        if any(isinstance(one, ast.Import | ast.ImportFrom) for one in ast.walk(tree)):
            found.append(text)
    return found


def test_code_that_cluster_tests_send_into_pods_runs_in_every_image() -> None:
    sent = [text for path in sorted(CLUSTER.glob("*.py")) for text in pieces(path)]
    assert len(sent) >= 5
    for text in sent:
        for image in (FRONT, RUNNER, LOADTESTS):
            assert image.missing(text) == {}, text


def containers(objects: tuple[Object, ...]) -> list[Any]:
    found: list[Any] = []

    def look(node: Any) -> None:
        if isinstance(node, dict):
            for key, child in node.items():
                if key in ("containers", "initContainers"):
                    found.extend(child)
                else:
                    look(child)
        elif isinstance(node, list):
            for child in node:
                look(child)

    look(list(objects))
    return found


def image_of(container: Any) -> str:
    name: str = container["image"].rpartition("/")[2].partition("@")[0].partition(":")[0]
    return name.removesuffix("-gpu")


@pytest.mark.parametrize("name", SCENARIOS)
def test_scripts_in_the_chart_run_in_the_image_that_they_are_given(name: str) -> None:
    scripts = 0
    for one in containers(scenario(name)):
        if "command" in one:
            assert one["command"] == ["python", "-c"], "another kind of script: look into it, too"
            assert IMAGES[image_of(one)].missing(one["args"][0]) == {}
            scripts += 1
        for hook in one.get("lifecycle", {}).values():
            assert "exec" not in hook, "a command of a hook: look into it, too"
    assert scripts == 1


def test_what_the_chart_starts_without_a_script_is_a_process_of_its_image() -> None:
    """Entry points: their modules are those that are looked at above."""
    objects = (*scenario("everything"), *rendered(*LOADED))
    started = {
        (image_of(one), one["args"][0]) for one in containers(objects) if "command" not in one
    }
    assert started == {
        ("front", "serve"), ("front", "migrate"), ("front", "gateway"), ("front", "retention"),
        ("loadtests", "run"),
        *((name, name) for name in RUNNERS),
    }  # fmt: skip
    entry = {"front": "service", "edge": "service", "runner": "bentos", "loadtests": "loadtests"}
    for image, modules in PROCESSES:
        text = (helm.ROOT / f"k8s/images/{image.name}.Dockerfile").read_text("utf-8")
        assert f'ENTRYPOINT ["python", "-m", "{entry[image.name]}"]' in text
        assert modules[0] == f"{entry[image.name]}.__main__"


def test_what_strips_an_environment_needs_none() -> None:
    code = (helm.ROOT / "k8s" / "strip.py").read_text("utf-8")
    assert imported(code) <= sys.stdlib_module_names


def test_a_module_that_is_left_out_is_missed() -> None:
    """The check itself: by package, by folder and by what was dropped from a lock."""
    assert FRONT.missing("import httpx") == {"httpx": ""}
    assert FRONT.missing("from models.training import trainer") != {}
    assert "models.dataset.folds" in FRONT.missing("def f():\n    from models.dataset import folds")
    assert FRONT.missing("def f():\n    import httpx", later=False) == {}
    assert "bentos.wire" in FRONT.missing("x = 'bentos.wire'")
    assert FRONT.missing("import json, numpy, PIL, service.settings") == {}
