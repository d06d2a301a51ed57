"""What a fitted gate does on images that it has not seen, as numbers and as a card."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from models.gate import Limits, Reason, Verdict, verdict
from models.training.gate import fitting
from models.training.gate.fitting import Floats, Rows, Scores, Table

REFUSED_TARGET: Final = 0.02
"""At most this share of true DXA images is refused in grouped cross-validation."""

FAULTS: Final = (Reason.OFF_CENTRE, Reason.IMPLANT, Reason.OBESITY_NOISE, Reason.SCAN_AREA)
"""Faults of an image that is a spine scan, as far as they are looked for."""


def measure(
    table: Table,
    scores: Scores,
    centred: Floats,
    limits: Mapping[Reason, Limits],
    fold: NDArray[np.int64],
) -> dict[str, Any]:
    """Return the shares that go into the manifest; every score is by lines that did not see it."""
    verdicts = _verdicts(scores, centred, limits, np.arange(len(fold)))
    refused = np.array([bool(v.reasons) for v in verdicts])
    shown = [k for k in np.unique(table.kinds) if not k.endswith("as in training")]
    return {
        "refused": {str(kind): _share(refused[table.kinds == kind]) for kind in shown},
        "counts": {str(kind): int((table.kinds == kind).sum()) for kind in shown},
        "true_scans": {
            "refused": _share(refused[table.true]),
            "refused_by_limits_of_other_folds": _nested(table, scores, centred, fold),
            "with_a_finding": _share(np.array([bool(v.findings) for v in verdicts])[table.true]),
            "findings": {
                str(fault): _share(_named(verdicts, fault)[table.true]) for fault in limits
            },
        },
        "synthetic": {
            "composites": _detection(table, scores, verdicts, "dxa"),
            "phantoms": _detection(table, scores, verdicts, "held-out phantom"),
            "any_fault_auroc": {
                "composites": _any_fault(table, scores, limits, "dxa"),
                "phantoms": _any_fault(table, scores, limits, "held-out phantom"),
            },
        },
    }


def _verdicts(
    scores: Scores, centred: Floats, limits: Mapping[Reason, Limits], rows: NDArray[np.intp]
) -> list[Verdict]:
    return [
        verdict(
            {fault: float(values[row]) for fault, values in scores.items()},
            limits,
            partial(float, centred[row]),
        )
        for row in rows
    ]


def _nested(table: Table, scores: Scores, centred: Floats, fold: NDArray[np.int64]) -> float:
    """Return the share refused when a fold's scans have no say in the limits either."""
    refused = []
    for number in range(fitting.FOLDS):
        drawn = fitting.limits(table, scores, (fold >= 0) & (fold != number))
        rows = np.flatnonzero(table.true & (fold == number))
        refused += [bool(v.reasons) for v in _verdicts(scores, centred, drawn, rows)]
    return _share(np.array(refused))


def _named(verdicts: list[Verdict], fault: Reason) -> Rows:
    return np.array([fault in v.reasons or fault in v.findings for v in verdicts])


def _detection(
    table: Table, scores: Scores, verdicts: list[Verdict], base: str
) -> dict[str, dict[str, float]]:
    clean = table.kinds == base
    found = {}
    for fault in FAULTS:
        rows = table.kinds == f"{base}, {fault}"
        named = _named(verdicts, fault)
        reasons = np.array([fault in v.reasons for v in verdicts])
        found[str(fault)] = {
            "images": int(rows.sum()),
            "auroc": _auroc(scores[fault][rows], scores[fault][clean]),
            "named": _share(named[rows]),
            "refused": _share(reasons[rows]),
            "named_in_clean": _share(named[clean]),
        }
    return found


def _any_fault(table: Table, scores: Scores, limits: Mapping[Reason, Limits], base: str) -> float:
    """Return the AUROC of the gravest suspicion, each measured in spreads of true scans."""
    gravest = np.max(
        [
            (scores[fault] - limits[fault].warn) / scores[fault][table.true].std()
            for fault in FAULTS
        ],
        axis=0,
    )
    spoilt = np.isin(table.kinds, [f"{base}, {fault}" for fault in FAULTS])
    return _auroc(gravest[spoilt], gravest[table.kinds == base])


