"""Objects as scanners send them, and a ledger to keep them in."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from models import phantom
from models.phantom import Artefact
from models.phantom import dicom as phantom_dicom
from service.events import Listeners
from service.integration.ledger.commitments import Commitments
from service.integration.ledger.schemas import Arrival
from service.integration.ledger.service import Ledger
from service.integration.settings import GatewaySettings
from service.storage.database import Database
from service.storage.transaction import Transactions


@cache
def _drawn() -> bytes:
    return phantom_dicom.encode(phantom.draw(np.random.default_rng(5), artefact=Artefact.NONE))


def image(**changes: Any) -> Dataset:
    """Return a phantom as an image of a study of its own; ``changes`` are DICOM keywords."""
    data = pydicom.dcmread(io.BytesIO(_drawn()))
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(data, name, generate_uid())
    data.StudyDate, data.StudyTime, data.StudyID = "20260102", "101500", "7"
    for name, value in changes.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    return data


def file(data: Dataset) -> bytes:
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


def arrival(data: Dataset | None = None, *, body: bytes | None = None, **changes: Any) -> Arrival:
    """Return ``data`` as the listener hands it to the ledger."""
    data = image() if data is None else data
    body = file(data) if body is None else body
    values: dict[str, Any] = {
        "site": "default",
        "peer": "dxa-1",
        "sop_uid": data.SOPInstanceUID,
        "sop_class_uid": data.SOPClassUID,
        "series_uid": data.SeriesInstanceUID,
        "study_uid": data.StudyInstanceUID,
        "patient": f"{data.PatientID}\\",
        "sha256": hashlib.sha256(body).hexdigest(),
        "is_image": True,
        "is_own": False,
        "data": body,
    }
    return Arrival(**{**values, **changes})


@dataclass(frozen=True)
class Opened:
    ledger: Ledger
    commitments: Commitments
    database: Database
    listeners: Listeners


def opened(database: Database, **settings: Any) -> Opened:
    """Return a ledger on ``database`` in which nothing has to settle for long."""
    defaults = {"gateway_receive_seconds": 0.001, "gateway_settle_seconds": 0.001}
    listeners = Listeners()
    chosen = GatewaySettings(**{**defaults, **settings})
    transactions = Transactions(database, listeners)
    ledger, commitments = Ledger(chosen, transactions), Commitments(chosen, transactions)
    return Opened(ledger, commitments, database, listeners)
