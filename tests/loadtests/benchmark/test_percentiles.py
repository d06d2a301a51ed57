from __future__ import annotations

import pytest

from loadtests.benchmark.percentiles import percentile


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [
        (100, 0.99, 99),
        (100, 0.5, 50),
        (101, 0.99, 100),
        (200, 0.99, 198),
        (3, 0.99, 3),
        (1, 0.5, 1),
    ],
)
def test_nearest_rank(count: int, share: float, expected: int) -> None:
    assert percentile(list(range(count, 0, -1)), share) == expected


def test_none_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile([], 0.5)
