from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from lxml import html

from service.language.locale import languages
from service.medicine.vertebrae.view import SENTENCES
from service.predictions.contexts import REASONS
from service.web import articles as content
from service.web.articles import CONTENT, ContentError

HEAD = """+++
title = "T"
owner = "o"
written = 2026-01-02
review_due = 2026-07-02
reviewed_by = "nobody"
+++
"""


@pytest.mark.parametrize(
    "path", sorted(CONTENT.glob("*/*.md")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_article_says_who_owns_it_and_until_when(path: Path) -> None:
    article = content.load(path.stem, path.parent.name)
    review = article.review

    assert article.language == path.parent.name
    assert review.owner
    assert review.reviewed_by
    assert review.written < review.review_due
    assert review.review_due - review.written <= datetime.timedelta(days=366)
    assert not review.expired(review.review_due)
    assert review.expired(review.review_due + datetime.timedelta(days=1))
    headings = [h.text for h in html.fromstring(article.html).iter("h2")]
    assert headings[-1] in ("Sources", "Quellen")
    assert html.fromstring(article.html).xpath("//ol")[-1].xpath("li")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("# No head\n", "does not begin with a head", id="no head"),
        pytest.param(HEAD.replace('owner = "o"\n', "") + "x", "owner", id="no owner"),
        pytest.param(HEAD.replace('"T"', "T") + "x", "value", id="broken head"),
    ],
)
def test_an_article_without_its_facts_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "a.md").write_text(text)

    with pytest.raises(ContentError, match=said):
        content.load("a", folder=tmp_path)


def test_markup_in_an_article_is_shown_not_run(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "a.md").write_text(HEAD + "<script>x</script> [y](javascript:z)")

    shown = html.fromstring(f"<div>{content.load('a', folder=tmp_path).html}</div>")

    assert not shown.xpath("//script | //a")


def test_every_article_is_there_in_every_language() -> None:
    names = {code: {path.name for path in (CONTENT / code).iterdir()} for code in languages()}
    assert all(found == names["en"] for found in names.values())


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONTENT / "en").iterdir()))
def test_translations_have_the_same_parts(name: str) -> None:
    """As many headings, tables, rows and sources, the same code: nothing was left out."""
    shapes = []
    for code in languages():
        page = html.fromstring(f"<div>{content.load(name, code).html}</div>")
        parts = [len(page.xpath(f"//{tag}")) for tag in ("h2", "tr", "td", "li")]
        shapes.append((parts, [one.text for one in page.xpath("//pre/code")]))
    assert all(shape == shapes[0] for shape in shapes)


@pytest.mark.parametrize("path", sorted(CONTENT.glob("*/*.md")), ids=lambda path: path.stem)
def test_every_number_in_brackets_is_a_source(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    sources = len(html.fromstring(content.load(path.stem, path.parent.name).html).xpath("//ol")[-1])
    cited = {int(n) for group in re.findall(r"\[(\d+(?:, \d+)*)\]", text) for n in group.split(",")}
    assert cited <= set(range(1, sources + 1))


def test_what_is_not_translated_is_english(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "a.md").write_text(HEAD + "x")

    assert content.load("a", "de", tmp_path).language == "en"


def test_the_faq_explains_every_reason_and_finding() -> None:
    for code in languages():
        explained = set(html.fromstring(content.load("faq", code).html).xpath("//td/code/text()"))
        assert explained == {*REASONS, *SENTENCES}
