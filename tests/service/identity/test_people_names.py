"""Every case and every attack that sign-in, programs, trail and data are held against has its test,
named after it: ``test_a7_…``, ``test_attack_8_9_…``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[2]
CASES: Final = frozenset(range(1, 40))
ATTACKS: Final = frozenset(range(1, 46))
NAMED: Final = re.compile(r"^ *(?:async )?def test_((?:a\d+_)*)(?:attack_((?:\d+_)+))?", re.M)


def test_none_is_without() -> None:
    cases: set[int] = set()
    attacks: set[int] = set()
    for file in TESTS.rglob("test_*.py"):
        for of_cases, of_attacks in NAMED.findall(file.read_text()):
            cases |= {int(one) for one in re.findall(r"\d+", of_cases)}
            attacks |= {int(one) for one in re.findall(r"\d+", of_attacks)}
    assert sorted(CASES - cases) == []
    assert sorted(ATTACKS - attacks) == []
