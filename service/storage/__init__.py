"""Where predictions are kept: SQLite by default, PostgreSQL by URL, the same code for both."""

from __future__ import annotations

from service.storage.batches import Batches
from service.storage.database import Database
from service.storage.documents import Unreadable
from service.storage.errors import (
    ChangedError,
    GoneError,
    StorageDamagedError,
    StorageError,
    StorageFullError,
    StorageUnavailableError,
    UnreadableError,
)
from service.storage.history import History
from service.storage.maps import Maps
from service.storage.repository import Predictions
from service.storage.reviews import Reviews
from service.storage.studies import Patient, Studies

__all__ = [
    "Batches",
    "ChangedError",
    "Database",
    "GoneError",
    "History",
    "Maps",
    "Patient",
    "Predictions",
    "Reviews",
    "StorageDamagedError",
    "StorageError",
    "StorageFullError",
    "StorageUnavailableError",
    "Studies",
    "Unreadable",
    "UnreadableError",
]
