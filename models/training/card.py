"""The card that travels with each artefact (headings after Mitchell et al., 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.evaluation import tables
from models.evaluation.agreement import KEY
from models.evaluation.published import CLAIMS, REASON
from models.evaluation.schema import Claim, Evaluation
from models.image import recipe
from models.inference.bone import KEY as BONE_KEY
from models.manifest import Reported

TITLES: Final = {
    "cnn": "CNN trained from scratch",
    "vgg16": "VGG16 fine-tuned from ImageNet",
    "resnet": "ResNet features under a random forest",
    "bone": "Bone: a logistic regression over measurements inside the outlines",
}

INTENDED_USE: Final = """\
## Intended use

Research use only. Not cleared by any authority, not a diagnosis, not for ruling osteoporosis out,
and no replacement for the DXA T-score. Preliminary until a clinician signs. Meant for AP lumbar
DXA images of adults ≥ 50 or post-menopausal women; not for children, pregnancy, fewer than two
evaluable vertebrae, lateral, hip or whole-body scans.
"""

ETHICS: Final = """\
## Ethics

- A missed osteoporosis costs a fracture that could have been prevented; a false alarm costs worry
  and another visit. The threshold favours finding it, and the band says where nothing is claimed.
- Where no subgroups are listed, nothing shows that the model is equally good for women and men,
  for every age, body and origin. It must not decide who is treated.
- No treatment follows from a probability: that takes a T-score, a history and a clinician.
- Whoever reads a scan should read it before looking here. What a machine said first is hard to
  disregard.
- Unless the provenance says so, the consent of those shown could not be checked. Images are not
  distributed with the weights, which may still hold traces of them.
"""

LIMITS: Final = """\
## Limits

- {images} images, from one source; no external validation. Of scanners, patients and reading rules
  nothing is known beyond what is said under the training data. Read the intervals.
- The probability answers *osteoporosis rather than normal* at the training data's prevalence
  ({prevalence:.0%}). Osteopenia lies between and was a soft label, never a class.
- {subgroups}
- Which blocks of a network count, how many pixels are looked at, what copies' differences cost and
  how much osteopenia weighs were chosen on these same scans, outside the folds.
- Images of another look than those trained on are unproven. The public collection behind the
  shipped versions has drawn L1–L4 lines and stretched contrast.
