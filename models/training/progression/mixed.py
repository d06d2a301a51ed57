"""Fitting the linear mixed model by maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.optimize import minimize

from models.progression import series as rows
from models.progression.mixed import Mixed
from models.progression.series import COLUMNS, Floats, Series

ROUNDS: Final = 4
"""Of effects and covariance in turn; the response's covariance hangs on the effects."""

PRIOR: Final = 0.1
"""Standard deviation around nought of each effect: decides where nobody has taken a drug."""

ABSENT: Final = 1e6
"""Variance of a visit that is not there."""

_START: Final = {"slope": 0.005, "response": 0.3, "walk": 0.005, "extra": 0.002}


def fit(found: Sequence[Series]) -> Mixed:
    """Return the most likely model of ``found``, which have two visits or more each."""
    most = max(len(one.times) for one in found)
    design = np.zeros((len(found), most, COLUMNS + 1))
    logs, times = np.zeros((len(found), most)), np.zeros((len(found), most))
    noise, known = np.full((len(found), most), ABSENT), np.zeros((len(found), most))
    for number, one in enumerate(found):
        n = len(one.times)
        design[number, :n, 0] = 1.0
        design[number, :n, 1:] = rows.seen(one)
        logs[number, :n], times[number, :n] = one.logs, one.times
        noise[number, :n], known[number, :n] = one.noise, 1.0
    spreads = dict(_START)
    effects = np.zeros(COLUMNS + 1)
    for turn in range(ROUNDS):
        model = _model(effects, {**spreads, "response": 0.0} if turn == 0 else spreads)
        whole = _covariance(model, design, times, noise, known)
        weights = np.asarray(np.linalg.inv(whole), np.float64)
        effects = _effects(design, logs, weights)
        left = logs - design @ effects

        def cost(logarithms: Floats, left: Floats = left, effects: Floats = effects) -> float:
            tried = _model(effects, dict(zip(_START, np.exp(logarithms), strict=True)))
            whole = _covariance(tried, design, times, noise, known)
            _, logs_of = np.linalg.slogdet(whole)
            inner = np.linalg.solve(whole, left[..., None])[..., 0]
            return float((logs_of + (left * inner).sum(axis=1)).mean())

        begun = np.log(list(spreads.values()))
        options = {"maxiter": 160, "xatol": 0.02, "fatol": 1e-5}
        best = minimize(cost, begun, method="Nelder-Mead", options=options).x
        spreads = dict(zip(_START, map(float, np.exp(best)), strict=True))
    return _model(effects, spreads)


def _model(effects: Floats, spreads: dict[str, float]) -> Mixed:
    told = tuple(float(f"{one:.6g}") for one in effects[1:])
    return Mixed(effects=told, **{name: float(f"{it:.6g}") for name, it in spreads.items()})


def _covariance(
    model: Mixed, design: Floats, times: Floats, noise: Floats, known: Floats
) -> Floats:
    whole = model.covariance(times, model.drugs(design[..., 1:]))
    whole = whole * known[..., :, None] * known[..., None, :]
    there = np.arange(times.shape[1])
    whole[:, there, there] += noise + model.extra**2
    return whole


def _effects(design: Floats, logs: Floats, weights: Floats) -> Floats:
    """Return the generalised least squares, with a little of a prior."""
    weighted = np.einsum("nij,njp->nip", weights, design)
    left = np.einsum("nip,niq->pq", weighted, design)
    right = np.einsum("nip,ni->p", weighted, logs)
    prior = np.full(len(left), 1 / PRIOR**2)
    prior[0] = 0.0
    return np.asarray(np.linalg.solve(left + np.diag(prior), right))
