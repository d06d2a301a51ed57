"""The values table in the chart's README, from the schema's descriptions and the chart's values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from k8s.helm import CHART
from k8s.schema import SCHEMA, resolved

README: Final = CHART / "README.md"
BEGIN: Final = "<!-- values: written by python -m k8s -->"
END: Final = "<!-- /values -->"

_ABSENT: Final = object()

Node = dict[str, Any]


def written() -> dict[Path, str]:
    text = README.read_text("utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    schema = json.loads(SCHEMA.read_text("utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    rows = "\n".join(_rows(schema, values))
    return {README: f"{before}{BEGIN}\n{rows}\n{END}{after}"}


def _rows(schema: Node, values: Node) -> Iterator[str]:
    yield "| value | default | what it means |"
    yield "|---|---|---|"
    for path, node, value in _walk(schema, schema, values, ""):
        default = "" if value is _ABSENT else f"`{json.dumps(value, ensure_ascii=False)}`"
        yield f"| `{path}` | {default} | {_meaning(node)} |".replace("  ", " ")


def _walk(schema: Node, node: Node, value: Any, path: str) -> Iterator[tuple[str, Node, Any]]:
    """Yield what a reader can set, and of what every component has, only what it sets itself."""
    for key, child in node.get("properties", {}).items():
        at = f"{path}.{key}".lstrip(".")
        child = resolved(schema, child)  # noqa: PLW2901 - the same node, followed
        own = value.get(key, _ABSENT) if isinstance(value, dict) else _ABSENT
        inherited = key in schema["properties"]["common"]["properties"] and path != "common"
        if own is _ABSENT and inherited and not path.startswith("common"):
            continue
        if isinstance(own, dict) and own and "properties" in child:
            yield from _walk(schema, child, own, at)
        else:
            yield at, child, own


def _meaning(node: Node) -> str:
    allowed = [f"`{one}`" for one in node.get("enum", ())]
    names = [f"`{one}`" for one in node.get("propertyNames", {}).get("enum", ())]
    text: str = node["description"]
    if allowed:
        text += f" One of {', '.join(allowed)}."
    if names:
        text += f" Known: {', '.join(names)}."
    return text.replace("|", "\\|")
