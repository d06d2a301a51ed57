"""The registry of modalities: what each accepts, what reads it, how it is coded and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel

from service.language.locale import N_
from service.medicine.modalities.codes import ATTENUATION, BUA, QUI, SOS, STIFFNESS_INDEX, Code
from service.medicine.modalities.ct.schemas import Attenuation
from service.medicine.modalities.ultrasound.schemas import Ultrasound
from service.medicine.modalities.voice import Source

Name = Literal["dxa", "ct", "ultrasound"]


@dataclass(frozen=True, kw_only=True)
class Modality:
    """One modality. ``sources`` are its voices, each with a mask of its own in a fusion.

    ``models`` is empty where no model reads it, only limits. ``schema`` is of what is kept of an
    exam; None where that is the image's own answer. ``partial`` shows it on a result's page.
    """

    name: Name
    title: str
    accepts: tuple[str, ...]
    models: tuple[str, ...]
    sources: tuple[Source, ...]
    schema: type[BaseModel] | None
    partial: str
    codes: tuple[Code, ...] = ()


MODALITIES: Final[Mapping[Name, Modality]] = {
    one.name: one
    for one in (
        Modality(
            name="dxa",
            title=N_("DXA of the spine"),
            accepts=("image/png", "image/jpeg", "image/tiff", "application/dicom"),
            models=("cnn", "vgg16", "resnet", "bone", "stack"),
            sources=("t_score", "image"),
            schema=None,
            partial="result/verdict.html",
        ),
        Modality(
            name="ct",
            title=N_("CT of the lumbar spine"),
            accepts=("multipart/form-data", "application/zip"),
            models=(),
            sources=("ct",),
            schema=Attenuation,
            partial="result/modalities.html",
            codes=(ATTENUATION,),
        ),
        Modality(
            name="ultrasound",
            title=N_("Ultrasound of the heel"),
            accepts=("application/json",),
            models=(),
            sources=("ultrasound",),
            schema=Ultrasound,
            partial="result/modalities.html",
            codes=(SOS, BUA, STIFFNESS_INDEX, QUI),
        ),
    )
}
