from __future__ import annotations

from typing import Any

import pytest
from lxml import html

from service.web.forms import Field, number, options
from service.web.templates import environment


def drawn(**more: Any) -> html.HtmlElement:
    one = Field(name="a.b", id="fact-a-b", label="Label", **more)
    return html.fromstring(str(environment().get_template("forms.html").module.field(one)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [(" 12 ", 12), ("−2,5", -2.5), ("1.50", 1.5), ("", ""), ("nan", "nan"), ("1e999", "1e999")],
)
def test_a_number_as_people_type_it(text: str, expected: float | str) -> None:
    assert number(text) == expected
    assert type(number(text)) is type(expected)


def test_a_field_says_what_html_should_hold_to() -> None:
    (control,) = drawn(
        value='"<2', required=True, minlength=2, maxlength=9, pattern="[0-9]+", inputmode="numeric"
    ).xpath(".//input")
    assert dict(control.attrib) == {
        "id": "fact-a-b", "name": "a.b", "type": "text", "inputmode": "numeric", "required": "",
        "minlength": "2", "maxlength": "9", "pattern": "[0-9]+", "value": '"<2',
        "autocomplete": "off", "spellcheck": "false",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["text", "date", "select", "textarea", "checkbox"])
def test_a_control_is_named_and_described(kind: Any) -> None:
    field = drawn(kind=kind, options=options({"x": "X", "y": "Y"}, "y"), hint="Hint", error="No")
    (control,) = field.xpath(".//*[@name='a.b']")
    assert field.xpath(".//label/@for") == [control.get("id")]
    assert control.get("aria-invalid") == "true"
    texts = [
        field.xpath(f"string(.//*[@id='{id}'])") for id in control.get("aria-describedby").split()
    ]
    assert texts == ["No", "Hint"]
    assert field.xpath(".//option[@selected]/@value") == (["y"] if kind == "select" else [])


def test_a_field_without_a_fault_is_not_called_one() -> None:
    (control,) = drawn().xpath(".//input")
    assert "aria-invalid" not in control.attrib
    assert "aria-describedby" not in control.attrib
