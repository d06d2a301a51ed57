"""Where what `hospital/install` gets lies: the system's own, or Debian's packages unpacked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
UNPACKED: Final = ROOT / ".venv" / "hospital"
RECORD: Final = ROOT / ".venv" / "record"
"""The record's server and all that it needs, as jars."""


def tool(name: str) -> str | None:
    """Return where the program ``name`` lies; None where there is none."""
    unpacked = os.pathsep.join(str(UNPACKED / "usr" / part) for part in ("bin", "sbin"))
    return shutil.which(name) or shutil.which(name, path=unpacked)


def environment() -> dict[str, str]:
    """Return the variables by which what was unpacked finds its own."""
    libraries = [str(one) for one in (UNPACKED / "usr" / "lib").glob("*-linux-gnu")]
    told = {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}
    for dictionary in UNPACKED.glob("usr/share/libdcmtk*/dicom.dic"):
        told["DCMDICTPATH"] = str(dictionary)
    return told


def plugin(name: str) -> Path | None:
    """Return where a plugin of Orthanc lies; None where there is none."""
    places = (Path("/"), UNPACKED)
    found = (one / "usr" / "share" / "orthanc" / "plugins" / name for one in places)
    return next((one for one in found if one.exists()), None)
