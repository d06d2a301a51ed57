"""The tables, a module a subject. A change needs a migration; a test compares the two.

To import any is to import all: :attr:`columns.Base.metadata` holds every one of them.
"""

from service.storage.tables import (
    audit,
    batches,
    columns,
    encryption,
    exams,
    feeds,
    identity,
    images,
    launches,
    ledger,
    modalities,
    morphometry,
    patients,
    predictions,
    retention,
    reviews,
    worklist,
)

__all__ = [
    "audit",
    "batches",
    "columns",
    "encryption",
    "exams",
    "feeds",
    "identity",
    "images",
    "launches",
    "ledger",
    "modalities",
    "morphometry",
    "patients",
    "predictions",
    "retention",
    "reviews",
    "worklist",
]
