"""What the code cites is there to be read: sections of docs/domain.md, documents, folders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("models", "bentos", "listener", "service", "telemetry", "k8s", "loadtests", "tests")
DOMAIN = (ROOT / "docs/domain.md").read_text()
SECTIONS = set(re.findall(r"^#+ §([\d.]+)", DOMAIN, re.MULTILINE))


def cited() -> Iterator[tuple[str, str]]:
    """Yield each file with a section of docs/domain.md that it cites."""
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = " ".join(path.read_text().split())
            for section in re.findall(r"domain\.md §([\d.]*\d)", text):
                yield path.relative_to(ROOT).as_posix(), section


CITED = sorted(set(cited()))


@pytest.mark.parametrize(("file", "section"), CITED)
def test_a_section_that_is_cited_exists(file: str, section: str) -> None:
    assert section in SECTIONS, f"{file} cites domain.md §{section}"


def test_sections_are_cited() -> None:
    assert len(CITED) > 10


@pytest.mark.parametrize("document", ["docs/domain.md", "docs/architecture.md"])
def test_what_a_document_points_at_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    paths = re.findall(r"`([\w./-]+/[\w./-]*)`", text)
    assert paths
    made = ("var/",)  # by what runs, not by us
    missing = [path for path in paths if path not in made and not (ROOT / path).exists()]
    assert missing == []


def test_no_page_is_cited_that_is_not_here() -> None:
    """Documents are named in capitals, as README.md; whoever has the code alone must find them."""
    here = {path.name for path in ROOT.glob("*.md")} | {"README.md"}
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            named = set(re.findall(r"\b([A-Z]{4,}\.md)\b", path.read_text()))
            assert named <= here, path
