"""Where predictions are kept: SQLite by default, PostgreSQL by URL, the same code for both."""

from __future__ import annotations

from service.storage.database import Database
from service.storage.errors import StorageUnavailableError
from service.storage.repository import Predictions

__all__ = ["Database", "Predictions", "StorageUnavailableError"]
