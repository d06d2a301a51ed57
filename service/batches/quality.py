"""A row an image of a batch, as quality control of DXA studies asks for it.

The columns are those of public specifications for automatic quality control, in their order, behind
two by which a row finds its image and beside the angle: readers mark a leaning spine by eye.

=====================  ===========================================================================
``position``           among the images that were sent, from 1: names of files are not in it
``sha256``             of the file as it was sent
``path``               of the result on this server
``study_uid``          Study Instance UID, where it is known
``image_uid``          SOP Instance UID, where it is known
``region``             ``lumbar_spine``; empty where the image is taken for something else
``class``              1 with at least one fault, 0 with none; empty without a result
``fault_probability``  empty: faults are found by rules, which give none
``faults``             kinds of :data:`FAULTS`, joined by "; "
``status``             ``Success`` where there is a result, else ``Failure``
``seconds``            that the result took
``axis_tilt``          degrees, positive when the upper end leans to the image's right
``details``            codes, of findings with level, value and rule, joined by "; "
=====================  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from service.batches.schemas import Line
from service.language.locale import N_, _
from service.medicine.vertebrae import view
from service.medicine.vertebrae.schemas import Finding
from service.predictions.contexts import explained
from service.predictions.schemas import Prediction

Kind = Literal["axis", "positioning", "foreign_object", "motion", "image", "region"]

KINDS: Final[Mapping[Kind, str]] = {
    "axis": N_("spine not upright"),
    "positioning": N_("positioning"),
    "foreign_object": N_("foreign object"),
    "motion": N_("motion"),
    "image": N_("image quality"),
    "region": N_("not an AP lumbar spine"),
}

FAULTS: Final[Mapping[str, Kind]] = {
    "axis_tilt": "axis",
    "turned": "axis",
    "part_missing": "positioning",
    "levels_uncertain": "positioning",
    "vertebrae_not_found": "positioning",
    "off_centre": "positioning",
    "upside_down": "positioning",
    "scan_area": "positioning",
    "foreign_object": "foreign_object",
    "objects_not_removed": "foreign_object",
    "implant": "foreign_object",
    "motion": "motion",
    "movement": "motion",
    "too_small": "image",
    "wrong_shape": "image",
    "low_contrast": "image",
    "photograph": "image",
    "obesity_noise": "image",
    "for_processing": "image",
    "not_spine_dxa": "region",
    "burned_in_sheet": "region",
    "other_body_part": "region",
    "other_view": "region",
    "lateral_view": "region",
}
"""Codes that are a fault of the scan, each with its kind; older results hold some of them."""

NO_FAULTS: Final = frozenset({
    "curve", "denser_than_neighbours", "height_outlier", "degenerative", "burned_in_annotation",
})  # fmt: skip
"""Codes of what is to be looked at in a scan that was made well."""

HEADINGS: Final[Mapping[str, str]] = {
    "position": N_("Image"),
    "sha256": N_("SHA-256 of the file"),
    "path": N_("Result"),
    "study_uid": N_("Study Instance UID"),
    "image_uid": N_("SOP Instance UID"),
    "region": N_("Region"),
    "class": N_("Faulty (1) or not (0)"),
    "fault_probability": N_("Probability of a fault"),
    "faults": N_("Kinds of fault"),
    "status": N_("Status"),
    "seconds": N_("Seconds"),
    "axis_tilt": N_("Tilt of the axis, degrees"),
    "details": N_("Details"),
}
"""Each column's stable name, in their order, and its heading for people."""

COLUMNS: Final = tuple(HEADINGS)

REGION: Final = "lumbar_spine"
_WORDS: Final[Mapping[str, str]] = {
    REGION: N_("lumbar spine"),
    "Success": N_("Success"),
    "Failure": N_("Failure"),
}
_NOT_ANALYSED: Final = ("not_analysed", N_("Not analysed."))

Cell = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """``details`` are pairs of what is said by codes and in the current language."""

    position: int
    study_uid: str | None = None
    image_uid: str | None = None
    prediction: Prediction | None = None
    faults: tuple[Kind, ...] = ()
    details: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, line: Line, study_uid: str | None, image_uid: str | None) -> Self:
        """``line`` with its problem as :func:`service.batches.api.told` gives it."""
        found, position = line.prediction, line.index + 1
        if found is None:
            return cls(position=position, details=(_problem(line.problem or {}),))
        quality = (*found.quality.reasons, *found.quality.findings)
        geometry = found.vertebrae.findings if found.vertebrae else ()
        codes = (*quality, *(one.code for one in geometry))
        return cls(
            position=position,
            study_uid=study_uid,
            image_uid=image_uid,
            prediction=found,
            faults=tuple(dict.fromkeys(FAULTS[code] for code in codes if code in FAULTS)),
            details=(
                *((code, explained(code)) for code in quality),
                *((_coded(one), view.sentence(one)) for one in geometry),
            ),
        )

    @classmethod
    def missing(cls, index: int) -> Self:
        """Return the row of an image, at ``index`` from 0, that has no line."""
        code, sentence = _NOT_ANALYSED
        return cls(position=index + 1, details=((code, _(sentence)),))

    def cells(self, *, in_words: bool) -> tuple[Cell, ...]:
        """Return a cell for each of :data:`COLUMNS`, by codes or in the current language."""
        found = self.prediction
        region = "" if found is None or "region" in self.faults else REGION
        status = "Failure" if found is None else "Success"
        faults: tuple[str, ...] = self.faults
        details = [said for said, _sentence in self.details]
        if in_words:
            region, status = (_(_WORDS[one]) if one else "" for one in (region, status))
            faults = tuple(_(KINDS[one]) for one in self.faults)
            details = [sentence for _code, sentence in self.details]
        vertebrae = found.vertebrae if found else None
        return (
            self.position,
            found.image.sha256 if found else "",
            f"/results/{found.id}" if found else "",
            self.study_uid or "",
            self.image_uid or "",
            region,
            int(bool(self.faults)) if found else None,
            None,
            "; ".join(faults),
            status,
            round(found.timings_ms["total"] / 1000, 3) if found and _took(found) else None,
            vertebrae.axis_tilt if vertebrae else None,
            (" " if in_words else "; ").join(details),
        )


def _took(found: Prediction) -> bool:
    return "total" in found.timings_ms


def _coded(finding: Finding) -> str:
    place = f" {finding.level}" if finding.level else ""
    return f"{finding.code}{place} {finding.value:g} ({finding.rule})"


def _problem(problem: Mapping[str, Any]) -> tuple[str, str]:
    title, detail = problem.get("title", ""), problem.get("detail", "")
    said = [f"{_(title)}." if title else "", _(detail) if detail else ""]
    return problem.get("code", ""), " ".join(filter(None, said))
