"""Files that others made to try their readers with: read as those do, or plainly refused."""

from __future__ import annotations

import io
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pydicom.pixels import pixel_array

from models.image.errors import ScanError
from models.image.scan import Scan
from models.reading import Limits, codecs, dataset, frame, read, sniff
from tests.models.reading import corpus
from tests.models.reading.refusals import check

FILES = corpus.files()
ANY_SIZE = Limits(min_side=2)
SECONDS = 2.0
"""Of a processor; the costliest, JPEG 2000 of three megapixels, takes half a second."""

every_file = pytest.mark.parametrize("path", FILES.values(), ids=FILES)


def attempt(data: bytes, limits: Limits) -> Scan | None:
    """Return the scan in ``data``, None where it is refused as it should be; nothing else ends."""
    started = time.process_time()
    try:
        return read(data, limits)
    except ScanError as error:
        check(error)
        return None
    finally:
        assert time.process_time() - started < SECONDS


@every_file
def test_is_read_or_refused(path: Path) -> None:
    data = path.read_bytes()
    scan = attempt(data, Limits())
    if scan is not None:
        assert scan.pixels.dtype == (np.uint8 if scan.bits == 8 else np.uint16)
        assert int(scan.pixels.max()) < 1 << scan.bits


def shown_by_pillow(data: bytes) -> NDArray[Any] | None:
    """Return the grey that Pillow shows, None where it shows none that says what it is."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            # Of 16 bits Pillow does not invert what is declared white.
            if image.mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(262) == 0:
                return None
            # Beside one in EXIF, an orientation in a text counts for nothing.
            for text in ("XML:com.adobe.xmp", "Raw profile type exif", "xmp"):
                image.info.pop(text, None)
            turned = ImageOps.exif_transpose(image)
    except Exception:
        return None
    if turned.mode.startswith("I;16"):
        return np.asarray(turned)
    if turned.mode in ("LA", "RGBA"):
        turned = turned.convert(turned.mode[:-1])
    if turned.mode == "P":
        turned = turned.convert("RGB")
    return np.asarray(turned.convert("L")) if turned.mode in ("1", "L", "RGB") else None


RASTERS = {
    name: path for name, path in FILES.items() if sniff(path.read_bytes()) not in (None, "dicom")
}


@pytest.mark.parametrize("path", RASTERS.values(), ids=RASTERS)
def test_pixels_are_those_that_pillow_shows(path: Path) -> None:
    data = path.read_bytes()
    scan = attempt(data, ANY_SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what these files are made to show
        expected = shown_by_pillow(data)
    if scan is not None and expected is not None:
        np.testing.assert_array_equal(scan.pixels, expected)


def decoded(data: bytes) -> tuple[frame.Frame, NDArray[Any]]:
    file = dataset.parse(data, ANY_SIZE)
    described = frame.describe(file.dataset, ANY_SIZE)
    return described, codecs.decode(file, described)


def readable() -> dict[str, Path]:
    found = {}
    for name, path in FILES.items():
        data = path.read_bytes()
        if sniff(data) == "dicom":
            try:
                decoded(data)
            except ScanError:
                continue
            found[name] = path
    return found


READABLE = readable()


def test_enough_of_pydicoms_files_are_read_to_compare() -> None:
    syntaxes = {
        dataset.parse(path.read_bytes(), ANY_SIZE).syntax.codec for path in READABLE.values()
    }
    assert syntaxes == set(codecs.DECODERS)
    assert len(READABLE) >= 40


@pytest.mark.parametrize("path", READABLE.values(), ids=READABLE)
def test_stored_values_are_those_that_pydicom_decodes(path: Path) -> None:
    described, codes = decoded(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = pixel_array(pydicom.dcmread(path, force=True), raw=False)
        except (AttributeError, RuntimeError):
            pytest.skip("no decoder of pydicom's own for this one")
    values = codes.astype(int)
    if described.signed:
        values = (values ^ (1 << described.bits - 1)) - (1 << described.bits - 1)
    # Conversions from YBR round differently.
    tolerance = 1 if described.photometric.startswith("YBR_FULL") else 0
    assert np.abs(values - expected.astype(int)).max() <= tolerance
