"""The keys that second factors are sealed with, as the settings have them."""

from __future__ import annotations

from typing import Final

from service import key_file
from service.identity.settings import IdentitySettings
from service.sealing import Ring
from service.storage.database import database_file, database_url
from service.storage.settings import StorageSettings

PURPOSE: Final = "osteoserve second factor"
FILE: Final = "secrets.key"
"""In the folder of state, where the settings name no key."""


def ring_of(settings: IdentitySettings, storage: StorageSettings) -> Ring | None:
    """Return the ring; None where fronts share a database, and no key is set that they share.

    Raises OSError.
    """
    if settings.secret_keys is not None:
        keys = settings.secret_keys.get_secret_value().split()
        return Ring([one.encode() for one in keys], PURPOSE)
    if database_file(database_url(storage)) is None:
        return None
    key = key_file.read(storage.var / FILE, make=True)
    return None if key is None else Ring([key], PURPOSE)
