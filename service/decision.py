"""From a calibrated probability to an outcome, by the models' own rule."""

from models.decision import decide

__all__ = ["decide"]
