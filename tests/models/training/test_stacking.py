from __future__ import annotations

import numpy as np
import pytest

from models.inference.calibration import sigmoid
from models.training.stacking import fit_weights


def test_fitting_recovers_which_model_tells_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.5
    logits = {"cnn": rng.normal(0, 1, 300), "vgg16": rng.normal(np.where(truth, 2.0, -2.0), 1.0)}

    fit = fit_weights(logits, truth, ("cnn", "vgg16"))

    assert abs(fit.weights["cnn"]) < 0.2 * fit.weights["vgg16"]
    assert fit.probability(logits) == pytest.approx(
        sigmoid(fit.intercept + sum(w * logits[n] for n, w in fit.weights.items()))
    )
