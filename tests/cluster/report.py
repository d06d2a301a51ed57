"""What a run found, as Markdown: ``var/cluster/report.md``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FILE: Final = Path("var/cluster/report.md")


@dataclass
class Scenario:
    title: str
    outcome: str = "not run"
    seconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    why: str = ""


@dataclass
class Report:
    """Scenarios in the order in which they ran, and what the cluster is."""

    cluster: dict[str, Any] = field(default_factory=dict)
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    started: float = field(default_factory=time.time)

    def scenario(self, key: str, title: str) -> Scenario:
        return self.scenarios.setdefault(key, Scenario(title))

    def write(self, file: Path = FILE) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.text(), "utf-8")

    def text(self) -> str:
        passed = sum(one.outcome == "passed" for one in self.scenarios.values())
        began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(self.started))
        lines = [
            "# The chart on a cluster",
            "",
            f"{passed} of {len(self.scenarios)} scenarios passed, begun {began}, "
            f"{time.time() - self.started:.0f} s in all.",
            "",
            *_table(self.cluster),
        ]
        for one in self.scenarios.values():
            lines += ["", f"## {one.title}", "", f"{one.outcome}, {one.seconds:.0f} s", ""]
            lines += _table(one.facts)
            if one.why:
                lines += ["", "```", one.why, "```"]
        return "\n".join(lines).rstrip() + "\n"


def _table(facts: Mapping[str, Any]) -> list[str]:
    if not facts:
        return []
    return ["| | |", "|---|---|", *(f"| {key} | {_cell(value)} |" for key, value in facts.items())]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_cell(one)}" for key, one in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(_cell, value))
    return str(value).replace("|", "\\|").replace("\n", " ")
