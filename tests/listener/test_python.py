from __future__ import annotations

import pytest

from listener.python import behind


@pytest.mark.parametrize("version", [(3, 11, 10), (3, 11, 14), (3, 12, 6), (3, 13, 0)])
def test_a_patch_level_without_known_faults(version: tuple[int, int, int]) -> None:
    assert behind(version) is None


@pytest.mark.parametrize(
    ("version", "wanted"),
    [((3, 11, 7), "3.11.10"), ((3, 12, 5), "3.12.6"), ((3, 11, 0), "3.11.10")],
)
def test_an_older_one_is_told_which_to_install(version: tuple[int, int, int], wanted: str) -> None:
    said = behind(version) or ""
    assert wanted in said
    assert ".".join(map(str, version)) in said
