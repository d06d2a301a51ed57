from __future__ import annotations

from models.dataset import grouping


def test_joined_things_have_the_name_of_the_first() -> None:
    assert grouping.connected_components(6, [(4, 5), (2, 1), (5, 2)]) == [0, 1, 1, 3, 1, 1]
    assert grouping.connected_components(3, []) == [0, 1, 2]


def test_what_shares_any_key_is_connected() -> None:
    pairs = grouping.sharing([["a"], ["b"], ["a", "c"], ["c"], []])
    assert grouping.connected_components(5, pairs) == [0, 1, 0, 0, 4]
