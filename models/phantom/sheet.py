"""A phantom on the report page that scanners print: what is sent for a scan and is none.

The gate must refuse such a page (``burned_in_sheet``); this draws as many as its tests need.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.phantom.phantom import Phantom
from models.phantom.reference import VERTEBRAE

PAGE = (850, 1100)
"""Width and height of a letter page at 100 dots per inch."""
MARGIN = 50
PAPER, INK = 255, 0


def sheet(phantom: Phantom) -> NDArray[np.uint8]:
    """Return a page (1100, 850) uint8: heading, the image at the left, results as a table.

    The heading says that it is synthetic. The figures are those that a scanner would print, the
    artefact in them.
    """
    page = Image.new("L", PAGE, PAPER)
    pen = ImageDraw.Draw(page)
    width = PAGE[0] - 2 * MARGIN
    _write(pen, (MARGIN, 40), "SYNTHETIC PHANTOM, NOT A PATIENT", 24)
    _write(pen, (MARGIN, 76), "Research use only. Bone density report", 18)
    _write(pen, (MARGIN, 110), f"Sex: {phantom.sex}    Age: {phantom.age}", 16)
    _write(pen, (MARGIN, 132), f"Scan: AP lumbar spine    Scanner: {phantom.vendor}", 16)
    pen.line([(MARGIN, 162), (MARGIN + width, 162)], fill=INK, width=2)

    picture = Image.fromarray(phantom.image)
    scale = min(0.45 * width / picture.width, 620 / picture.height)
    size = round(picture.width * scale), round(picture.height * scale)
    page.paste(picture.resize(size, Image.Resampling.BICUBIC), (MARGIN, 190))

    left = MARGIN + round(0.5 * width)
    lines = [("Region", "Area", "BMC", "BMD")]
    lines += [
        (name, f"{area:.2f}", f"{bmc:.2f}", f"{bmd:.3f}")
        for name, area, bmc, bmd in zip(
            VERTEBRAE, phantom.area, phantom.bmc, phantom.bmd, strict=True
        )
    ]
    area, bmc = float(phantom.area.sum()), float(phantom.bmc.sum())
    lines.append(("Total", f"{area:.2f}", f"{bmc:.2f}", f"{bmc / area:.3f}"))
    for index, line in enumerate(lines):
        top = 200 + 30 * index
        for column, text in enumerate(line):
            _write(pen, (left + 92 * column, top), text, 17)
        pen.line([(left, top + 25), (MARGIN + width, top + 25)], fill=128, width=1)
    below = 200 + 30 * len(lines) + 20
    _write(pen, (left, below), f"T-score L1-L4: {phantom.measured_t_score:.1f}", 20)
    _write(pen, (left, below + 34), "Preliminary until signed by a clinician.", 15)
    _write(pen, (MARGIN, PAGE[1] - 60), "Area in cm2, BMC in g, BMD in g/cm2.", 14)
    return np.asarray(page, dtype=np.uint8)


def _write(pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int) -> None:
    pen.text(at, text, fill=INK, font=ImageFont.load_default(size=size))