"""

UNKNOWN_SUBGROUPS: Final = (
    "Sex, age, vendor and body size are not known for these images: no subgroup was looked at."
)


def base(name: str, manifest: Mapping[str, Any]) -> str:
    """Return the card of the base model ``name``."""
    claims = [claim for claim in CLAIMS if claim.key == name]
    return "\n".join(
        [
            f"# {TITLES[name]}",
            "",
            f"Weights start from: {manifest['origin']}. Recipe {recipe.NAME}.",
            "",
            INTENDED_USE,
            _data(manifest["data"]),
            _figures(manifest),
            *_agreement(manifest),
            *(_published(claims[0]) if claims else _weights(manifest)),
            _runtimes(manifest),
            *_training(manifest),
            ETHICS,
            _limits(manifest, UNKNOWN_SUBGROUPS),
        ]
    )


def _published(claim: Claim) -> list[str]:
    return [
        "## Beside the published figure",
        "",
        f"{claim.model}, accuracy {claim.accuracy:.0%}: {claim.source}. {REASON} What such a "
        "split gives on our own images stands in the stack's card.",
        "",
    ]


def _weights(manifest: Mapping[str, Any]) -> list[str]:
    """Return what each measurement of ``bone`` adds, a standard deviation above the mean."""
    weighed = manifest[BONE_KEY]
    rows = sorted(
        zip(
            weighed["names"], weighed["centre"], weighed["spread"], weighed["weights"], strict=True
        ),
        key=lambda row: -abs(row[3]),
    )
    return [
        "## What it weighs",
        "",
        "Logits that a measurement adds, a standard deviation above its mean; what each is stands "
        "in `models/vertebrae/measurements.py`.",
        "",
        "| measurement | mean | standard deviation | logits |",
        "|---|---|---|---|",
        *(f"| {n} | {c:.3f} | {s:.3f} | {w:+.2f} |" for n, c, s, w in rows),
        "",
    ]


def _agreement(manifest: Mapping[str, Any]) -> list[str]:
    """Return how alike a scan and its altered copies are judged, out of fold."""
    found = manifest.get(KEY)
    if not found or not found["copies"]:
        return []

    def share(name: str) -> str:
        return "–" if found[name] is None else f"{found[name]:.2f}"

    return [
        "## Agreement with altered copies",
        "",
        f"{found['copies']} copies of these images, each resampled, cropped, turned, re-encoded, "
        "noised or drawn on, at random and several at once; out of fold. Outcomes alike: "
        f"{found['alike']:.0%}; mean change of the probability: {found['moved']:.3f}; sensitivity "
        f"{share('copies_sensitivity')} for {share('sensitivity')}, specificity "
        f"{share('copies_specificity')} for {share('specificity')}.",
        "",
    ]


def stack(manifest: Mapping[str, Any], evaluation: Evaluation | None = None) -> str:
    """Return the card of the meta-model; without ``evaluation``, the comparisons are left out."""
    subsets = {
        key: Reported.model_validate(facts).metrics for key, facts in manifest["subsets"].items()
    }
    cells = evaluation.subgroups if evaluation else ()
    return "\n".join(
        [
            "# Stack: logistic regression over the base models' votes",
            "",
            INTENDED_USE,
            _data(manifest["data"]),
            _figures({**manifest, **next(iter(manifest["subsets"].values()))}),
            *_agreement(manifest),
            "## With base models missing",
            "",
            tables.compact(subsets, "present"),
            "",
            "## Subgroups",
            "",
            tables.subgroups(cells),
            "",
            *_comparison(evaluation),
            *_training(manifest),
            ETHICS,
            _limits(manifest, "Subgroups: see the table." if cells else UNKNOWN_SUBGROUPS),
        ]
    )


def _data(facts: Mapping[str, Any]) -> str:
    return (
        "## Training data\n\n"
        f"{facts['provenance']}\n\n"
        f"{tables.counted(facts['counts'])}; {facts['groups']} groups; "
        f"digest `{facts['digest']}`.\n"
    )


def _figures(manifest: Mapping[str, Any]) -> str:
    facts, quality = manifest["data"], Reported.model_validate(manifest)
    low, high = quality.band
    return "\n".join(
        [
            "## Metrics",
            "",
            f"Normal against osteoporosis, {facts['folds']}-fold cross-validation by group, seed "
            f"{facts['seed']}; calibration and threshold cross-fitted by the same folds; 95 % "
            "intervals from a grouped bootstrap.",
            "",
            tables.figures({"value (95 %)": quality.metrics}),
            "",
            f"Threshold {quality.threshold:.3f}; no decision between {low:.3f} and {high:.3f}.",
            "",
            tables.classes(quality.classes),
            "",
        ]
    )


def _comparison(evaluation: Evaluation | None) -> list[str]:
    if evaluation is None:
        return []
    ours = {key: report.metrics for key, report in evaluation.models.items()}
    return [
        "## Beside published figures",
        "",
        tables.published(evaluation.published, ours, evaluation.leak),
        "",
    ]


def _runtimes(manifest: Mapping[str, Any]) -> str:
    """Return what runs it, what was found to answer otherwise and is refused, and what could not be
    looked at."""
    refused = manifest.get("refused_runtimes", {})
    unchecked = manifest.get("unchecked_runtimes", [])
    lines = [
        "## Runtimes",
        "",
        "Largest difference of a probability from the network as trained, all images:",
        "",
        *(f"- {name}: {f['max_difference']:.1e}" for name, f in manifest["runtimes"].items()),
        *(
            f"- {name}: refused, {f['max_difference']:.1e} and {f['changed']} decisions changed"
            for name, f in refused.items()
        ),
        *(
            f"- {name}: not checked, the machine that trained does not have it"
            for name in unchecked
        ),
        "",
    ]
    return "\n".join(lines)


def _training(manifest: Mapping[str, Any]) -> list[str]:
    """Return what ``manifest["training"]`` says: seed, command, time, machine, what it holds."""
    facts = manifest.get("training", {})
    if not facts:
        return []
    return ["## Training", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]


def _limits(manifest: Mapping[str, Any], subgroups: str) -> str:
    counts = manifest["data"]["counts"]
    ill, well = counts["osteoporosis"], counts["normal"]
    return LIMITS.format(
        images=sum(counts.values()), prevalence=ill / max(ill + well, 1), subgroups=subgroups
    )
