from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from loadtests.answers import QUESTIONING, Answer, judge
from models.vertebrae import findings
from service.predictions.schemas import EXAMPLE
from service.types import MAPPED

Document = dict[str, Any]


def predicted(document: Any, **headers: str) -> Answer:
    location = f"/api/v1/predictions/{EXAMPLE['id']}"
    return Answer(
        201,
        {"content-type": "application/json", "location": location, **headers},
        json.dumps(document).encode(),
    )


def refused() -> Document:
    return {
        **copy.deepcopy(EXAMPLE),
        "outcome": "refused",
        "probability": None,
        "threshold": None,
        "band": None,
        "models": {},
        "version": None,
        "quality": {"accepted": False, "reasons": ["upside_down"], "findings": []},
    }


def degraded() -> Document:
    document = copy.deepcopy(EXAMPLE)
    del document["models"]["cnn"]
    return {**document, "degraded": True, "missing": ["cnn"]}


def test_the_documented_answer_is_served() -> None:
    verdict = judge("predict", predicted(EXAMPLE))
    assert (verdict.kind, verdict.degraded, verdict.refused) == ("served", False, False)
    assert verdict.found == {"id": EXAMPLE["id"], "mapped": MAPPED}


def test_a_field_of_a_later_version_is_let_through() -> None:
    assert judge("predict", predicted({**EXAMPLE, "later": 1})).kind == "served"


def test_refused_is_an_answer() -> None:
    verdict = judge("predict", predicted(refused()))
    assert (verdict.kind, verdict.refused) == ("served", True)
    assert not verdict.found["mapped"]


def test_degraded_is_an_answer_and_flagged() -> None:
    verdict = judge("predict", predicted(degraded()))
    assert (verdict.kind, verdict.degraded) == ("served", True)


def without_stack() -> Document:
    return {**copy.deepcopy(EXAMPLE), "degraded": True, "missing": ["stack"]}


def test_without_the_stack_all_votes_are_there() -> None:
    assert judge("predict", predicted(without_stack())).degraded


def questioned(probability: float) -> Document:
    document = copy.deepcopy(EXAMPLE)
    document["vertebrae"]["findings"][0]["code"] = "part_missing"
    return {**document, "probability": probability, "outcome": "indeterminate"}


def test_a_finding_that_questions_the_image_takes_normal_away() -> None:
    assert QUESTIONING == findings.QUESTIONING
    assert judge("predict", predicted(questioned(0.1))).kind == "served"
    assert judge("predict", predicted(questioned(0.9))).kind == "wrong"


def test_what_was_judged_before_bone_did_is_read() -> None:
    document = {**copy.deepcopy(EXAMPLE), "vertebrae": None}
    del document["models"]["bone"]
    assert judge("predict", predicted(document)).kind == "served"


WRONG: dict[str, tuple[Callable[[], Document], Document]] = {
    "no such outcome": (lambda: EXAMPLE, {"outcome": "osteopenia"}),
    "probability where refused, or none where not": (lambda: EXAMPLE, {"probability": None}),
    "probability where refused, or none where not ": (refused, {"probability": 0.4}),
    "refused, but accepted by the gate": (refused, {"quality": EXAMPLE["quality"]}),
    "refused without a reason": (refused, {"quality": {"accepted": False, "reasons": []}}),
    "refused, but voted": (refused, {"models": EXAMPLE["models"]}),
    "degraded does not go with missing": (degraded, {"degraded": False}),
    "degraded does not go with missing ": (lambda: EXAMPLE, {"degraded": True}),
    "missing does not go with the votes": (degraded, {"missing": ["vgg16"]}),
    "not for research use": (lambda: EXAMPLE, {"intended_use": "clinical"}),
    "probability out of range": (lambda: EXAMPLE, {"probability": 1.2}),
    "threshold outside its band": (lambda: EXAMPLE, {"threshold": 0.6}),
    "outcome against probability and findings": (lambda: EXAMPLE, {"outcome": "normal"}),
    "outcome against probability and findings ": (lambda: EXAMPLE, {"outcome": "indeterminate"}),
    "outcome against probability and findings  ": (lambda: EXAMPLE, {"probability": 0.4}),
    "outcome against probability and findings   ": (lambda: questioned(0.1), {"outcome": "normal"}),
    "no version": (lambda: EXAMPLE, {"version": "latest"}),
    "id is no UUID": (lambda: EXAMPLE, {"id": "17"}),
    "image without a digest": (lambda: EXAMPLE, {"image": {"sha256": "?"}}),
    "cannot be read (TypeError)": (lambda: EXAMPLE, {"band": None}),
}


