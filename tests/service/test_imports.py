from __future__ import annotations

import subprocess
import sys
import textwrap

FORBIDDEN = (
    "tensorflow", "keras", "openvino", "bentoml", "sklearn", "scipy", "shap", "matplotlib",
)  # fmt: skip


def test_settings_need_little() -> None:
    """They are read before anything else, by every command."""
    code = "import sys, service.settings; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(found.stdout.split())
    assert not loaded & {"babel", "fastapi", "markdown_it", "sqlalchemy", "service.exams.schemas"}


def test_the_front_needs_no_model_library() -> None:
    code = textwrap.dedent(f"""
        import importlib, pkgutil, sys

        class Wall:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {FORBIDDEN}:
                    raise ImportError(f"{{name}} must not be imported by the front")

        sys.meta_path.insert(0, Wall())
        import service

        names = [m.name for m in pkgutil.walk_packages(service.__path__, "service.")]
        skipped = ("service.__main__", "service.storage.migrations.env")
        for name in names:
            # The edge's image has what computes models, and the front's image has no edge.
            if name not in skipped and not name.startswith("service.edge"):
                importlib.import_module(name)
        print(len(names))
    """)
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 25
