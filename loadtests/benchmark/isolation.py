"""A network of the benchmark's own: loopback and nothing else.

Ray Serve's replicas listen on every interface for one another, which no setting changes, and its
agents on fixed ports. In a network namespace nobody else sees either.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

INSIDE: Final = "OSTEOSERVE_BENCH_ISOLATED"
"""Set in the environment of the one that was started inside."""


def isolated() -> bool:
    return os.environ.get(INSIDE) == "1"


def enter(arguments: Sequence[str]) -> None:
    """Begin anew inside such a network; return where there is none to be had."""
    if isolated() or shutil.which("unshare") is None or shutil.which("ip") is None:
        return
    # Whoever is not root becomes so in a namespace of users, towards nobody else.
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    inside = ("unshare", *user, "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    if subprocess.run([*inside, "true"], check=False, capture_output=True).returncode:  # noqa: S603 - as above
        return
    command = (*inside, sys.executable, "-m", "loadtests.benchmark", *arguments)
    os.execvpe(command[0], command, {**os.environ, INSIDE: "1"})  # noqa: S606 - our own module
