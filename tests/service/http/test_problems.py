from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.requests import Request

from models.image.errors import ScanError
from service.http.problem_types import KINDS
from service.http.problems import translate, wants_page
from service.medicine.osteoporosis.pipeline import AnalysisError


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


@pytest.mark.parametrize("kind", [ScanError, *subclasses(ScanError)], ids=lambda k: k.__name__)
def test_every_way_a_file_is_unreadable_has_a_client_status(kind: type[ScanError]) -> None:
    problem = translate(kind("what was wrong"))
    assert problem.kind.status in (413, 415, 422)
    assert problem.document("/x")["detail"] == "what was wrong"


@pytest.mark.parametrize("kind", list(subclasses(AnalysisError)), ids=lambda k: k.__name__)
def test_every_failure_to_analyse_says_when_to_come_back(kind: type[AnalysisError]) -> None:
    problem = translate(kind("sorry", 1.2))
    assert problem.kind.status == 503
    assert problem.headers["Retry-After"] == "2"


def test_the_text_of_a_bug_is_not_told() -> None:
    problem = translate(RuntimeError("PatientName DOE^JANE"))
    assert problem.code == "internal_error"
    assert "DOE" not in str(problem.document("/x"))


@pytest.mark.parametrize("code", list(KINDS))
def test_the_table_is_complete(code: str) -> None:
    assert code.islower()
    assert code.isidentifier()
    assert 400 <= KINDS[code].status < 600
    assert KINDS[code].title
    assert KINDS[code].help.endswith(".")


@pytest.mark.parametrize(
    ("path", "accept", "page"),
    [
        ("/", "text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("/", "*/*", True),
        ("/", "", True),
        ("/", "application/json", False),
        ("/", "application/problem+json", False),
        ("/", "text/html, application/json", True),
        ("/api/v1/predictions", "text/html", False),
        ("/health/ready", "text/html", False),
        ("/metrics", "text/html", False),
    ],
)
def test_page_or_json(path: str, accept: str, page: bool) -> None:
    scope = {
        "type": "http",
        "path": path,
        "method": "GET",
        "query_string": b"",
        "headers": [(b"accept", accept.encode()), (b"host", b"x")],
    }
    assert wants_page(Request(scope)) is page
