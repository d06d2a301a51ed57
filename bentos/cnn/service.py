"""The cnn runner: ``bentoml serve bentos.cnn.service:Runner``."""

from __future__ import annotations

from bentos.base import base_runner

Runner = base_runner("cnn")
