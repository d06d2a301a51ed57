"""Pages: a typed context for each template, and nothing in a template that is not in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound
from starlette.responses import HTMLResponse

from service.content import FRONTEND, Article
from service.prediction import Prediction
from service.types import BASES, BaseName, Outcome, RunnerName

TEMPLATES: Final = FRONTEND / "templates"
STATIC: Final = FRONTEND / "static"

ACCEPT: Final = ".png,.jpg,.jpeg,.tif,.tiff,.dcm,image/png,image/jpeg,image/tiff,application/dicom"

MODEL_NAMES: Final[Mapping[RunnerName, str]] = {
    "cnn": "CNN",
    "vgg16": "VGG16",
    "resnet": "ResNet + forest",
    "stack": "Stack",
}

REASONS: Final[Mapping[str, str]] = {
    "too_small": "The image has too few pixels for the texture of a vertebra to be told.",
    "wrong_shape": "The image is much longer than wide, or wider than long: no lumbar DXA field.",
    "not_spine_dxa": "This does not look like an AP lumbar spine DXA image: upright, bone bright.",
    "low_contrast": "The image has too few grey levels; bone cannot be told from noise.",
}
"""Why the gate refuses, by the code that models.quality gives."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What every template gets. ``template`` names the first choice, then the fallbacks."""

    templates: ClassVar[tuple[str, ...]] = ()

    def choices(self) -> tuple[str, ...]:
        return self.templates

    def context(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class FormPage(Page):
    templates = ("form.html",)

    max_size: str
    accept: str = ACCEPT


@dataclass(frozen=True, kw_only=True)
class ErrorPage(Page):
    """The same facts as the problem document."""

    status: int
    title: str
    detail: str
    help: str
    code: str
    instance: str
    retry_after: str | None

    def choices(self) -> tuple[str, ...]:
        return (f"{self.status}.html", "error.html")


@dataclass(frozen=True, kw_only=True)
class ProblemRow:
    code: str
    status: int
    title: str
    help: str


@dataclass(frozen=True, kw_only=True)
class ProblemsPage(Page):
    templates = ("problems.html",)

    rows: tuple[ProblemRow, ...]


@dataclass(frozen=True, kw_only=True)
class ArticlePage(Page):
    templates = ("article.html",)

    article: Article


@dataclass(frozen=True, kw_only=True)
class DocsPage(Page):
    templates = ("docs.html",)


@dataclass(frozen=True, kw_only=True)
class Span:
    """A piece of a 0…100 % scale, as SVG attributes take it."""

    x: str
    width: str


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """The probability with threshold and band on a scale of 0…100 %."""

    band: Span
    threshold: str
    value: str
    anchor: str
    """SVG text-anchor that keeps the value's label inside the drawing."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One base model in the table of votes."""

    name: str
    probability: str | None
    bar: Span | None
    contribution: str | None
    pull: Span | None
    """The contribution as a bar that starts in the middle."""
    towards: str | None
    version: str | None
    state: str
    """``used``, ``unused`` (answered, took no part), ``alone`` (decided alone) or ``absent``."""


@dataclass(frozen=True, kw_only=True)
class ResultPage(Page):
    templates = ("result.html",)

    id: str
    created: str
    created_iso: str
    outcome: Outcome
    probability: str | None
    threshold: str | None
    band: str | None
    gauge: Gauge | None
    degraded: bool
    absent: tuple[str, ...]
    unused: tuple[str, ...]
    alone: str | None
    """The base model that decided without the stack."""
    rows: tuple[Row, ...]
    reasons: tuple[str, ...]
    image_format: str
    image_size: str
    image_sha256: str
    recipe: str
    version: str | None
    milliseconds: str

    @classmethod
    def of(cls, prediction: Prediction) -> ResultPage:
        p = prediction
        stack_missing = "stack" in p.missing
        alone = next((n for n in BASES if stack_missing and _version(p, n) == p.version), None)
        scale = max([1.0, *(abs(v.contribution) for v in p.models.values() if v.contribution)])
        return cls(
            id=str(p.id),
            created=p.created_at.strftime("%-d %B %Y, %H:%M UTC"),
            created_iso=p.created_at.isoformat(),
            outcome=p.outcome,
            probability=_percent(p.probability),
            threshold=_percent(p.threshold),
            band=f"{p.band[0] * 100:.1f}–{_percent(p.band[1])}" if p.band else None,
            gauge=_gauge(p),
            degraded=p.degraded,
            absent=tuple(MODEL_NAMES[n] for n in p.missing if n not in p.models and n != "stack"),
            unused=tuple(MODEL_NAMES[n] for n in p.missing if n in p.models),
            alone=MODEL_NAMES[alone] if alone else None,
            rows=tuple(_row(p, name, alone, scale) for name in BASES),
            reasons=tuple(
                REASONS.get(code, f"The image was refused ({code}).") for code in p.quality.reasons
            ),
            image_format={"dicom": "DICOM"}.get(p.image.format, p.image.format.upper()),
            image_size=f"{p.image.width} × {p.image.height}",
            image_sha256=p.image.sha256,
            recipe=p.recipe,
            version=p.version,
            milliseconds=f"{p.timings_ms.get('total', 0.0):.0f} ms",
        )


class Pages:
    """The templates, compiled once."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, page: Page) -> str:
        for name in page.choices():
            try:
                template = self._environment.get_template(name)
            except TemplateNotFound:
                continue
            return template.render(page.context())
        raise TemplateNotFound(", ".join(page.choices()))

    def respond(
        self, page: Page, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        return HTMLResponse(self.render(page), status, headers)


def _version(prediction: Prediction, name: BaseName) -> str | None:
    vote = prediction.models.get(name)
    return vote.version if vote else None


def _row(prediction: Prediction, name: BaseName, alone: str | None, scale: float) -> Row:
    vote = prediction.models.get(name)
    contribution = vote.contribution if vote else None
    if vote is None:
        state = "absent"
    elif name == alone:
        state = "alone"
    else:
        state = "unused" if contribution is None else "used"
    return Row(
        name=MODEL_NAMES[name],
        probability=_percent(vote.probability) if vote else None,
        bar=_span(0, vote.probability) if vote else None,
        contribution=None if contribution is None else f"{contribution:+.2f}".replace("-", "−"),
        pull=None if contribution is None else _pull(contribution / scale),
        towards=None if contribution is None else ("for" if contribution > 0 else "against"),
        version=vote.version if vote else None,
        state=state,
    )


def _pull(part: float) -> Span:
    """A bar of ``part`` (−1…1) of half the width, from the middle to its side."""
    return _span(0.5, 0.5 + part / 2) if part > 0 else _span(0.5 + part / 2, 0.5)


def _gauge(prediction: Prediction) -> Gauge | None:
    probability, threshold, band = prediction.probability, prediction.threshold, prediction.band
    if probability is None or threshold is None or band is None:
        return None
    anchor = "start" if probability < 0.1 else "end" if probability > 0.9 else "middle"
    return Gauge(
        band=_span(*band),
        threshold=_coordinate(threshold),
        value=_coordinate(probability),
        anchor=anchor,
    )


def _span(start: float, end: float) -> Span:
    return Span(x=_coordinate(start), width=_coordinate(end - start))


def _coordinate(part: float) -> str:
    return f"{part * 100:.2f}%"


def _percent(probability: float | None) -> str | None:
    if probability is None:
        return None
    # Rounding must not turn nearly certain into certain.
    if probability >= 0.9995:
        return "> 99.9 %"
    return "< 0.1 %" if probability < 0.0005 else f"{probability * 100:.1f} %"
