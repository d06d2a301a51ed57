"""Every template's context is typed, and every sentence can be translated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest
from jinja2 import meta, nodes

import service.app
from service.predictions.contexts import ResultPage
from service.web.errors import ErrorPage
from service.web.page import Page
from service.web.templates import TEMPLATES, environment

assert service.app  # with the front, every page's context is imported

GLOBALS = {"layout", "asset", "_", "gettext", "ngettext", "pgettext", "npgettext"}
"""What every template may use (service.web.page.Pages)."""

PRINTED: dict[type[Page], set[str]] = {ResultPage: {"broken", "findings"}}
"""What the PDF alone shows of a page's context (service.predictions.report)."""


def kinds(kind: type[Page] = Page) -> Iterator[type[Page]]:
    for found in kind.__subclasses__():
        yield found
        yield from kinds(found)


def names(kind: type[Page]) -> Iterator[str]:
    """The templates that ``kind`` may be shown with."""
    if kind is ErrorPage:
        yield "error.html"
        yield from (path.name for path in TEMPLATES.glob("[45]??.html"))
    yield from kind.templates


CASES = [(kind, name) for kind in kinds() for name in names(kind)]
ENVIRONMENT = environment()
THERE = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))


def tree(name: str) -> nodes.Template:
    return ENVIRONMENT.parse((TEMPLATES / name).read_text())


def parts(name: str) -> set[str]:
    """``name`` and every template that it is made with."""
    found, waiting = set[str](), [name]
    while waiting:
        one = waiting.pop()
        if one in found or not (TEMPLATES / one).is_file():
            continue
        found.add(one)
        waiting += [part for part in meta.find_referenced_templates(tree(one)) if part]
    return found


def test_every_template_has_a_typed_context() -> None:
    assert set(THERE) == set().union(*(parts(name) for _, name in CASES))


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[name for _, name in CASES])
def test_templates_use_what_their_context_has(kind: type[Page], name: str) -> None:
    there = [tree(part) for part in parts(name)]
    used = set[str]().union(*(meta.find_undeclared_variables(one) for one in there))
    # What a template says to those that it includes.
    said = {node.target.name for one in there for node in one.find_all(nodes.Assign)
            if isinstance(node.target, nodes.Name)}  # fmt: skip
    said |= {target.name for one in there for node in one.find_all(nodes.With)
             for target in node.targets if isinstance(target, nodes.Name)}  # fmt: skip
    assert used - GLOBALS - said <= {field.name for field in fields(kind)}


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_contexts_carry_nothing_that_no_template_shows(kind: type[Page]) -> None:
    shown = [
        meta.find_undeclared_variables(tree(part)) for name in names(kind) for part in parts(name)
    ]
    assert {field.name for field in fields(kind)} - PRINTED.get(kind, set()) <= set().union(*shown)


@pytest.mark.parametrize("name", THERE)
def test_only_sentences_in_the_template_itself_are_translated_there(name: str) -> None:
    """What gettext is given counts as safe HTML: no value may get there but through a name."""
    for call in tree(name).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in GLOBALS - {"layout", "asset"}:
            sentences = call.args[:2] if call.node.name == "ngettext" else call.args[:1]
            assert all(isinstance(one, nodes.Const) for one in sentences), call.lineno
