"""An edge's limits where none are set: narrower than a front's, since it has the models as well."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from service import settings as table
from service.settings import Settings

MIB: Final = 2**20

NARROWER: Final[Mapping[str, int]] = MappingProxyType(
    {
        # Decoders take at most a quarter of the second and the second itself.
        "decoders": 1,
        "decoder_bytes": 128 * MIB,
        "max_samples": 8_000_000,
        # Uploads are held in memory, a series of CT among them.
        "unfinished_bytes": 48 * MIB,
        "ct_bytes": 40 * MIB,
        # One thread computes: more in hand would only wait.
        "bulk_concurrency": 2,
    }
)
"""Settings by which an edge stays below 700 MB, whatever it is sent (docs/edge.md)."""


def narrowed(settings: Settings) -> Settings:
    """Return ``settings`` with :data:`NARROWER` in place of what was not set.

    Raises :class:`~service.settings.SettingsError` where that does not go with what was set.
    """
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    return table.load(**{**NARROWER, **given})
