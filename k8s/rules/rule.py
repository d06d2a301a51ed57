"""What a rule file is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from k8s.rules.scope import Scope

Severity = Literal["critical", "warning"]
"""``critical``: call somebody, now. ``warning``: look at it today."""


@dataclass(frozen=True, kw_only=True)
class Record:
    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self, scope: Scope) -> dict[str, Any]:
        labels = {**scope.labels, **self.labels}
        return {"record": self.name, "expr": self.expr, **({"labels": labels} if labels else {})}


@dataclass(frozen=True, kw_only=True)
class Alert:
    """``seconds``: how long it must hold. Its runbook has its name."""

    name: str
    expr: str
    seconds: int
    severity: Severity
    summary: str
    description: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self, scope: Scope) -> dict[str, Any]:
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": scope.span(self.seconds),
            "labels": {**scope.labels, "severity": self.severity, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{scope.runbooks}/{self.name}.md",
            },
        }


@dataclass(frozen=True, kw_only=True)
class Group:
    """``interval``: seconds between evaluations; None: as often as Prometheus does by itself."""

    name: str
    rules: Sequence[Record | Alert]
    interval: int | None = None

    def document(self, scope: Scope) -> dict[str, Any]:
        interval = {} if self.interval is None else {"interval": scope.span(self.interval)}
        rules = [rule.document(scope) for rule in self.rules]
        return {"name": f"osteoserve-{self.name}", **interval, "rules": rules}
