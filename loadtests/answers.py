"""Is an answer right? What status and content of every endpoint must be, without any client.

Fields that are not known here are let through: later versions add some. An answer is *served*,
*shed* (429 or 503 that says when to come back), *failed* (5xx, none, or a 4xx to what was sent
rightly), or *wrong*: answered as if all were well, with content that cannot be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal

from models.types import BASES, MAPPED

Kind = Literal["served", "shed", "failed", "wrong"]
OUTCOMES: Final = frozenset({"osteoporosis", "normal", "indeterminate", "refused"})
QUESTIONING: Final = frozenset({
    "part_missing", "levels_uncertain", "turned", "foreign_object",
    "scan_area", "for_processing", "objects_not_removed",
})  # fmt: skip
"""Findings with which an image is not called normal; a test holds them to the models' own."""
_VERSION: Final = re.compile(r"sha256:[0-9a-f]{8,64}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class WrongAnswerError(Exception):
    """The content cannot be; the message says what of it, and quotes nothing of it."""


@dataclass(frozen=True)
class Answer:
    """What came back. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Verdict:
    """``fault`` says what was wrong, from few and fixed words. ``found`` is for later requests."""

    kind: Kind
    fault: str = ""
    degraded: bool = False
    refused: bool = False
    found: Mapping[str, Any] = field(default_factory=dict)


Check = Callable[[Answer], Verdict | None]
"""Raises for a wrong answer; returns nothing of one that is only served."""


def judge(name: str, answer: Answer) -> Verdict:
    """Judge the answer to a request of this kind."""
    status, check = EXPECTED[name]
    if answer.status == status:
        return _content(answer, check)
    if answer.status < 400:
        return Verdict("wrong", f"{answer.status} instead of {status}")
    if answer.status not in (429, 503):
        return Verdict("failed", _code(answer))
    wait = answer.headers.get("retry-after", "")
    if wait.isdecimal() and int(wait) >= 1:
        return Verdict("shed", _code(answer))
    return Verdict("failed", f"{_code(answer)} without Retry-After")


def _content(answer: Answer, check: Check) -> Verdict:
    try:
        return check(answer) or Verdict("served")
    except WrongAnswerError as error:
        return Verdict("wrong", str(error))
    except (KeyError, TypeError, ValueError) as error:
        # Its message would quote the answer.
        return Verdict("wrong", f"cannot be read ({type(error).__name__})")


def _code(answer: Answer) -> str:
    """Return the status, with the problem's stable code where there is one."""
    try:
        code = json.loads(answer.body)["code"]
    except (ValueError, KeyError, TypeError):
        return str(answer.status)
    known = isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code)
    return f"{answer.status} {code}" if known else str(answer.status)


def prediction(document: Any) -> Verdict:
    """Judge one prediction. Raises :class:`WrongAnswerError`, KeyError, TypeError or ValueError."""
    outcome, probability = document["outcome"], document["probability"]
    votes, missing = document["models"], document["missing"]
    degraded = document["degraded"]
    refused = outcome == "refused"
    _true(outcome in OUTCOMES, "no such outcome")
    _true(bool(_UUID.fullmatch(document["id"])), "id is no UUID")
    _true((probability is None) == refused, "probability where refused, or none where not")
    _true(document["quality"]["accepted"] is not refused, "refused, but accepted by the gate")
    _true(not refused or bool(document["quality"]["reasons"]), "refused without a reason")
    _true(degraded is bool(missing), "degraded does not go with missing")
    _true(document["intended_use"] == "research", "not for research use")
    _true(bool(_DIGEST.fullmatch(document["image"]["sha256"])), "image without a digest")
    if refused:
        _true(not votes and document["version"] is None, "refused, but voted")
    else:
        _true(0 <= probability <= 1, "probability out of range")
        low, high = document["band"]
        _true(0 <= low <= document["threshold"] <= high <= 1, "threshold outside its band")
        _true(outcome == _decided(document), "outcome against probability and findings")
        _true(bool(_VERSION.fullmatch(document["version"])), "no version")
        # Results of before vertebrae were found are still read.
        bases = {*BASES} if document.get("vertebrae") else {*BASES} - {"bone"}
        _true(bool(votes) and set(votes) <= bases, "no votes, or of no model")
        _true(bases - set(votes) == set(missing) - {"stack"}, "missing does not go with the votes")
        for vote in votes.values():
            _true(0 <= vote["probability"] <= 1, "vote out of range")
            _true(bool(_VERSION.fullmatch(vote["version"])), "vote without a version")
    found = {"id": document["id"], "mapped": tuple(name for name in MAPPED if name in votes)}
    return Verdict("served", degraded=degraded, refused=refused, found=found)


