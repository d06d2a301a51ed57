"""What is shown of the models: from artefacts as they are shipped, and with an evaluation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from lxml import html

from models import artifact
from models.artifact import ArtifactError
from models.evaluation.since import STROKES
from service.served_models import schemas as served
from service.served_models.contexts import SINCE
from service.served_models.schemas import PLOTS, lineup
from service.types import MODELS
from tests.service.kit import evaluations
from tests.service.kit.fronts import Front
from tests.service.kit.shapes import assert_error_page, assert_problem, assert_well_made

pytestmark = pytest.mark.anyio

API = "/api/v1/models"
PAGE = "/models"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OSTEOSERVE_ARTIFACTS", str(tmp_path))
    return tmp_path


async def test_what_is_shipped_can_be_shown(shared: Front) -> None:
    body = (await shared.client.get(API)).json()
    versions = artifact.served(artifact.FOLDER)
    assert {name: body["models"][name]["version"] for name in MODELS} == {
        name: versions[name] for name in MODELS
    }
    assert body["results"][evaluations.WHOLE]["metrics"]["auroc"]["value"] > 0.8
    page = html.fromstring((await shared.client.get(PAGE)).text)
    assert_well_made(page)
    for name in MODELS:
        assert versions[name] in page.text_content()
    for address in body["plots"]:
        assert (await shared.client.get(address)).status_code == 200
    assert "Limits" in page.text_content()


async def test_weights_need_not_be_there_to_be_told_of(shared: Front, root: Path) -> None:
    shutil.copytree(
        artifact.FOLDER, root, dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("*.safetensors", "*.tflite"),
    )  # fmt: skip
    body = (await shared.client.get(API)).json()
    versions = artifact.served(artifact.FOLDER)
    assert {name: one["version"] for name, one in body["models"].items()} == {
        name: versions[name] for name in MODELS
    }
    assert (await shared.client.get(body["plots"][0])).status_code == 200


async def test_the_page_tells_the_evaluation(shared: Front, root: Path) -> None:
    version = evaluations.write(root)
    body = (await shared.client.get(API)).json()
    response = await shared.client.get(PAGE)
    page = html.fromstring(response.text)
    assert_well_made(page)
    assert body["version"] == version
    assert body["source"] == "cross-validation"
    assert list(body["results"]) == list(evaluations.evaluation()["models"])
    (row,) = [
        " ".join(row.text_content().split())
        for row in page.xpath("//section[@aria-labelledby='figures']//tbody/tr")
        if "Stack, all models" in row.text_content()
    ]
    for figure in ("0.944", "0.894–0.994", "34.3 %", "21.5–42.3 %", "–"):
        assert figure in row
    text = " ".join(page.text_content().split())
    for fact in (
        "97 %", "81.0 % (76.0–86.0 %)", "Somebody, <2025>", "AUROC 1.000 and accuracy 99.3 %",
        "cannot be compared", "Phantoms, for a test.", "16 groups", "sex: M", "Not <b>bold</b>.",
    ):  # fmt: skip
        assert fact in text
    assert page.xpath("//b") == []
    confusion = page.xpath("//section[@aria-labelledby='confusion']//tbody/tr[1]/td/text()")
    assert confusion == ["29", "4", "10", "31"]
    classes = page.xpath("//section[@aria-labelledby='classes']//tbody/tr")
    assert [row.xpath("td/text()")[-1] for row in classes] == ["15 %", "–"]


async def test_plots_can_be_kept_and_do_nothing(shared: Front, root: Path) -> None:
    evaluations.write(root)
    page = html.fromstring((await shared.client.get(PAGE)).text)
    addresses = page.xpath("//figure/img/@src")
    assert len(addresses) == len(PLOTS)
    for address in addresses:
        response = await shared.client.get(address)
        assert response.content == evaluations.SVG
        assert response.headers["content-type"].startswith("image/svg+xml")
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in response.headers["content-security-policy"]
        bare = await shared.client.get(address.partition("?")[0])
        assert bare.headers["cache-control"] == "no-cache"
    for nowhere in ("card.md", "../manifest", "%2e%2e%2fcard", "secret"):
        assert_error_page(await shared.client.get(f"/models/plots/{nowhere}.svg"), "not_found")


async def test_another_version_is_seen_at_once(shared: Front, root: Path) -> None:
    first = evaluations.write(root)
    assert (await shared.client.get(API)).json()["version"] == first
    second = evaluations.write(root, source="held-out")
    body = (await shared.client.get(API)).json()
    assert body["version"] == second != first
    assert body["source"] == "held-out"


async def test_what_was_changed_is_not_shown(shared: Front, root: Path) -> None:
    evaluations.write(root)
    evaluations.change(root)
    body = assert_problem(await shared.client.get(API), "models_unreadable")
    assert "evaluation.json is missing or was changed" in body["detail"]
    assert str(root) not in body["detail"]
    assert_error_page(await shared.client.get(PAGE), "models_unreadable")
    assert_error_page(await shared.client.get("/models/plots/roc.svg"), "not_found")


async def test_where_no_artefacts_are(shared: Front, root: Path) -> None:
    body = assert_problem(await shared.client.get(API), "models_unreadable")
    assert "the artefacts folder" in body["detail"]


def test_a_format_that_is_not_known_is_said(root: Path) -> None:
    evaluations.write(root, format=2)
    with pytest.raises(ArtifactError, match="format 1: see format"):
        lineup()


def test_a_model_that_is_not_named_is_said(root: Path) -> None:
    version = evaluations.write(root)
    (root / artifact.SERVED).write_text(json.dumps({"stack": version}))
    with pytest.raises(ArtifactError, match="names no cnn, vgg16, resnet"):
        lineup()


def test_one_look_is_enough_for_one_version(root: Path) -> None:
    evaluations.write(root)
    assert lineup() is lineup()
    assert served.plot("roc") is served.plot("roc")


async def test_cross_validated_figures_are_told_as_what_they_are_of(
    shared: Front, root: Path
) -> None:
    """Versions of before strokes alone were hidden say so; one that was trained since does not."""
    shutil.copytree(artifact.FOLDER, root, dirs_exist_ok=True)
    body = (await shared.client.get(API)).json()
    assert body["since"] == STROKES == SINCE
    for name in ("cnn", "vgg16", "resnet", "bone", "stack"):
        assert STROKES in body["models"][name]["card"]
    assert STROKES in html.fromstring((await shared.client.get(PAGE)).text).text_content()
    german = await shared.client.get(PAGE, headers={"Accept-Language": "de"})
    assert "Kreuzvalidierte Werte sind von der Zeit" in german.text

    old = artifact.load("stack", root)
    (root / "stack" / old.version.removeprefix(artifact.PREFIX)[:12]).rename(root / "old")
    files = {name: (root / "old" / name).read_bytes() for name in old.manifest["files"]}
    newer = artifact.write(root, "stack", {**old.manifest, "origin": "trained since"}, files)
    artifact.serve(root, {"stack": newer.version})
    body = (await shared.client.get(API)).json()
    assert body["version"] == newer.version
    assert body["since"] is None
    assert STROKES not in body["models"]["stack"]["card"]
