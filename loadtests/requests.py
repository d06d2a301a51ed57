"""The request of each row of the mix: path, headers and body, from an image or what is known."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from loadtests.answers import Verdict
from loadtests.images import Images, Upload
from loadtests.mix import RequestKind

Known = Mapping[str, Sequence[Any]]
"""``prediction``: pairs of id and models that voted; ``batch``: ids. Newest last."""


class Unanswerable(Exception):  # noqa: N818 - no error: the time has not come
    """Asks for something that nothing is known of yet."""


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    stream: bool = False

    def learnt(self, verdict: Verdict) -> dict[str, Any]:
        """Return what later requests may look at, by name."""
        found = verdict.found
        learnt = {"batch": found["batch"]} if "batch" in found else {}
        if found.get("mapped"):
            learnt["prediction"] = (found["id"], found["mapped"])
        return learnt


HTML: Final = {"Accept": "text/html"}
JSON: Final = {"Accept": "application/json", "Content-Type": "application/json"}
FACTS: Final = {
    "age": 71,
    "sex": "female",
    "menopause": "postmenopausal",
    "t_scores": {"lumbar_spine": -2.7},
    "egfr": 62,
    "drug": "none",
}
FORM: Final = {
    **{name: str(value) for name, value in FACTS.items() if name != "t_scores"},
    "t_scores.lumbar_spine": "-2.7",
}
"""The same person, entered into the page."""
_BOUNDARY: Final = "osteoserve-load-4f1d8a6c2e"


def request(kind: RequestKind, images: Images, known: Known) -> Request:
    """Return a request of ``kind``. Raises :class:`Unanswerable`."""
    if kind.slo in _PLAIN:
        return _PLAIN[kind.slo]
    if kind.slo in _LOOKING:
        return _LOOKING[kind.slo](known)
    return _SENDING[kind.slo]([images.take() for _ in range(kind.images)])


def _form(uploads: Sequence[Upload]) -> tuple[dict[str, str], bytes]:
    head = (
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="scan"\r\nContent-Type: '
    )
    parts = (f"{head}{one.media_type}\r\n\r\n".encode() + one.data + b"\r\n" for one in uploads)
    body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}, body


def _predict(uploads: Sequence[Upload]) -> Request:
    # As often as not a program sends the file itself, with nothing around it.
    if random.random() < 0.5:  # noqa: S311 - no secret
        headers, body = {"Content-Type": uploads[0].media_type}, uploads[0].data
    else:
        headers, body = _form(uploads)
    return Request("/api/v1/predictions", {"Accept": "application/json", **headers}, body)


def _batch(uploads: Sequence[Upload]) -> Request:
    headers, body = _form(uploads)
    # A stream is read as it comes, by nobody who could unpack it.
    headers = {"Accept-Encoding": "identity", **headers}
    return Request("/api/v1/batches", headers, body, stream=True)


def _page(path: str, uploads: Sequence[Upload]) -> Request:
    headers, body = _form(uploads)
    return Request(path, {**HTML, **headers}, body)


def _one(known: Known, kind: str) -> Any:
    if not known[kind]:
        raise Unanswerable(kind)
    # New results are looked at more often than old ones.
    return known[kind][max(0, len(known[kind]) - 1 - int(random.expovariate(1 / 20)))]


def _heat_map(known: Known) -> Request:
    id, models = _one(known, "prediction")
    model = random.choice(models)  # noqa: S311 - no secret
    return Request(f"/api/v1/predictions/{id}/maps/{model}", {"Accept": "image/png"})


def _result(path: str, accept: str) -> Callable[[Known], Request]:
    return lambda known: Request(path.format(id=_one(known, "prediction")[0]), {"Accept": accept})


def _progress(known: Known) -> Request:
    return Request(f"/api/v1/batches/{_one(known, 'batch')}", {"Accept": "application/json"})


_SENDING: Final[Mapping[str, Callable[[Sequence[Upload]], Request]]] = {
    "predict": _predict,
    "analyse": partial(_page, "/"),
    "batch": _batch,
    "batch-page": partial(_page, "/bulk"),
}
_LOOKING: Final[Mapping[str, Callable[[Known], Request]]] = {
    "prediction": _result("/api/v1/predictions/{id}", "application/json"),
    "result-page": _result("/results/{id}", "text/html"),
    "heat-map": _heat_map,
    "report": _result("/results/{id}/report.pdf", "application/pdf"),
    "batch-progress": _progress,
}
_PLAIN: Final[Mapping[str, Request]] = {
    "predictions": Request("/api/v1/predictions?limit=20", {"Accept": "application/json"}),
    "history-page": Request("/history", HTML),
    "front-page": Request("/", HTML),
    "faq-page": Request("/faq", HTML),
    "treatment-page": Request("/treatment", HTML),
    "treatment": Request(
        "/treatment",
        {**HTML, "Content-Type": "application/x-www-form-urlencoded"},
        urlencode(FORM).encode(),
    ),
    "considerations": Request("/api/v1/considerations", JSON, json.dumps(FACTS).encode()),
    "models-page": Request("/models", HTML),
}
