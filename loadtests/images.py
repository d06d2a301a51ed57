"""Images that no service has seen before, made ahead of the load. Phantoms, never a scan.

Every image is one of a dozen phantoms under grey noise, so that no cache answers. Encoding takes
up to 4 ms of a core, perhaps the service's: hence ahead, into a file that ends with the process.
One in twenty lies upside down, which the gate refuses.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
from PIL import Image

from models import phantom
from models.phantom import Artefact, Phantom, dicom

PHANTOMS: Final = 12
REFUSED_SHARE: Final = 0.05
NOISE: Final = 2
Encode = Callable[[Phantom, int], bytes]


@dataclass(frozen=True)
class Format:
    """``weight`` of a hundred images come so, as ``media_type``, made by ``encode``."""

    weight: int
    media_type: str
    encode: Encode


@dataclass(frozen=True)
class Upload:
    format: str
    media_type: str
    data: bytes


def _raster(one: Phantom, _number: int, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(one.image).save(buffer, kind, **options)
    return buffer.getvalue()


def _dicom(one: Phantom, number: int, **options: Any) -> bytes:
    return dicom.encode(one, patient=f"LOAD-{number}", **options)


FORMATS: Final[Mapping[str, Format]] = {
    "dicom": Format(25, "application/dicom", _dicom),
    "dicom-12bit": Format(10, "application/dicom", partial(_dicom, bits=12)),
    "dicom-inverted": Format(5, "application/dicom", partial(_dicom, photometric="MONOCHROME1")),
    "png": Format(30, "image/png", partial(_raster, kind="PNG", compress_level=1)),
    "jpeg": Format(20, "image/jpeg", partial(_raster, kind="JPEG", quality=92)),
    "tiff": Format(10, "image/tiff", partial(_raster, kind="TIFF")),
}
"""What scanners and archives send, and how often: an assumption, as the mix."""


def phantoms(seed: int) -> list[Phantom]:
    return [one for _, _, one in phantom.drawn(PHANTOMS, seed, artefact=Artefact.NONE)]


class Images:
    """A queue of uploads. One that is taken when the queue is empty is made there and then."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._bases = phantoms(seed)
        weights = np.array([one.weight for one in FORMATS.values()], float)
        self._shares = weights / weights.sum()
        self._serial = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the queue
        self._places: list[tuple[str, int, int]] = []
        self._taken = 0
        self.seconds = 0.0
        """Spent on making images ahead."""
        self.late = 0
        """Made while the load ran, because more were taken than were planned."""

    def __len__(self) -> int:
        return len(self._places) - self._taken

    def make(self, count: int) -> None:
        begun = time.perf_counter()
        for _ in range(count):
            one = self._made()
            self._places.append((one.format, self._file.tell(), len(one.data)))
            self._file.write(one.data)
        self._file.flush()
        self.seconds += time.perf_counter() - begun

    def take(self) -> Upload:
        if not len(self):
            self.late += 1
            return self._made()
        name, place, size = self._places[self._taken]
        self._taken += 1
        self._file.seek(place)
        return Upload(name, FORMATS[name].media_type, self._file.read(size))

    def close(self) -> None:
        self._file.close()

    def _made(self) -> Upload:
        rng = self._rng
        one = noisy(self._bases[rng.integers(len(self._bases))], rng)
        if rng.random() < REFUSED_SHARE:
            # Upside down.
            one = replace(one, image=one.image[::-1].copy(), level=one.level[::-1].copy())
        name = str(rng.choice(list(FORMATS), p=self._shares))
        self._serial += 1
        return Upload(name, FORMATS[name].media_type, FORMATS[name].encode(one, self._serial))


def noisy(one: Phantom, rng: np.random.Generator) -> Phantom:
    """Return the same picture in other pixels."""
    noise = rng.integers(-NOISE, NOISE + 1, one.image.shape, dtype=np.int16)
    image = np.clip(one.image + noise, 0, 255).astype(np.uint8)
    level = np.clip(one.level + noise.astype(np.float32) / 255, 0, 1).astype(np.float32)
    return replace(one, image=image, level=level)
