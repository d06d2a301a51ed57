"""From a calibrated probability to an outcome, by the models' own rules."""

from models.decision import decide
from models.vertebrae.findings import questioned

__all__ = ["decide", "questioned"]
