"""``k8s/base``: the chart as plain manifests, for those without Helm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from k8s import helm

FOLDER: Final = helm.ROOT / "k8s" / "base"
MANIFESTS: Final = FOLDER / "osteoserve.yaml"
HEAD: Final = "# Written by python -m k8s from the chart; change values.yaml, not this.\n"


def written() -> dict[Path, str]:
    # Hooks are Helm's: there is no migration Job, and the front migrates when it starts.
    text = helm.template(FOLDER / "values.yaml", hooks=False)
    text = re.sub(r"^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n", "", text, flags=re.M)
    return {MANIFESTS: HEAD + text}
