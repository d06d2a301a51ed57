"""A result on one sheet of paper: the same facts as its page, drawn as a PDF."""

from __future__ import annotations

from service.predictions.report.layout import render

__all__ = ["render"]
