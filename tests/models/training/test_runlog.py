"""The run log survives a kill and is drawn."""

from __future__ import annotations

import json
from pathlib import Path

from lxml import etree

from models.training.runlog import CURVES, LOG, RunLog


def test_events_are_lines_of_json_in_the_order_they_happened(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "run")

    log.note("start", images=3)
    log.note("fold", model="cnn", part="fold-0")

    lines = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    assert [line["event"] for line in lines] == ["start", "fold"]
    assert lines[0]["images"] == 3
    assert lines[0]["time"] <= lines[1]["time"]


def test_a_line_cut_short_by_a_kill_does_not_hide_the_others(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    log.note("start")
    with (tmp_path / LOG).open("a") as file:
        file.write('{"event": "epo')

    assert [line["event"] for line in log.lines()] == ["start"]


def test_curves_show_a_panel_a_model_and_a_line_a_fit(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    for model in ("cnn", "vgg16"):
        for part in ("fold-0", "fold-1"):
            for epoch in range(3):
                log.note("epoch", model=model, part=part, epoch=epoch, loss=1 / (epoch + 1))

    log.draw()

    texts = [
        "".join(text.itertext())
        for text in etree.parse(tmp_path / CURVES).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert "CNN: 2 fits" in texts
    assert "VGG16: 2 fits" in texts


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    log = RunLog(None)

    log.note("start")
    log.draw()

    assert list(log.lines()) == []
    assert list(tmp_path.iterdir()) == []
