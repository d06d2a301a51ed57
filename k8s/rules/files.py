"""The rule files: one for a Prometheus that scrapes a checkout, one for the chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from k8s.helm import CHART as CHART_FOLDER
from k8s.helm import ROOT
from k8s.rules import burn, gateway, symptoms
from k8s.rules.scope import CHART, PLAIN, Scope

RUNBOOKS: Final = ROOT / "k8s" / "runbooks"
PROMETHEUS: Final = ROOT / "k8s" / "prometheus"
FILES: Final = {
    PROMETHEUS / "rules.yaml": PLAIN,
    CHART_FOLDER / "files" / "rules" / "osteoserve.yaml": CHART,
}


def document(scope: Scope) -> dict[str, Any]:
    """Return every rule for ``scope``, as a Prometheus rule file holds them."""
    groups = (*burn.groups(scope), *symptoms.groups(scope), *gateway.groups(scope))
    return {"groups": [group.document(scope) for group in groups]}


def text(scope: Scope) -> str:
    head = (
        "# Written by python -m k8s from service/observability/slo.py and k8s/rules; "
        "change those, not this.\n"
    )
    return head + yaml.safe_dump(document(scope), sort_keys=False, width=1000, allow_unicode=True)


def written() -> dict[Path, str]:
    return {path: text(scope) for path, scope in FILES.items()}
