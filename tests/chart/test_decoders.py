from __future__ import annotations

from pathlib import Path

import yaml

from service.decoding.decoder import Allowance, quick
from service.settings import Settings

VALUES = Path(__file__).parents[2] / "helm/osteoserve/values.yaml"
FRONT = 352 * 2**20
"""What a front takes beside its decoders, uploads in hand included, and some to spare."""


def test_decoders_at_their_limits_fit_in_the_fronts() -> None:
    limit: str = yaml.safe_load(VALUES.read_text())["front"]["resources"]["limits"]["memory"]
    assert limit.endswith("Gi")
    defaults = Settings()
    longest = Allowance(defaults.decoder_seconds, defaults.decoder_bytes)
    decoders = defaults.decoders * quick(longest).memory + longest.memory
    assert FRONT + decoders <= int(limit.removesuffix("Gi")) * 2**30
