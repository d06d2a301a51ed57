"""Every row of the documents of duties cites tests that are there, or says that it is not met."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("docs/asvs.md", "docs/hipaa-gdpr.md")


def rows(document: str) -> list[list[str]]:
    """Return the cells of each row of a document's tables, without heads."""
    lines = (ROOT / document).read_text("utf-8").splitlines()
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| ")
    ]
    return [row for row in found if row[-1] != "tests"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_is_cited_exists(document: str) -> None:
    cited = {path for row in rows(document) for path in re.findall(r"`(tests/[^`]+)`", row[-1])}
    assert len(cited) > 15
    assert sorted(path for path in cited if not (ROOT / path).is_file()) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_row_cites_tests_or_says_that_it_is_not_met(document: str) -> None:
    found = rows(document)
    assert len(found) > 20
    for row in found:
        assert "`tests/" in row[-1] or "**not met**" in " ".join(row), row


def test_no_requirement_stands_twice() -> None:
    named = [one for row in rows("docs/asvs.md") for one in re.findall(r"\d+\.\d+\.\d+", row[0])]
    assert len(named) == len(set(named))
    assert len(named) > 80
