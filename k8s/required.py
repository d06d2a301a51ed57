"""``files/required.txt``: the values that templates cannot do without, one a line.

Values of an older version of the chart, which ``helm upgrade --reuse-values`` brings along, lack
what is new. The chart looks these up before anything else (``osteoserve.check.values``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from k8s.helm import CHART
from k8s.schema import SCHEMA, resolved

FILE: Final = CHART / "files" / "required.txt"


def written() -> dict[Path, str]:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    return {FILE: "".join(f"{path}\n" for path in _walk(schema, schema, values, ""))}


def _walk(schema: dict[str, Any], node: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    """Yield what must be there of ``value``: leaves, and maps that have none such.

    What is empty in the chart's own values may be missing, and so may what of a map is anybody's.
    """
    if "null" in node.get("type", ()) or _is_empty(value):
        return
    if not isinstance(value, dict):
        yield path
    elif "properties" in node:
        below = [
            found
            for key, child in node["properties"].items()
            for found in _walk(
                schema, resolved(schema, child), value.get(key), f"{path}.{key}".lstrip(".")
            )
        ]
        yield from below or [path]


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})
