from __future__ import annotations

import numpy as np
import pytest

from models.inference.calibration import sigmoid
from models.training.stacking import fit_weights


def test_fitting_recovers_which_model_tells_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.5
    logits = {
        "cnn": rng.normal(0, 1, (300, 1)),
        "vgg16": rng.normal(np.where(truth, 2.0, -2.0), 1.0)[:, None],
    }

    fit = fit_weights(logits, truth, ("cnn", "vgg16"))

    assert abs(fit.weights["cnn"]) < 0.2 * fit.weights["vgg16"]
    assert fit.probability(logits) == pytest.approx(
        sigmoid(fit.intercept + sum(w * logits[n] for n, w in fit.weights.items()))
    )


def test_who_wavers_among_copies_of_a_scan_is_heard_less() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.5
    told = np.where(truth, 1.0, -1.0)[:, None] + rng.normal(0, 1.0, (300, 1))
    alike = np.repeat(np.where(truth, 1.0, -1.0)[:, None] + rng.normal(0, 1.0, (300, 1)), 7, 1)
    logits = {"cnn": told + rng.normal(0, 1.0, (300, 7)), "bone": alike}

    fit = fit_weights(logits, truth, ("cnn", "bone"))

    assert 0 < fit.weights["cnn"] < 0.5 * fit.weights["bone"]


def test_penalties_do_not_make_it_less_sure_than_it_may_be() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(4000) < 0.5
    logits = {"cnn": np.where(truth, 1.0, -1.0)[:, None] + rng.normal(0, 1.0, (4000, 3))}

    fit = fit_weights(logits, truth, ("cnn",))

    # The logit of two Gaussians 2σ apart is twice the measurement.
    assert fit.weights["cnn"] == pytest.approx(2.0, abs=0.15)
