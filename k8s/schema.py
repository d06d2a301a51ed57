"""Runners, settings and peers in ``values.schema.json``: a misspelt name fails at install."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from bentos.policy import Policy
from k8s.helm import CHART
from service.integration.peers import Peers
from service.runners.registry import REGISTRY
from service.settings import PREFIX, Settings

SCHEMA: Final = CHART / "values.schema.json"

CHARTS_OWN: Final = frozenset(
    {
        *("port", "var", "database_url", "auth", "audit_key", "first_administrator"),
        *("retention", "secret_keys", "second_factor", "column_keys", "column_encryption"),
        *("oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_roles"),
        *("gateway_peers", "gateway_dicom_port", "gateway_http_port", "gateway_drain_seconds"),
        "gateway_hl7_port",
        *("gateway_certificate", "gateway_key", "gateway_authorities"),
        *(one.setting for one in REGISTRY),
    }
)
"""Settings of front and gateway that the chart gives, so that values may not."""


def front_settings() -> list[str]:
    return sorted(PREFIX + name.upper() for name in Settings.model_fields if name not in CHARTS_OWN)


def runner_settings() -> list[str]:
    return sorted(PREFIX + field.name.upper() for field in fields(Policy))


def entry_names(table: str) -> list[str]:
    """Return what an entry of ``table`` of the gateway's file may say, whichever kind it is of."""
    schema = Peers.model_json_schema()
    return sorted(set(_named(schema, schema["properties"][table]["items"])))


def _named(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[str]:
    found = resolved(schema, node)
    yield from found.get("properties", {})
    for kind in ("oneOf", "anyOf", "allOf"):
        for one in found.get(kind, ()):
            yield from _named(schema, one)


def entry_kinds() -> list[dict[str, Any]]:
    """Return what an entry of ``destination`` may and must say of each kind, as JSON Schema."""
    schema = Peers.model_json_schema()
    found = []
    for one in schema["properties"]["destination"]["items"]["oneOf"]:
        model = resolved(schema, one)
        kind: dict[str, Any] = {
            "properties": {"kind": {"const": model["properties"]["kind"]["const"]}}
        }
        if "kind" in model["required"]:
            kind["required"] = ["kind"]
        names = {"enum": sorted(model["properties"])}
        then = {"propertyNames": names, "required": sorted(model["required"])}
        found.append({"if": kind, "then": then})
    return found


def written() -> dict[Path, str]:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    names = [one.name for one in REGISTRY]
    runners = schema["properties"]["runners"]
    runners["properties"] = {name: {"$ref": "#/$defs/runner"} for name in names}
    front = schema["properties"]["front"]["properties"]["settings"]
    runner = schema["$defs"]["runner"]["properties"]["settings"]
    gateway = schema["properties"]["gateway"]["properties"]
    front["propertyNames"]["enum"] = front_settings()
    gateway["settings"]["propertyNames"]["enum"] = front_settings()
    for table in ("peer", "destination", "feed", "rule", "archive", "worklist"):
        gateway[f"{table}s"]["items"]["propertyNames"]["enum"] = entry_names(table)
    kinds = entry_kinds()
    named = [one["if"]["properties"]["kind"]["const"] for one in kinds]
    one_of_them = {"properties": {"kind": {"enum": named}}}
    gateway["destinations"]["items"]["allOf"] = [one_of_them, *kinds]
    runner["propertyNames"]["enum"] = runner_settings()
    return {SCHEMA: json.dumps(schema, indent=2, ensure_ascii=False) + "\n"}


def resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Return ``node``, or what it refers to."""
    reference = node.get("$ref")
    found: dict[str, Any] = schema["$defs"][reference.rsplit("/", 1)[1]] if reference else node
    return found