@pytest.mark.parametrize("says", WRONG)
def test_wrong(says: str) -> None:
    document, changed = WRONG[says]
    verdict = judge("predict", predicted({**document(), **changed}))
    assert (verdict.kind, verdict.fault) == ("wrong", says.strip())


def test_a_field_that_is_gone_is_wrong() -> None:
    for name in ("outcome", "probability", "degraded", "missing", "models", "quality", "version"):
        document = {key: value for key, value in EXAMPLE.items() if key != name}
        assert judge("predict", predicted(document)).kind == "wrong"


def test_what_is_wrong_quotes_nothing() -> None:
    verdict = judge("predict", predicted({**EXAMPLE, "threshold": "Jane Doe"}))
    assert "Jane" not in verdict.fault


def problem(status: int, code: str, **headers: str) -> Answer:
    return Answer(
        status,
        {"content-type": "application/problem+json", **headers},
        json.dumps({"code": code}).encode(),
    )


@pytest.mark.parametrize("status", [429, 503])
def test_turned_away_properly(status: int) -> None:
    verdict = judge("predict", problem(status, "overloaded", **{"retry-after": "3"}))
    assert (verdict.kind, verdict.fault) == ("shed", f"{status} overloaded")


@pytest.mark.parametrize("wait", [{}, {"retry-after": "0"}, {"retry-after": "soon"}])
def test_turned_away_without_saying_until_when(wait: dict[str, str]) -> None:
    verdict = judge("predict", problem(503, "overloaded", **wait))
    assert (verdict.kind, verdict.fault) == ("failed", "503 overloaded without Retry-After")


@pytest.mark.parametrize(
    ("answer", "kind", "fault"),
    [
        (problem(500, "internal_error"), "failed", "500 internal_error"),
        (problem(422, "corrupt_file"), "failed", "422 corrupt_file"),
        (Answer(502, {}, b"<html>bad gateway</html>"), "failed", "502"),
        (Answer(200, {}, b"{}"), "wrong", "200 instead of 201"),
        (Answer(201, {"content-type": "text/html"}, b"<html>"), "wrong", "not JSON"),
        (problem(500, "Jane Doe"), "failed", "500"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_other_statuses(answer: Answer, kind: str, fault: str) -> None:
    verdict = judge("predict", answer)
    assert (verdict.kind, verdict.fault) == (kind, fault)


def test_a_location_elsewhere_is_wrong() -> None:
    assert judge("predict", predicted(EXAMPLE, location="/elsewhere")).kind == "wrong"


def lines(*documents: Any) -> Answer:
    body = b"".join(json.dumps(one).encode() + b"\n" for one in documents)
    headers = {"content-type": "application/x-ndjson", "location": "/api/v1/batches/7"}
    return Answer(201, headers, body)


BATCH = {"state": "finished", "total": 2, "finished": 2, "remaining": []}


def test_a_batch_is_judged_line_by_line() -> None:
    one = {"prediction": EXAMPLE, "problem": None}
    assert judge("batch", lines(one, {"batch": BATCH})).found == {"batch": "7"}
    assert judge("batch", lines({**one, "prediction": degraded()}, {"batch": BATCH})).degraded
    bad = {**one, "prediction": {**EXAMPLE, "probability": 2}}
    assert judge("batch", lines(bad, {"batch": BATCH})).kind == "wrong"
    unread = {"prediction": None, "problem": {"status": 422}}
    assert judge("batch", lines(unread, {"batch": BATCH})).kind == "wrong"
    assert judge("batch", lines({"batch": {**BATCH, "total": 5}})).kind == "wrong"


def test_a_batch_that_was_left_early_is_judged_by_its_whole_lines() -> None:
    answer = lines({"prediction": EXAMPLE, "problem": None})
    cut = Answer(answer.status, answer.headers, answer.body + b'{"line": 2, "pred')
    assert judge("batch", cut).kind == "served"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<p>Research use only.</p></html>\n", "served"),
        (b"<p>Hello.</p></html>", "wrong"),
        (b"<p>Research use only.</p>", "wrong"),
    ],
    ids=["whole", "without its warning", "cut short"],
)
def test_pages(body: bytes, kind: str) -> None:
    answer = Answer(200, {"content-type": "text/html; charset=utf-8"}, body)
    assert judge("faq-page", answer).kind == kind


def test_pictures_and_sheets_by_their_first_bytes() -> None:
    png = Answer(200, {"content-type": "image/png"}, b"\x89PNG\r\n\x1a\n...")
    assert judge("heat-map", png).kind == "served"
    assert judge("report", png).kind == "wrong"
