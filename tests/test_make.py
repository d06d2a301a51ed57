"""What people pass to ``make`` comes whole to the programs that it calls."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")

PYTHON = """#!/usr/bin/env python3
import json, sys
print(json.dumps(sys.argv[1:]))
"""
GIVEN = [
    "/my scans",
    "/it's mine",
    'a "quoted" one',
    "/a$b/$(HOME)/${HOME}",
    "/semi;colon & more | > x",
    "/back\\slash",
    "/tick`id`",
    "plain",
]


def asked(tmp_path: Path, *arguments: str, **environment: str) -> list[str]:
    """Return the arguments with which ``make`` calls a Python that only says them."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "bin" / "python").write_text(PYTHON)
    (tmp_path / "bin" / "python").chmod(0o755)
    (tmp_path / ".ready").touch()
    places = [f"{name}={tmp_path}" for name in ("DEV", "FRONT", "RUNNERS", "TRAIN")]
    done = subprocess.run(
        ["make", "--silent", *places, *arguments],
        cwd=ROOT, check=True, capture_output=True, text=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nowhere", **environment},
    )  # fmt: skip
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("target", ["train", "train-quick", "evaluate", "verify"])
def test_a_folder_of_any_name(tmp_path: Path, target: str, given: str) -> None:
    said = asked(tmp_path, target, f"DATA={given}")
    assert said[said.index("--data") + 1] == given


def test_a_folder_that_the_environment_names(tmp_path: Path) -> None:
    said = asked(tmp_path, "train", DATA="/my scans")
    assert said[said.index("--data") + 1] == "/my scans"


@pytest.mark.parametrize("given", ["http://[::1]:8000/", "http://dxa.example/a b?c=d&e='f'"])
@pytest.mark.parametrize("target", ["load", "fuzz-http"])
def test_an_address(tmp_path: Path, target: str, given: str) -> None:
    said = asked(tmp_path, target, f"URL={given}")
    assert said[said.index("--url") + 1] == given


@pytest.mark.parametrize("target", ["train", "verify", "load"])
def test_nothing_given(tmp_path: Path, target: str) -> None:
    assert not {"--data", "--url"} & set(asked(tmp_path, target))


def test_evaluate_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        asked(tmp_path, "evaluate")
    assert "evaluate needs DATA=folder" in caught.value.stderr
