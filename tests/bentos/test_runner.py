from __future__ import annotations

import subprocess
import sys

START = """
import sys
from bentos.resnet.service import Runner
before = "shap" in sys.modules
Runner.inner()
print(before, "shap" in sys.modules)
"""


def test_what_maps_need_is_loaded_before_the_runner_is_ready() -> None:
    # In a process of its own: here other tests may have loaded it.
    done = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stdout.split() == ["False", "True"]