def _decided(document: Any) -> str:
    """Return the outcome that goes with what a prediction holds."""
    probability, (low, high) = document["probability"], document["band"]
    if low <= probability <= high:
        return "indeterminate"
    if probability >= document["threshold"]:
        return "osteoporosis"
    found = (document.get("vertebrae") or {}).get("findings", ())
    codes = {*(one["code"] for one in found), *document["quality"]["findings"]}
    questioned = bool(QUESTIONING & codes)
    return "indeterminate" if questioned else "normal"


def _predicted(answer: Answer) -> Verdict:
    document = _json(answer)
    verdict, place = prediction(document), f"/api/v1/predictions/{document['id']}"
    _true(answer.headers.get("location") == place, "Location is not where it lies")
    return verdict


def _read(answer: Answer) -> None:
    # Old ones may be degraded: that says nothing of now.
    prediction(_json(answer))


def _listed(answer: Answer) -> None:
    document = _json(answer)
    _true(isinstance(document["items"], list) and "next" in document, "no list")
    for item in document["items"]:
        prediction(item)


def _batch(answer: Answer) -> Verdict:
    """The lines of a batch, as many as came before the sender went away."""
    _true(answer.media_type == "application/x-ndjson", "not NDJSON")
    batch, degraded = _sent_to("/api/v1/batches/", answer), False
    whole, _, _ = answer.body.rpartition(b"\n")
    for document in map(json.loads, whole.splitlines()):
        if (one := document.get("prediction")) is not None:
            degraded = prediction(one).degraded or degraded
        elif (problem := document.get("problem")) is not None:
            _true(problem["status"] in (429, 503), "an image of a batch was not read")
        else:
            _progress(document["batch"])
    return Verdict("served", degraded=degraded, found={"batch": batch})


def _progress(document: Any) -> None:
    _true(document["state"] in ("running", "finished", "cancelled", "interrupted"), "no such state")
    total = document["finished"] + len(document["remaining"])
    _true(total == document["total"], "finished and remaining do not make the total")


def _batch_page(answer: Answer) -> Verdict:
    return Verdict("served", found={"batch": _sent_to("/bulk/", answer)})


def _page(answer: Answer) -> None:
    _true(answer.media_type == "text/html", "not HTML")
    _true(b"esearch use only" in answer.body, "a page without its warning")
    _true(answer.body.rstrip().endswith(b"</html>"), "a page that is cut short")


def _analysed(answer: Answer) -> None:
    _sent_to("/results/", answer)


def _sent_to(folder: str, answer: Answer) -> str:
    """Return the last part of the address that the answer leads to, which lies in ``folder``."""
    location = answer.headers.get("location", "")
    _true(location.startswith(folder), "no Location")
    return location.rpartition("/")[2]


def _signed(answer: Answer, magic: bytes, media_type: str) -> None:
    _true(answer.media_type == media_type, f"not {media_type}")
    _true(answer.body.startswith(magic), f"not {media_type} inside")


def _json(answer: Answer) -> Any:
    _true(answer.media_type == "application/json", "not JSON")
    return json.loads(answer.body)


def _true(fact: bool, otherwise: str) -> None:
    if not fact:
        raise WrongAnswerError(otherwise)


_PNG: Final = partial(_signed, magic=b"\x89PNG\r\n\x1a\n", media_type="image/png")
_PDF: Final = partial(_signed, magic=b"%PDF-", media_type="application/pdf")
_PAGES: Final = (
    *("result-page", "history-page", "front-page", "faq-page", "models-page"),
    *("treatment-page", "treatment"),
)
EXPECTED: Final[Mapping[str, tuple[int, Check]]] = {
    **dict.fromkeys(_PAGES, (200, _page)),
    "predict": (201, _predicted),
    "analyse": (303, _analysed),
    "prediction": (200, _read),
    "heat-map": (200, _PNG),
    "report": (200, _PDF),
    "predictions": (200, _listed),
    "batch": (201, _batch),
    "batch-page": (303, _batch_page),
    "batch-progress": (200, lambda answer: _progress(_json(answer))),
    "considerations": (
        200,
        lambda answer: _true(bool(_json(answer)["considerations"]), "nothing to consider"),
    ),
}
"""Status and check of each endpoint of the mix."""
