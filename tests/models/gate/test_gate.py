from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models import artifact, dataset, phantom
from models.artifact import ArtifactError
from models.dataset import DatasetError
from models.gate import Gate, Limits, Lines, Reason, appearance, measurement, quality, verdict
from models.image import recipe
from models.image.scan import Scan
from models.phantom import HELD_OUT, Artefact
from models.reading import read
from models.training import gate as training
from models.training.gate import compositing, stranger
from models.training.gate.examples import turned_wrongly

SHARED = Path(__file__).parents[4] / "shared" / "data"

needs_scans = pytest.mark.skipif(
    not SHARED.is_dir(), reason="real scans are not distributed; ../shared/data is absent"
)


@pytest.fixture(scope="module")
def shipped() -> Gate:
    return Gate.from_artifact(artifact.load("gate", artifact.FOLDER))


@pytest.fixture(scope="module")
def spines() -> list[NDArray[np.uint8]]:
    return list(phantoms(40))


def phantoms(count: int, artefact: Artefact = Artefact.NONE) -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng([77, list(Artefact).index(artefact)])
    for _ in range(count):
        yield recipe.frame(phantom.draw(rng, nuisance=HELD_OUT, artefact=artefact).scan)


def real_scans() -> list[NDArray[np.uint8]]:
    return list(dataset.load(SHARED / "dxa_spine").images)


def test_spines_drawn_another_way_than_in_training_pass(
    shipped: Gate, spines: list[NDArray[np.uint8]]
) -> None:
    assert sum(not shipped.judge(image).reasons for image in spines) >= 38


@pytest.mark.parametrize("kind", stranger.INVENTIONS)
def test_what_is_no_radiograph_is_refused(shipped: Gate, kind: str) -> None:
    rng = np.random.default_rng(78)
    for _ in range(20):
        scan = Scan(stranger.INVENTIONS[kind](rng), 8, "png")
        assert "not_spine_dxa" in quality.assess(scan, recipe.frame(scan), shipped).reasons


def test_photographs_are_refused(shipped: Gate) -> None:
    """Real ones, which scikit-learn carries; none was trained on."""
    datasets = pytest.importorskip("sklearn.datasets")
    rng = np.random.default_rng(79)
    for photograph in datasets.load_sample_images().images:
        grey = np.asarray(Image.fromarray(photograph).convert("L"))
        for _ in range(10):
            top, left = rng.integers(0, 180), rng.integers(0, 300)
            scan = Scan(grey[top : top + 240, left : left + 320], 8, "jpeg")
            assert "not_spine_dxa" in shipped.judge(recipe.frame(scan)).reasons


@pytest.mark.parametrize("kind", ["inverted", "on its side", "on its other side"])
def test_a_spine_shown_wrongly_is_refused(
    shipped: Gate, spines: list[NDArray[np.uint8]], kind: str
) -> None:
    refused = [bool(shipped.judge(dict(turned_wrongly(image))[kind]).reasons) for image in spines]

    assert all(refused)


def test_most_spines_upside_down_are_called_that(
    shipped: Gate, spines: list[NDArray[np.uint8]]
) -> None:
    called = [Reason.UPSIDE_DOWN in shipped.judge(image[::-1]).reasons for image in spines]

    assert np.mean(called) >= 0.8


def test_a_report_sheet_around_a_spine_is_called_one(
    shipped: Gate, spines: list[NDArray[np.uint8]]
) -> None:
    rng = np.random.default_rng(80)
    for image in spines[:20]:
        sheet = Scan(stranger.sheet(image, rng), 8, "png")
        assert "burned_in_sheet" in quality.assess(sheet, recipe.frame(sheet), shipped).reasons


@pytest.mark.parametrize(
    ("artefact", "fault", "least"),
    [
        (Artefact.IMPLANT, Reason.IMPLANT, 0.7),
        (Artefact.OBESITY, Reason.OBESITY_NOISE, 0.8),
        (Artefact.SCAN_AREA, Reason.SCAN_AREA, 0.6),
    ],
)
def test_artefacts_of_held_out_phantoms_are_noticed(
    shipped: Gate, artefact: Artefact, fault: Reason, least: float
) -> None:
    verdicts = [shipped.judge(image) for image in phantoms(20, artefact)]

    assert np.mean([fault in v.reasons or fault in v.findings for v in verdicts]) >= least


def test_a_spine_at_the_side_of_the_field_is_refused_as_that(
    shipped: Gate, spines: list[NDArray[np.uint8]]
) -> None:
    rng = np.random.default_rng(81)
    shifted = [compositing.off_centre(image, rng, compositing.HELD_OUT) for image in spines[:20]]
    reasons = [shipped.judge(image).reasons for image in shifted]

    assert all(reasons)
    assert np.mean([Reason.OFF_CENTRE in found for found in reasons]) >= 0.75


@needs_scans
@pytest.mark.parametrize("kind", ["knee_xray", "pelvis_xray"])
def test_other_radiographs_are_refused(shipped: Gate, kind: str) -> None:
    paths = sorted((SHARED / "ood" / kind).iterdir())

    passed = [
        p.name for p in paths if not shipped.judge(recipe.frame(read(p.read_bytes()))).reasons
    ]

    assert len(passed) <= 0.05 * len(paths)


@needs_scans
def test_real_spines_pass(shipped: Gate) -> None:
    refused = [bool(shipped.judge(image).reasons) for image in real_scans()]

    assert sum(refused) <= training.REFUSED_TARGET * len(refused)


