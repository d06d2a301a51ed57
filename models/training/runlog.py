"""The run log: what happened while training, one JSON object a line, and its curves."""

from __future__ import annotations

import io
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import keras
from matplotlib import style
from matplotlib.figure import Figure

from models.evaluation.plots import LINES, STYLE
from models.files import replace

LOG: Final = "log.jsonl"
CURVES: Final = "curves.svg"


class RunLog:
    """Appends to ``folder/log.jsonl``; what was written before a kill stays.

    Without a folder nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def note(self, event: str, **facts: Any) -> None:
        """Append ``event`` with its ``facts`` and the time (Unix seconds)."""
        if self._folder is None:
            return
        line = json.dumps({"event": event, "time": round(time.time(), 3), **facts})
        with (self._folder / LOG).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def epochs(self, model: str, part: str) -> keras.callbacks.Callback:
        """Return a callback that notes each epoch's loss of ``model``'s ``part``."""
        return keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: self.note(
                "epoch", model=model, part=part, epoch=epoch, loss=round(float(logs["loss"]), 6)
            )
        )

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield every whole line; the last may have been cut short by a kill."""
        if self._folder is None or not (self._folder / LOG).exists():
            return
        for line in (self._folder / LOG).read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue

    def draw(self) -> None:
        """Write ``curves.svg``: training loss over epochs, a line for each fold and fit."""
        if self._folder is None:
            return
        losses: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
        for line in self.lines():
            if line["event"] == "epoch":
                losses[line["model"]][line["part"]][line["epoch"]] = line["loss"]
        if losses:
            replace(self._folder / CURVES, _curves(losses))


def _curves(losses: dict[str, dict[str, dict[int, float]]]) -> bytes:
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(4.5 * len(losses), 3.5), layout="constrained")
        panels = figure.subplots(1, len(losses), squeeze=False)[0]
        for axes, (model, parts) in zip(panels, sorted(losses.items()), strict=True):
            for by_epoch in parts.values():
                epochs = sorted(by_epoch)
                axes.plot(
                    [epoch + 1 for epoch in epochs],
                    [by_epoch[epoch] for epoch in epochs],
                    color=LINES[model].colour if model in LINES else "#000000",
                    linewidth=1.0,
                    alpha=0.7,
                )
            title = LINES[model].title if model in LINES else model.capitalize()
            axes.set_title(f"{title}: {len(parts)} fits")
            axes.set_xlabel("Epoch")
            axes.set_ylabel("Training loss")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
