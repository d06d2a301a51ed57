"""From the files of an upload to one series of slices, each decoded under a decoder's limits."""

from __future__ import annotations

import asyncio
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import anyio.to_thread
import numpy as np

from models.image.errors import ScanError
from models.reading import Limits
from service.batches.spool import Items
from service.decoding import BusyError, Decoder
from service.errors import ServiceError
from service.exams import dicom
from service.exams.schemas import believed
from service.flow.deadline import Deadline
from service.flow.priority import Priority
from service.medicine.modalities.ct import slices
from service.medicine.modalities.ct.overview import sagittal
from service.medicine.modalities.ct.schemas import Scan

LEVEL: Final = 1
"""Of deflate: the slices are kept for a short while, and there are many."""
AT_A_TIME: Final = 2


@dataclass(frozen=True, eq=False)
class StoredSlice:
    """``stored`` is deflated 16-bit integers, low byte first, ``signed`` or not."""

    position: float
    rescale: tuple[float, float]
    signed: bool
    stored: bytes


@dataclass(frozen=True, eq=False)
class Series:
    """Slices from the head down. ``left_out`` counts files that are no slices of it, by code."""

    slices: tuple[StoredSlice, ...]
    rows: int
    columns: int
    spacing: tuple[float, float]
    scan: Scan
    overview: bytes
    patient: str | None
    """Number and issuer as the files name them: to be compared, and let go."""
    left_out: dict[str, int] = field(default_factory=dict)


def invalid(detail: str) -> ServiceError:
    return ServiceError("invalid_ct", detail)


async def read(items: Items, decoder: Decoder, limits: Limits, seconds: float) -> Series:
    """Return the one series in ``items``.

    Raises :class:`~service.errors.ServiceError`: ``invalid_ct`` where there is none, or more than
    one, ``overloaded`` where the time is up.
    """
    deadline = Deadline.after(seconds)
    gate = asyncio.Semaphore(AT_A_TIME)
    left_out: Counter[str] = Counter()

    async def one(index: int) -> dict[str, Any] | None:
        async with gate:
            try:
                data = await anyio.to_thread.run_sync(items.read, index)
                found: dict[str, Any] = await decoder.run(
                    slices.of_slice, data, limits, deadline=deadline, priority=Priority.BULK
                )
            except (ScanError, ServiceError) as error:
                left_out[error.code] += 1
                return None
            return await anyio.to_thread.run_sync(_packed, found)

    try:
        found = await asyncio.gather(*(one(index) for index in range(len(items))))
    except BusyError:
        raise ServiceError(
            "overloaded", "The slices could not be read in time; try again.", retry_after=10
        ) from None
    told = [one for one in found if one is not None]
    if not told:
        codes = ", ".join(sorted(left_out))
        raise invalid(f"None of the files is a slice of CT in Hounsfield units ({codes}).")
    return await anyio.to_thread.run_sync(_series, told, dict(left_out))


def _packed(found: dict[str, Any]) -> dict[str, Any]:
    """Replace the array by its deflated bytes, and what the overview needs of it."""
    stored = found.pop("stored")
    slope, intercept = found["rescale"]
    rows, columns = stored.shape
    half = max(1, round(10 / found["spacing"][1]))
    band = stored[:, columns // 2 - half : columns // 2 + half]
    found["profile"] = band.astype(np.float32).mean(axis=1) * slope + intercept
    found["shape"] = (rows, columns)
    found["signed"] = stored.dtype == np.int16
    little = np.ascontiguousarray(stored, dtype="<i2" if found["signed"] else "<u2")
    found["packed"] = zlib.compress(little.data, LEVEL)
    return found


def _series(told: Sequence[dict[str, Any]], left_out: dict[str, int]) -> Series:
    first = told[0]
    for name, what in (
        ("series", "are of several series"),
        ("shape", "differ in size"),
        ("spacing", "differ in spacing"),
    ):
        if any(one[name] != first[name] for one in told):
            raise invalid(f"The slices {what}; send one series.")
    unique = {one["position"]: one for one in told}
    if len(unique) < len(told):
        left_out["same_place"] = len(told) - len(unique)
    ordered = [unique[place] for place in sorted(unique, reverse=True)]
    rows, columns = first["shape"]
    return Series(
        slices=tuple(
            StoredSlice(one["position"], one["rescale"], bool(one["signed"]), one["packed"])
            for one in ordered
        ),
        rows=rows,
        columns=columns,
        spacing=first["spacing"],
        scan=_scan(ordered),
        overview=sagittal(
            np.stack([one["profile"] for one in ordered]),
            [one["position"] for one in ordered],
            first["spacing"][0],
        ),
        patient=_patient(first["texts"]),
        left_out=left_out,
    )


def _scan(told: Sequence[dict[str, Any]]) -> Scan:
    """Return what is the same in all slices; what differs is not known."""
    voltages = {one["voltage"] for one in told}
    texts = told[0]["texts"]
    exam = believed(dicom.told(texts, "exam"))
    return Scan(
        vendor=_short(texts.get("Manufacturer")),
        model=_short(texts.get("ManufacturerModelName")),
        acquired_on=exam.acquired_on,
        voltage_kv=voltages.pop() if len(voltages) == 1 else None,
        contrast="given" if any(one["contrast"] for one in told) else "unknown",
        kernel=told[0]["kernel"],
        thickness_mm=told[0]["thickness"],
    )


def _short(text: str | None) -> str | None:
    return text if text is not None and 0 < len(text) <= 32 and text.isprintable() else None


def _patient(texts: dict[str, str]) -> str | None:
    return believed(dicom.told(texts, "patient")).patient_reference