@needs_scans
def test_real_spines_upside_down_are_refused(shipped: Gate) -> None:
    refused = [bool(shipped.judge(image[::-1]).reasons) for image in real_scans()]

    assert np.mean(refused) >= 0.95


def test_the_manifest_tells_what_was_refused_of_each_kind() -> None:
    manifest = artifact.load("gate", artifact.FOLDER).manifest

    assert manifest["true_scans"]["refused"] <= training.REFUSED_TARGET
    assert manifest["refused"]["dxa"] == manifest["true_scans"]["refused"]
    assert manifest["refused"].keys() == manifest["data"]["counts"].keys()


def test_what_only_warns_has_no_limit_that_refuses(shipped: Gate) -> None:
    for fault, limits in shipped.limits.items():
        assert (limits.refuse is not None) == fault.refuses
        assert limits.refuse is None or limits.warn < limits.refuse


LIMITS = {
    Reason.NOT_SPINE_DXA: Limits(0.0, 1.0),
    Reason.IMPLANT: Limits(0.0, 1.0),
    Reason.SCAN_AREA: Limits(0.0, None),
}


@pytest.mark.parametrize(
    ("scores", "reasons", "findings"),
    [
        ((-1.0, -1.0, -1.0), (), ()),
        ((-1.0, 0.5, 9.0), (), (Reason.IMPLANT, Reason.SCAN_AREA)),
        ((0.5, 1.0, 0.0), (Reason.IMPLANT,), (Reason.NOT_SPINE_DXA, Reason.SCAN_AREA)),
        ((1.0, 9.0, 9.0), (Reason.NOT_SPINE_DXA,), ()),
    ],
    ids=["nothing", "suspicions", "implant refuses", "no spine, so no metal in it"],
)
def test_limits_decide(
    scores: tuple[float, ...], reasons: tuple[Reason, ...], findings: tuple[Reason, ...]
) -> None:
    found = verdict(dict(zip(LIMITS, scores, strict=True)), LIMITS, lambda: 9.0)

    assert (found.reasons, found.findings) == (reasons, findings)


@pytest.mark.parametrize(
    ("centred", "reasons"),
    [
        (0.5, (Reason.NOT_SPINE_DXA, Reason.OFF_CENTRE)),
        (1.5, (Reason.NOT_SPINE_DXA,)),
    ],
    ids=["a spine once centred", "none even then"],
)
def test_off_centre_is_said_of_spines_alone(centred: float, reasons: tuple[Reason, ...]) -> None:
    limits = {Reason.NOT_SPINE_DXA: Limits(0.0, 1.0), Reason.OFF_CENTRE: Limits(0.0, 1.0)}
    scores = dict.fromkeys(limits, 2.0)

    assert verdict(scores, limits, lambda: centred).reasons == reasons


def test_features_do_not_depend_on_the_window(spines: list[NDArray[np.uint8]]) -> None:
    faint = (spines[0] // 2 + 40).astype(np.uint8)

    change = np.abs(appearance.features(spines[0]) - appearance.features(faint))

    assert change.mean() < 0.02


def test_features_upside_down_are_the_features_of_the_image_upside_down(
    spines: list[NDArray[np.uint8]],
) -> None:
    straight = appearance.features(spines[0])
    turned = appearance.features(spines[0][::-1])

    np.testing.assert_allclose(appearance.turned(straight), turned, atol=1e-5)
    assert np.abs(straight - turned).max() > 0.1


@pytest.mark.parametrize("level", [0, 128, 255])
def test_features_of_a_flat_image_are_finite(shipped: Gate, level: int) -> None:
    flat = np.full((224, 224), level, np.uint8)

    assert np.isfinite(appearance.features(flat)).all()
    assert np.isfinite(measurement.vector(flat)).all()
    assert shipped.judge(flat).reasons


def test_a_gate_trained_on_other_measurements_is_not_loaded(shipped: Gate) -> None:
    from safetensors.numpy import load, save  # noqa: PLC0415 - this test alone looks inside

    tensors = load(shipped.lines.encode())
    tensors["names"] = np.frombuffer(b"width\nheight", np.uint8)

    with pytest.raises(ArtifactError, match="other measurements"):
        Lines.decode(save(tensors))


def test_lines_come_back_as_they_were_stored(shipped: Gate) -> None:
    again = replace(shipped, lines=Lines.decode(shipped.lines.encode()))
    image = next(phantoms(1))

    assert again.scores(image) == shipped.scores(image)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Phantoms in place of scans, and waves in place of other radiographs."""
    root = tmp_path_factory.mktemp("gate")
    phantom.write(root / "spines", 9, 5)
    rng = np.random.default_rng(6)
    (root / "others" / "scenes").mkdir(parents=True)
    for number in range(6):
        drawn = Image.fromarray(stranger.scene(rng))
        drawn.save(root / "others" / "scenes" / f"{number}.png")
    return root / "spines", root / "others"


SMALL = training.Amount(views=1, phantoms=5, spoilt=5, invented=5)


def test_one_seed_gives_one_gate(folders: tuple[Path, Path], tmp_path: Path) -> None:
    data = dataset.load(folders[0])
    first, again = (
        training.train(data, folders[1], tmp_path / name, 3, "Phantoms.", SMALL)
        for name in ("first", "again")
    )

    assert first.version == again.version
    assert Gate.from_artifact(again).limits.keys() == set(first.manifest["true_scans"]["findings"])


def test_without_other_images_there_is_no_training(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="no images below"):
        training.train(dataset.load(folders[0]), tmp_path, tmp_path, 3, "Phantoms.", SMALL)
