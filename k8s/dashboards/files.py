"""The dashboards as the chart ships them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from k8s.dashboards import capacity, clinical, gateway, runners, service
from k8s.helm import CHART

FOLDER: Final = CHART / "files" / "dashboards"
BOARDS: Final = {
    "service": service.build,
    "runners": runners.build,
    "clinical": clinical.build,
    "capacity": capacity.build,
    "gateway": gateway.build,
}


def document(name: str) -> dict[str, Any]:
    """Return dashboard ``name`` as Grafana reads it."""
    text = JSONEncoder().encode(BOARDS[name]().build())
    found: dict[str, Any] = json.loads(text)
    return found


def written() -> dict[Path, str]:
    return {
        FOLDER / f"{name}.json": json.dumps(document(name), indent=1, ensure_ascii=False) + "\n"
        for name in BOARDS
    }
