"""Whether Python itself is as safe as it is known how to be."""

from __future__ import annotations

import sys
from typing import Final

LEAST: Final = {(3, 11): 10, (3, 12): 6}
"""The first patch levels without what is known to be wrong in modules that are used here: before
them, ``http.cookies`` takes quadratic time for a quoted cookie (CVE-2024-7592), and ``zipfile`` may
go round for ever in an archive (CVE-2024-8088)."""


def behind(version: tuple[int, int, int] | None = None) -> str | None:
    """Return what is wrong with this Python in a sentence, None where nothing is known to be."""
    version = sys.version_info[:3] if version is None else version
    least = LEAST.get(version[:2])
    if least is None or version[2] >= least:
        return None
    found = ".".join(map(str, version))
    return (
        f"Python {found} has known faults that {version[0]}.{version[1]}.{least} and later have "
        "not; install a later patch level"
    )


if __name__ == "__main__":
    # Said before an environment is made, with nothing installed yet.
    if (found := behind()) is not None:
        print(f"osteoserve: {found}", file=sys.stderr)