def _auroc(spoilt: NDArray[Any], clean: NDArray[Any]) -> float:
    truth = np.repeat([True, False], [len(spoilt), len(clean)])
    return round(float(roc_auc_score(truth, np.concatenate([spoilt, clean]))), 3)


def _share(rows: NDArray[np.bool_]) -> float:
    return round(float(rows.mean()), 4)


def card(manifest: Mapping[str, Any]) -> bytes:
    """Return ``card.md``."""
    true, synthetic = manifest["true_scans"], manifest["synthetic"]
    kinds = [
        f"| {kind} | {manifest['data']['counts'][kind]} | {share:.1%} |"
        for kind, share in manifest["refused"].items()
    ]
    faults = [
        f"| {fault} | {_percent(synthetic['composites'][fault])} | "
        f"{_percent(synthetic['phantoms'][fault])} | {true['findings'][fault]:.1%} |"
        for fault in synthetic["composites"]
    ]
    either = synthetic["any_fault_auroc"]
    lines = [
        "# Gate: is it an AP lumbar spine DXA image that can be judged?",
        "",
        "Research use only. A refusal is no diagnosis, and an accepted image may still be unfit: "
        "whether a scan is technically sound is the technologist's and the clinician's to say.",
        "",
        "One linear score a fault. Three look at oriented gradients and brightness of 14×14 cells "
        "(other than a spine, upside down, cut short), four at a few measurements each. "
        "Numpy alone.",
        "",
        manifest["data"]["provenance"],
        "",
        "## True scans",
        "",
        f"Five-fold cross-validation by group, {manifest['data']['counts']['dxa']} scans: "
        f"{true['refused']:.1%} refused; with the limits, too, drawn from the other folds alone, "
        f"{true['refused_by_limits_of_other_folds']:.1%}. "
        f"{true['with_a_finding']:.1%} carry at "
        "least one finding. Nobody has labelled these scans for faults: some findings are right.",
        "",
        "## Refused, by kind",
        "",
        "Scores by a fit that saw nothing of the image's group. Held-out phantoms are drawn from "
        "other ranges than those fitted on.",
        "",
        "| kind | images | refused |",
        "|---|---|---|",
        *kinds,
        "",
        "## Faults found – SYNTHETIC",
        "",
        "Faults drawn onto true scans (cross-fitted) and phantoms with faults, both from other "
        "ranges than those fitted on. They say how well *these drawings* are found, not how often "
        "a real fault is. AUROC against clean images; named: as reason or finding; refused: for "
        "this reason.",
        "",
        "| fault | on true scans: AUROC, named, refused | phantoms: AUROC, named, refused | "
        "named in true scans |",
        "|---|---|---|---|",
        *faults,
        "",
        f"Any fault against none, AUROC: {either['composites']:.3f} on true scans, "
        f"{either['phantoms']:.3f} on phantoms. On real labels 0.91–0.94 is published for "
        "unreliable BMD; these figures cannot be set beside it.",
        "",
        "## Limits",
        "",
        "- One collection of few scans, all with drawn L1–L4 lines, none known to hold metal. "
        "Other scanners' exports may be refused more often than stated.",
        "- Movement, degeneration of one level, objects and contrast medium are not looked for: "
        "detectors of them missed 46 % or more of what was drawn, and named each on 3.5 % of true "
        "scans. They are among the images above because they must not pass for other faults; a "
        "large object may be taken for an implant, which refuses.",
        "- Lateral spine, hip and whole-body DXA were not at hand.",
        "",
    ]
    return "\n".join(lines).encode()


def _percent(found: Mapping[str, float]) -> str:
    return f"{found['auroc']:.3f}, {found['named']:.0%}, {found['refused']:.0%}"
