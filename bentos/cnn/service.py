"""The cnn runner: ``bentoml serve bentos.cnn.service:Runner``."""

from __future__ import annotations

from bentos.runner import base_runner

Runner = base_runner("cnn")
