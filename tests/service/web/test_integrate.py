"""The program in the article on integration, run as it stands there against a real front."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.web.articles import CONTENT
from tests.service.kit import images
from tests.service.kit.accounts import key, person
from tests.service.kit.fronts import Front, front
from tests.service.kit.runners import Down, running

pytestmark = pytest.mark.anyio

ARTICLE = (CONTENT / "en" / "integrate.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", ARTICLE, re.DOTALL)


async def run(program: list[str], opened: Front, folder: Path) -> tuple[int, str, str]:
    url = str(opened.client.base_url).rstrip("/")
    process = await asyncio.create_subprocess_exec(
        *program,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "OSTEOSERVE_URL": url,
            "OSTEOSERVE_KEY": await key(opened, "integrator"),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def judged(opened: Front, image: bytes, folder: Path) -> tuple[int, str, str]:
    (program,) = blocks("python")
    (folder / "client.py").write_text(program)
    (folder / "scan.png").write_bytes(image)
    return await run([sys.executable, "client.py", "scan.png"], opened, folder)


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A front that asks for a key."""
    async with (
        running() as runners,
        front(tmp_path_factory.mktemp("var"), runners, auth="local") as opened,
    ):
        yield opened


async def test_the_program_judges_an_image(guarded: Front, png: bytes, tmp_path: Path) -> None:
    code, out, err = await judged(guarded, png, tmp_path)
    assert (code, err) == (0, "")
    first, link = out.splitlines()
    assert first == "osteoporosis 0.83 complete"
    async with person(guarded, "reader", "viewer") as reader:
        assert (await reader.client.get(link)).status_code == 200


async def test_the_program_tells_a_refusal(shared: Front, tmp_path: Path) -> None:
    code, out, _ = await judged(shared, images.unusable(), tmp_path)
    assert code == 0
    assert out.startswith("not judged: ")
    assert "wrong_shape" in out


async def test_the_program_ends_with_the_code_of_an_error(shared: Front, tmp_path: Path) -> None:
    code, out, err = await judged(shared, b"no image", tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith("unsupported_format: ")


async def test_the_program_tries_again_and_gives_up(var: Path, png: bytes, tmp_path: Path) -> None:
    downs = [Down("cnn"), Down("vgg16"), Down("resnet"), Down("vertebrae")]
    async with running(*downs) as runners, front(var, runners) as opened:
        code, _, err = await judged(opened, png, tmp_path)
        tried = await opened.sample(
            "osteoserve_http_requests_total",
            method="POST",
            route="/api/v1/predictions",
            status="503",
        )
    assert code == 1
    assert err.startswith("runners_unavailable: ")
    assert tried == 3


async def test_the_commands_work(guarded: Front, png: bytes, tmp_path: Path) -> None:
    (tmp_path / "scan.dcm").write_bytes(png)
    url = str(guarded.client.base_url).rstrip("/")
    shown = await key(guarded, "integrator")
    answers = []
    for command in blocks("sh"):
        here = command.replace("http://127.0.0.1:8000", url).replace("$OSTEOSERVE_KEY", shown)
        program = shlex.split(here.replace("\\\n", " "))
        code, out, err = await run(["curl", "-sf", *program[1:]], guarded, tmp_path)
        assert code == 0, err
        answers.append(out)
    assert '"outcome":"osteoporosis"' in answers[0].replace(" ", "")
    assert '"considerations":' in answers[1]
