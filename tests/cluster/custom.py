"""Definitions of the custom resources that the chart can make, as their projects publish them.

They come as Go modules, through the module proxy, and are checked against the sums below; none is
kept in this repository.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from tests.cluster.kubectl import KubectlError, Namespace, Object

MODULES: Final = {
    "sigs.k8s.io/gateway-api@v1.3.0": (
        "h1:q6okN+/UKDATola4JY7zXzx40WO4VISk7i9DIfOvr9M=",
        ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
    ),
    "github.com/kedacore/keda/v2@v2.21.0": (
        "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
        ["config/crd/bases/keda.sh_scaledobjects.yaml"],
    ),
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": (
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        [
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        ],
    ),
}


class UnavailableError(Exception):
    """There is no Go here, or no module proxy."""


@contextmanager
def known(space: Namespace, folder: Path) -> Iterator[list[str]]:
    """The cluster knows the definitions meanwhile; yield which it did not know before.

    Modules are downloaded into ``folder``. Raises :class:`UnavailableError`.
    """
    there = set(space.run("get", "customresourcedefinitions", "--output=name").split())
    new = [
        one
        for one in definitions(folder)
        if f"customresourcedefinition.apiextensions.k8s.io/{one['metadata']['name']}" not in there
    ]
    names = [one["metadata"]["name"] for one in new]
    try:
        for one in new:
            # Not applied: the annotation that keeps what was applied would be too long.
            space.run("create", "--filename", "-", stdin=json.dumps(one))
        for name in names:
            space.run("wait", f"crd/{name}", "--for=condition=Established", "--timeout=60s")
        yield names
    finally:
        for name in names:
            space.run("delete", "crd", name, "--ignore-not-found", "--wait=true")


def definitions(folder: Path) -> list[Object]:
    """Raises :class:`UnavailableError`, and KubectlError where a module is not what it was."""
    go = shutil.which("go")
    if go is None:
        raise UnavailableError("there is no go on PATH")
    found: list[Object] = []
    for module, (wanted, files) in MODULES.items():
        done = subprocess.run(
            [go, "mod", "download", "-json", module], cwd=folder, check=False, capture_output=True,
            text=True, env={**os.environ, "GOMODCACHE": str(folder), "GOFLAGS": "-modcacherw"},
        )  # fmt: skip
        said = json.loads(done.stdout or "{}")
        if done.returncode or "Dir" not in said:
            raise UnavailableError(said.get("Error") or done.stderr.strip())
        if said["Sum"] != wanted:
            raise KubectlError(f"{module} is {said['Sum']}, and was {wanted}")
        found += [yaml.safe_load((Path(said["Dir"]) / file).read_text("utf-8")) for file in files]
    return found
