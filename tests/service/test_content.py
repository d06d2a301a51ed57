from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from lxml import html

from service import content
from service.content import CONTENT, ContentError

HEAD = """+++
title = "T"
owner = "o"
written = 2026-01-02
review_due = 2026-07-02
reviewed_by = "nobody"
+++
"""


@pytest.mark.parametrize("path", sorted(CONTENT.glob("*.md")), ids=lambda path: path.stem)
def test_every_article_says_who_owns_it_and_until_when(path: Path) -> None:
    article = content.load(path.stem)

    assert article.owner
    assert article.reviewed_by
    assert article.written < article.review_due
    assert article.review_due - article.written <= datetime.timedelta(days=366)
    headings = [h.text for h in html.fromstring(article.html).iter("h2")]
    assert headings[-1] == "Sources"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("# No head\n", "does not begin with a head", id="no head"),
        pytest.param(HEAD.replace('owner = "o"\n', "") + "x", "owner", id="no owner"),
        pytest.param(HEAD.replace('"T"', "T") + "x", "value", id="broken head"),
    ],
)
def test_an_article_without_its_facts_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.md").write_text(text)

    with pytest.raises(ContentError, match=said):
        content.load("a", tmp_path)


def test_markup_in_an_article_is_shown_not_run(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(HEAD + "<script>x</script> [y](javascript:z)")

    shown = html.fromstring(f"<div>{content.load('a', tmp_path).html}</div>")

    assert not shown.xpath("//script | //a")
