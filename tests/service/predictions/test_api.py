"""The contract of ``/api/v1/predictions``, over real connections from end to end."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import anyio
import numpy as np
import pytest
from PIL import Image

from models.image import recipe
from models.reading import read
from models.vertebrae.geometry import Spine
from models.vertebrae.nominal import nominal
from service.medicine import preparation
from service.predictions.answers import ANSWER_EXAMPLE
from service.predictions.schemas import EXAMPLE, Prediction
from service.types import BASES, RUNNER_OF, BaseName, RunnerName
from tests.models.reading.encodings import ENCODINGS, LOSSY
from tests.models.reading.files import grey_dicom
from tests.service.decoding import calls
from tests.service.kit import images
from tests.service.kit.fronts import API, Front, front, rows
from tests.service.kit.runners import (
    AUROC,
    MEASUREMENTS,
    PROBABILITY,
    Broken,
    Busy,
    Down,
    Foreign,
    Honest,
    Malformed,
    Runner,
    Slow,
    Voteless,
    running,
    version,
)
from tests.service.kit.shapes import assert_problem

pytestmark = pytest.mark.anyio


async def test_the_answer_has_exactly_the_agreed_fields(shared: Front, png: bytes) -> None:
    response = await shared.upload(png, "image/png")
    body = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"{API}/{body['id']}"
    assert response.headers["cache-control"] == "no-store"
    assert UUID(body["id"]).version == 4
    assert body["created_at"].endswith("Z")
    assert list(body) == list(ANSWER_EXAMPLE)
    assert body == body | {
        "outcome": "osteoporosis",
        "probability": 0.83,
        "threshold": 0.41,
        "band": [0.35, 0.48],
        "degraded": False,
        "missing": [],
        "quality": {"accepted": True, "reasons": [], "findings": []},
        "image": {
            "sha256": hashlib.sha256(png).hexdigest(),
            "format": "png",
            "width": images.WIDTH,
            "height": images.HEIGHT,
            "cropped": None,
        },
        "recipe": recipe.NAME,
        "version": version("stack"),
        "intended_use": "research",
    }
    assert body["models"]["cnn"] == {
        "probability": 0.79,
        "contribution": 0.61,
        "version": version("cnn"),
        "measurements": None,
    }
    assert body["models"]["bone"]["measurements"] == MEASUREMENTS
    assert list(body["models"]) == list(BASES)
    assert list(body["timings_ms"]) == list(EXAMPLE["timings_ms"])


def test_the_documented_example_is_an_answer() -> None:
    assert Prediction.model_validate(EXAMPLE).document() == EXAMPLE


async def test_it_can_be_read_again_word_for_word(shared: Front, png: bytes) -> None:
    created = await shared.post(png)
    again = await shared.client.get(created.headers["location"])
    assert again.status_code == 200
    assert again.content == created.content


async def test_what_contradicts_the_t_score_is_in_the_answer_and_kept_with_nothing(
    shared: Front, png: bytes
) -> None:
    created = await shared.post(png + b"contradicted")
    location = created.headers["location"]
    assert created.json()["conflicts"] == []
    for t_score, found in ((-1.3, True), (-2.7, False)):
        facts = {"t_score": t_score, "sex": "female", "age_years": 66}
        assert (await shared.client.put(f"{location}/study", json=facts)).status_code == 200
        body = (await shared.client.get(location, headers={"Accept-Language": "de"})).json()
        assert [one["code"] for one in body["conflicts"][:1]] == ["models_differ"] * found
        told = {name: it for name, it in body.items() if name != "conflicts"}
        assert told == {name: it for name, it in created.json().items() if name != "conflicts"}
        if found:
            assert body["conflicts"][0]["text"].startswith("The T-score and the models differ")
    (listed,) = (
        one
        for one in (await shared.client.get(API)).json()["items"]
        if one["id"] == created.json()["id"]
    )
    assert "conflicts" not in listed


async def test_the_image_is_kept_as_the_models_saw_it(shared: Front, png: bytes) -> None:
    created = await shared.post(png)
    response = await shared.client.get(created.headers["location"] + "/image")
    assert response.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as image:
        kept = np.asarray(image)
    np.testing.assert_array_equal(kept, images.canonical())
    for name in BASES:
        runner = shared.runners[RUNNER_OF[name]].runner
        assert isinstance(runner, Honest)
        assert np.array_equal(runner.calls[-1], [kept])


@pytest.mark.parametrize("name", ENCODINGS)
async def test_one_picture_in_any_format_reaches_the_models_alike(shared: Front, name: str) -> None:
    response = await shared.post(ENCODINGS[name](images.picture()))
    assert response.status_code == 201, response.text
    cnn = shared.runners["cnn"].runner
    assert isinstance(cnn, Honest)
    sent = cnn.calls[-1][0]
    difference = np.abs(sent.astype(int) - images.canonical().astype(int))
    assert difference.mean() <= (8 if name in LOSSY else 0.6)


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "application/octet-stream", None, "IMAGE/PNG; charset=binary"],
)
async def test_raw_body(shared: Front, png: bytes, content_type: str | None) -> None:
    assert (await shared.post(png, content_type)).status_code == 201


@pytest.mark.parametrize(
    ("image", "reason"),
    [(images.unusable, "wrong_shape"), (images.no_spine, "not_spine_dxa")],
)
async def test_an_unusable_image_is_a_result_without_a_number(
    shared: Front, image: Callable[[], bytes], reason: str
) -> None:
    before = shared.calls
    response = await shared.post(image())
    body = response.json()
    assert response.status_code == 201
    assert body["outcome"] == "refused"
    assert body["quality"] == {"accepted": False, "reasons": [reason], "findings": []}
    assert [body[key] for key in ("probability", "threshold", "band", "version")] == [None] * 4
    assert (body["models"], body["missing"], body["degraded"]) == ({}, [], False)
    assert shared.calls == before
    assert (await shared.client.get(response.headers["location"])).json() == body


async def test_the_image_is_kept_as_it_was_sent(shared: Front, png: bytes) -> None:
    for data in (png, images.no_spine()):
        created = await shared.post(data)
        kept = await shared.client.get(created.headers["location"] + "/sent-image")
        assert kept.headers["content-type"] == "image/png"
        assert kept.headers["cache-control"] == "no-store"
        with Image.open(io.BytesIO(kept.content)) as image, Image.open(io.BytesIO(data)) as sent:
            assert np.array_equal(np.asarray(image), np.asarray(sent))


async def test_no_image_is_kept_as_it_was_sent_where_that_is_not_wanted(
    var: Path, png: bytes
) -> None:
    async with running() as runners, front(var, runners, keep_images="none") as opened:
        place = (await opened.post(png)).headers["location"]
        assert_problem(await opened.client.get(place + "/sent-image"), "not_found")
        assert (await opened.client.get(place + "/image")).status_code == 200


async def test_vertebrae_are_told_in_pixels_of_the_image_as_sent(shared: Front, png: bytes) -> None:
    vertebrae = runner(shared, "vertebrae")
    body = (await shared.post(png)).json()
    assert np.array_equal(vertebrae.frames[-1], [recipe.frame(read(png))])
    found = body["vertebrae"]
    assert [one["level"] for one in found["levels"]] == ["L1", "L2", "L3", "L4"]
    assert (found["source"], found["version"]) == ("model", version("vertebrae"))
    assert (found["axis_tilt"], found["curve"], found["iliac_crests_visible"]) == (0, 0, None)
    spine = nominal().scaled(images.WIDTH / 224, images.HEIGHT / 224)
    for told, level in zip(found["levels"], spine.levels, strict=True):
        assert told["centre"] == pytest.approx(level.centre, abs=0.01)
        assert np.allclose(told["outline"], level.outline, atol=0.01)
        assert told["height"] == pytest.approx(30 * images.HEIGHT / 224, abs=0.01)
        assert told["height_mm"] is None
    # The canonical image's corner, in the file's pixels: here it is the whole image.
    (_, _, x), (_, _, y) = found["placement"]
    assert (x, y) == pytest.approx((0, 0), abs=1e-6)


async def test_a_believed_pixel_size_gives_millimetres(var: Path) -> None:
    async with running() as runners, front(var, runners) as opened:
        for spacing, height in (("0.6", 30 * images.HEIGHT / 224 * 0.6), ("1.9", None)):
            file = grey_dicom(images.picture(), PixelSpacing=[spacing] * 2)
            for level in (await opened.post(file)).json()["vertebrae"]["levels"]:
                assert level["height_mm"] == (height and pytest.approx(height, abs=0.01))


async def test_without_a_spine_it_is_refused_and_the_whole_image_is_kept(
    var: Path, png: bytes
) -> None:
    async with (
        running(Honest("vertebrae", spine=None)) as runners,
        front(var, runners) as opened,
    ):
        response = await opened.post(png)
        kept = await opened.client.get(response.headers["location"] + "/image")
    body = response.json()
    assert body["outcome"] == "refused"
    assert body["quality"]["reasons"] == ["vertebrae_not_found"]
    assert (body["vertebrae"], body["recipe"]) == (None, recipe.FRAME)
    with Image.open(io.BytesIO(kept.content)) as image:
        assert np.array_equal(np.asarray(image), recipe.frame(read(png)))


async def test_what_the_gate_says_comes_before_the_missing_spine(var: Path) -> None:
    async with (
        running(Honest("vertebrae", spine=None)) as runners,
        front(var, runners) as opened,
    ):
        body = (await opened.post(images.no_spine())).json()
    assert body["quality"]["reasons"] == ["not_spine_dxa", "vertebrae_not_found"]


@pytest.mark.parametrize(
    "silent",
    [
        Down("vertebrae"),
        Broken("vertebrae"),
        Malformed("vertebrae"),
        Slow("vertebrae"),
        Honest("vertebrae", recipe="x"),
    ],
    ids=lambda runner: type(runner).__name__,
)
async def test_without_outlines_there_is_no_scale_and_no_answer(
    var: Path, png: bytes, silent: Runner
) -> None:
    async with (
        running(silent) as runners,
        front(var, runners, deadline_seconds=2.0) as opened,
    ):
        response = await opened.post(png)
        assert_problem(response, "runners_unavailable")
        assert int(response.headers["retry-after"]) >= 1
        assert await rows(opened) == 0


async def test_without_bone_s_vote_the_answer_is_degraded(var: Path, png: bytes) -> None:
    async with running(Voteless("vertebrae")) as runners, front(var, runners) as opened:
        body = (await opened.post(png)).json()
        metric = "osteoserve_predictions_degraded_total"
        assert await opened.sample(metric, missing="bone") == 1
    assert (body["degraded"], body["missing"]) == (True, ["bone"])
    assert list(body["models"]) == ["cnn", "vgg16", "resnet"]
    assert len(body["vertebrae"]["levels"]) == 4


@pytest.mark.parametrize(
    ("probability", "spine", "outcome", "codes"),
    [
        pytest.param(0.1, nominal(), "normal", [], id="a clear view"),
        pytest.param(0.1, nominal(0.4), "indeterminate", ["levels_uncertain"] * 4, id="unsure"),
        pytest.param(
            0.1, Spine(nominal().levels[1:]), "indeterminate", ["levels_uncertain"], id="three"
        ),
        pytest.param(0.9, nominal(0.4), "osteoporosis", ["levels_uncertain"] * 4, id="never away"),
    ],
)
async def test_a_finding_that_questions_the_image_takes_reassurance_away(
    var: Path, png: bytes, probability: float, spine: Spine, outcome: str, codes: list[str]
) -> None:
    stack = Honest("stack")
    stack.probability = probability
    async with (
        running(stack, Honest("vertebrae", spine=spine)) as runners,
        front(var, runners) as opened,
    ):
        response = await opened.post(png)
        link = response.headers["location"].replace("/api/v1/predictions", "/results")
        page = (await opened.client.get(link)).text
    body = response.json()
    assert body["outcome"] == outcome
    codes_found = [one["code"] for one in body["vertebrae"]["findings"]]
    assert [code for code in codes_found if code == "levels_uncertain"] == codes
    assert ("puts in question" in page) is (outcome == "indeterminate")


@pytest.mark.parametrize("probability", [0.35, 0.44, 0.48])
async def test_inside_the_band_it_is_indeterminate(
    var: Path, png: bytes, probability: float
) -> None:
    stack = Honest("stack")
    stack.probability = probability
    async with running(stack) as runners, front(var, runners) as opened:
        assert (await opened.post(png)).json()["outcome"] == "indeterminate"


@pytest.mark.parametrize(
    "runner",
    [
        Down("cnn"),
        Broken("cnn"),
        Busy("cnn"),
        Malformed("cnn"),
        Slow("cnn"),
        Honest("cnn", recipe="x"),
    ],
    ids=lambda runner: type(runner).__name__,
)
async def test_a_failing_model_degrades_the_answer(var: Path, png: bytes, runner: Runner) -> None:
    async with (
        running(runner) as runners,
        # Seconds, so that a busy machine does not make the others late too.
        front(var, runners, deadline_seconds=4.0, stack_reserve_seconds=1.5) as opened,
    ):
        response = await opened.post(png)
        body = response.json()
        metric = "osteoserve_predictions_total"
        counted = await opened.sample(metric, outcome="osteoporosis", degraded="true")
    assert response.status_code == 201
    assert (body["degraded"], body["missing"]) == (True, ["cnn"])
    assert list(body["models"]) == ["vgg16", "resnet", "bone"]
    assert body["version"] == version("stack")
    assert body["timings_ms"]["total"] < 4000
    assert counted == 1


async def test_a_version_that_the_stack_does_not_know_is_missing_but_shown(
    var: Path, png: bytes
) -> None:
    async with running(Foreign("resnet")) as runners, front(var, runners) as opened:
        body = (await opened.post(png)).json()
    assert (body["degraded"], body["missing"]) == (True, ["resnet"])
    assert body["models"]["resnet"] == {
        "probability": 0.71,
        "contribution": None,
        "version": version("another"),
        "measurements": None,
    }


@pytest.mark.parametrize(
    ("failing", "speaker"),
    [
        pytest.param([Down("stack")], "vgg16", id="stack down"),
        pytest.param([Slow("stack")], "vgg16", id="stack slow"),
        pytest.param([Malformed("stack")], "vgg16", id="stack malformed"),
        pytest.param([Down("stack"), Down("vgg16")], "resnet", id="stack and best down"),
        pytest.param([Down("stack"), Down("vgg16"), Broken("resnet")], "bone", id="two left"),
        pytest.param(
            [Down("stack"), Down("vgg16"), Broken("resnet"), Voteless("vertebrae")],
            "cnn",
            id="all but one down",
        ),
    ],
)
async def test_without_the_stack_the_best_model_speaks_alone(
    var: Path, png: bytes, failing: list[Runner], speaker: BaseName
) -> None:
    own = Honest(RUNNER_OF[speaker], threshold=0.6, band=(0.55, 0.65))
    async with (
        running(*failing, own) as runners,
        front(var, runners, deadline_seconds=4.0) as opened,
    ):
        response = await opened.post(png)
    body = response.json()
    down = {name for name in BASES if RUNNER_OF[name] in {runner.name for runner in failing}}
    assert response.status_code == 201
    assert AUROC[speaker] == max(AUROC[name] for name in BASES if name not in down)
    assert body["probability"] == PROBABILITY[speaker]
    assert (body["threshold"], body["band"]) == (0.6, [0.55, 0.65])
    assert body["version"] == version(speaker)
    assert body["degraded"]
    assert body["missing"] == [*(name for name in BASES if name in down), "stack"]
    assert {vote["contribution"] for vote in body["models"].values()} == {None}


def runner(opened: Front, name: RunnerName) -> Honest:
    found = opened.runners[name].runner
    assert isinstance(found, Honest)
    return found


NETWORKS = ("cnn", "vgg16", "resnet")


@pytest.mark.parametrize("kind", [Down, Broken, Malformed])
async def test_without_any_model_there_is_no_answer(
    var: Path, png: bytes, kind: type[Runner]
) -> None:
    silent = [*(kind(name) for name in NETWORKS), Voteless("vertebrae")]
    async with running(*silent) as runners, front(var, runners) as opened:
        assert_problem(await opened.post(png), "runners_unavailable")
        assert opened.app.state.health.database.migrated
        assert await rows(opened) == 0


async def test_with_all_decoders_busy_it_says_so_in_time(
    var: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "frame", calls.for_ever)
    async with (
        running() as runners,
        front(var, runners, decoders=1, deadline_seconds=0.3) as opened,
    ):
        files = (png, png + b"another file", png + b"a third")
        for response in await asyncio.gather(*map(opened.post, files)):
            assert_problem(response, "overloaded")
        assert (
            await opened.sample("osteoserve_sheds_total", priority="person", reason="decoders") == 3
        )


async def test_a_file_that_takes_too_long_is_refused_and_the_next_is_answered(
    var: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running() as runners, front(var, runners, decoder_seconds=0.6) as opened:
        with monkeypatch.context() as patched:
            patched.setattr(preparation, "frame", calls.compute)
            problem = assert_problem(await opened.post(png), "too_expensive")
            assert "0.6 are allowed" in problem["detail"]
        assert (await opened.post(png)).status_code == 201
        ended = {"lane": "long", "reason": "time"}
        assert await opened.sample("osteoserve_decoders_ended_total", **ended) == 1
        assert await opened.sample("osteoserve_files_unreadable_total", code="too_expensive") == 1


async def test_a_file_that_takes_too_much_memory_is_not_called_damaged(
    var: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "frame", calls.everything)
    async with running() as runners, front(var, runners, decoder_bytes=100 * 2**20) as opened:
        problem = assert_problem(await opened.post(png), "too_expensive")
        assert "100 MiB are allowed" in problem["detail"]


async def test_every_request_is_answered_while_a_runner_restarts(var: Path, png: bytes) -> None:
    async with running() as runners, front(var, runners) as opened:
        answers: list[tuple[int, bool]] = []

        async def ask() -> None:
            response = await opened.post(png)
            answers.append((response.status_code, response.json()["degraded"]))

        async with anyio.create_task_group() as group:
            for number in range(30):
                group.start_soon(ask)
                await anyio.sleep(0.02)
                if number == 8:
                    await runners["resnet"].stop()
                if number == 20:
                    await runners["resnet"].start()
        final = (await opened.post(png)).json()
    assert [status for status, _ in answers] == [201] * 30
    assert {degraded for _, degraded in answers} == {True, False}
    assert not final["degraded"]


@pytest.mark.parametrize("path", ["", "/image", "/sent-image"])
@pytest.mark.parametrize("id", ["7f9c24e8-3b12-4c5d-9a77-2f1e0d6b8c43", "1", "..%20.."])
async def test_what_was_never_made_is_not_found(shared: Front, id: str, path: str) -> None:
    response = await shared.client.get(f"{API}/{id}{path}")
    assert_problem(response, "prediction_not_found")
