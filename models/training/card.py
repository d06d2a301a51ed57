"""The card that travels with each artefact (headings after Mitchell et al., 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models import recipe
from models.metrics import Estimate

TITLES: Final = {
    "cnn": "CNN trained from scratch",
    "vgg16": "VGG16 fine-tuned from ImageNet",
    "resnet": "ResNet features under a random forest",
}

INTENDED_USE: Final = """\
## Intended use

Research use only. Not cleared by any authority, not a diagnosis, not for ruling osteoporosis out,
and no replacement for the DXA T-score. Preliminary until a clinician signs. Meant for AP lumbar
DXA images of adults ≥ 50 or post-menopausal women; not for children, pregnancy, fewer than two
evaluable vertebrae, lateral, hip or whole-body scans.
"""

LIMITS: Final = """\
## Limits

- Few images, from one public collection of unknown scanners, patients and reading rules; no
  external validation. Intervals are wide: read them.
- The probability answers *osteoporosis rather than normal* at the training data's prevalence
  ({prevalence:.0%}). Osteopenia lies between and was a soft label, never a class.
- Sex, age, vendor and body size are not known for these images: no subgroup was looked at.
- Trained on images with drawn L1–L4 lines and stretched contrast; others are unproven.
"""


def base(name: str, manifest: Mapping[str, Any]) -> str:
    """Return the card of a base model."""
    return "\n".join(
        [
            f"# {TITLES[name]}",
            "",
            f"Weights start from: {manifest['origin']}. Recipe {recipe.NAME}.",
            "",
            INTENDED_USE,
            _data(manifest["data"]),
            _figures(manifest),
            "## Runtimes",
            "",
            "Largest difference of a probability from the network as trained, all images:",
            "",
            *(f"- {n}: {f['max_difference']:.1e}" for n, f in manifest["runtimes"].items()),
            "",
            LIMITS.format(prevalence=_prevalence(manifest["data"])),
        ]
    )


def stack(manifest: Mapping[str, Any]) -> str:
    """Return the card of the meta-model."""
    rows = [
        f"| {key.replace('+', ' + ')} | {Estimate(**facts['metrics']['auroc'])} "
        f"| {Estimate(**facts['metrics']['ece'])} |"
        for key, facts in manifest["subsets"].items()
    ]
    return "\n".join(
        [
            "# Stack: logistic regression over the base models' votes",
            "",
            INTENDED_USE,
            _data(manifest["data"]),
            _figures({**manifest, **next(iter(manifest["subsets"].values()))}),
            "## With base models missing",
            "",
            "| present | AUROC | calibration error |",
            "|---|---|---|",
            *rows,
            "",
            LIMITS.format(prevalence=_prevalence(manifest["data"])),
        ]
    )


def _data(facts: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count} {label}" for label, count in facts["counts"].items())
    return (
        "## Training data\n\n"
        f"{facts['provenance']}\n\n"
        f"{counts}; {facts['groups']} groups; digest `{facts['digest']}`.\n"
    )


def _figures(manifest: Mapping[str, Any]) -> str:
    facts = manifest["data"]
    low, high = manifest["band"]
    lines = [
        "## Metrics",
        "",
        f"Normal against osteoporosis, {facts['folds']}-fold cross-validation by group, seed "
        f"{facts['seed']}; calibration and threshold cross-fitted by the same folds; 95 % "
        "intervals from a grouped bootstrap.",
        "",
        "| metric | value (95 %) |",
        "|---|---|",
        *(f"| {name} | {Estimate(**value)} |" for name, value in manifest["metrics"].items()),
        "",
        f"Threshold {manifest['threshold']:.3f}; no decision between {low:.3f} and {high:.3f}.",
        "",
        "| truth | images | osteoporosis | indeterminate | normal | mean probability |",
        "|---|---|---|---|---|---|",
    ]
    for label, row in manifest["classes"].items():
        lines.append(
            f"| {label} | {row['images']} | {row['osteoporosis']} | {row['indeterminate']} "
            f"| {row['normal']} | {row['mean_probability']:.2f} |"
        )
    return "\n".join([*lines, ""])


def _prevalence(facts: Mapping[str, Any]) -> float:
    ill, well = facts["counts"]["osteoporosis"], facts["counts"]["normal"]
    return float(ill / max(ill + well, 1))
