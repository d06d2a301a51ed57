"""Files of public projects' own test suites, where an installed package brings them.

``CORPUS=folder`` adds all files of a folder, such as an unpacked source archive of Pillow.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

FOLDERS: Final[Mapping[str, str]] = {
    "pydicom": "data",
    "data_store": ".",  # pydicom-data's
    "PIL": ".",
    "imageio": ".",
    "skimage": ".",
    "tifffile": ".",
    "matplotlib": "mpl-data",
    "scipy": "ndimage/tests",
    "sklearn": "datasets/images",
    "networkx": "drawing/tests",
}
"""Where in a package its files are."""
IMAGES: Final = ("png", "apng", "jpg", "jpeg", "jfif", "mpo", "tif", "tiff", "dcm")
OTHERS: Final = ("bmp", "gif", "webp", "avif", "heic", "jxl", "jp2", "j2k", "ico", "svg", "pdf")
LARGEST: Final = 20_000_000
"""Bytes; more are no test file."""


def files() -> dict[str, Path]:
    """Return the files that are here, by package and name."""
    found = dict(_of_packages())
    if folder := os.environ.get("CORPUS"):
        found |= {str(path): path for path in _below(Path(folder))}
    return found


def _of_packages() -> Iterator[tuple[str, Path]]:
    for package, folder in FOLDERS.items():
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            for path in _below(Path(place) / folder):
                if path.suffix.lower()[1:] in IMAGES + OTHERS or package == "pydicom":
                    yield f"{package}/{path.relative_to(place)}", path


def _below(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc", ".so")
        and path.stat().st_size <= LARGEST
    )
