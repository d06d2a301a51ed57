"""What an edge is bounded by, without anything set."""

from __future__ import annotations

import pytest

from service.decoding.decoder import Allowance, quick
from service.edge.limits import NARROWER, narrowed
from service.settings import Settings, SettingsError

MEMORY = 700 * 10**6
RESTING = 480 * 10**6
"""What an edge takes beside what it decodes and receives (docs/edge.md)."""


def test_all_bounds_together_stay_below_700_mb() -> None:
    limits = narrowed(Settings())
    longest = Allowance(limits.decoder_seconds, limits.decoder_bytes)
    decoding = limits.decoders * quick(longest).memory + longest.memory
    assert RESTING + decoding + limits.unfinished_bytes < MEMORY


def test_a_front_s_own_would_not() -> None:
    limits = Settings()
    longest = Allowance(limits.decoder_seconds, limits.decoder_bytes)
    decoding = limits.decoders * quick(longest).memory + longest.memory
    assert RESTING + decoding + limits.unfinished_bytes > MEMORY


def test_the_largest_image_that_is_read_fits_into_a_decoder() -> None:
    limits = narrowed(Settings())
    assert 15 * limits.max_samples < limits.decoder_bytes


def test_a_series_of_ct_fits_into_what_is_received() -> None:
    limits = narrowed(Settings())
    assert limits.ct_bytes < limits.unfinished_bytes


def test_what_is_set_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEOSERVE_DECODERS", "2")
    monkeypatch.setenv("OSTEOSERVE_UNFINISHED_BYTES", "128MiB")
    limits = narrowed(Settings(max_samples=20_000_000, port=8123))
    assert (limits.decoders, limits.unfinished_bytes) == (2, 128 * 2**20)
    assert (limits.max_samples, limits.port) == (20_000_000, 8123)
    assert limits.decoder_bytes == NARROWER["decoder_bytes"]


def test_what_does_not_go_with_what_is_set_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEOSERVE_MAX_UPLOAD_BYTES", "64MiB")
    with pytest.raises(SettingsError, match=r"UNFINISHED_BYTES=50331648: .*MAX_UPLOAD_BYTES"):
        narrowed(Settings())


def test_secrets_and_places_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEOSERVE_AUDIT_KEY", "k" * 40)
    before = Settings(database_url="sqlite:////var/lib/osteoserve/other.db")
    after = narrowed(before)
    assert after.audit_key == before.audit_key
    assert after.database_url == before.database_url
