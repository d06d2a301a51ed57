"""The names of settings in ``values.schema.json``, so that a misspelt one fails at install."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Final

from bentos.policy import Policy
from k8s.helm import CHART
from service.settings import PREFIX, Settings
from service.types import RUNNERS

SCHEMA: Final = CHART / "values.schema.json"

CHARTS_OWN: Final = frozenset(
    {"host", "port", "var", "database_url", *(f"{name}_url" for name in RUNNERS)}
)
"""Settings of the front that the chart gives, so that values may not."""


def front_settings() -> list[str]:
    return sorted(PREFIX + name.upper() for name in Settings.model_fields if name not in CHARTS_OWN)


def runner_settings() -> list[str]:
    return sorted(PREFIX + field.name.upper() for field in fields(Policy))


def written() -> dict[Path, str]:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    front = schema["properties"]["front"]["properties"]["settings"]
    runner = schema["$defs"]["runner"]["properties"]["settings"]
    front["propertyNames"]["enum"] = front_settings()
    runner["propertyNames"]["enum"] = runner_settings()
    return {SCHEMA: json.dumps(schema, indent=2, ensure_ascii=False) + "\n"}
