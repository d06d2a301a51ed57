"""The linear mixed model: what is expected of a patient, pulled towards what their visits show.

With y the logarithm of BMD at t years::

    y(t) = level + x(t)·effects + slope·t + response·drugs(t) + walk(t) + noise

``x`` are age by sex, weight and drugs (:mod:`models.progression.series`); level, slope and response
are the patient's own, normal around what is expected (Laird and Ware, Biometrics 1982;38:963), the
walk is Brownian, and the noise is the facility's precision and little else. All of it is normal, so
that what is expected of the future is a matrix away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.progression import series as rows
from models.progression.series import DRUGS, Floats, Series

LEVEL: Final = 0.3
"""Standard deviation of a person's own level: wide, so that it is theirs alone and no machine's."""


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """The model's parameters; standard deviations are of logarithms, ``slope`` a year."""

    effects: tuple[float, ...]
    slope: float
    response: float
    walk: float
    extra: float

    def expected(self, design: Floats) -> Floats:
        return np.asarray(design @ np.array(self.effects))

    def drugs(self, design: Floats) -> Floats:
        """Return the part of what is expected that comes from drugs."""
        return np.asarray(design[..., DRUGS] @ np.array(self.effects[DRUGS]))

    def covariance(self, times: Floats, drugs: Floats) -> Floats:
        """Return that of the true logarithms at ``times``, of one patient or a stack of them."""
        earlier = np.minimum(times[..., :, None], times[..., None, :])
        # Before the first visit nobody has walked; the level has all of that.
        return np.asarray(
            LEVEL**2
            + self.slope**2 * times[..., :, None] * times[..., None, :]
            + self.response**2 * drugs[..., :, None] * drugs[..., None, :]
            + self.walk**2 * earlier
        )

    def predict(self, series: Series, years: Floats) -> tuple[Floats, Floats]:
        """Return mean and covariance of the true logarithm ``years`` after the last visit."""
        before, after = rows.seen(series), rows.ahead(series, years)
        both = np.concatenate([before, after])
        times = np.concatenate([series.times, series.times[-1] + years])
        whole = self.covariance(times, self.drugs(both))
        n = len(series.times)
        seen = whole[:n, :n] + np.diag(series.noise + self.extra**2)
        expected = self.expected(both)
        # Around the mean of what was seen: the level has no mean of its own.
        centre = float(np.mean(series.logs - expected[:n]))
        gain = np.linalg.solve(seen, whole[:n, n:]).T
        mean = centre + expected[n:] + gain @ (series.logs - centre - expected[:n])
        return mean, whole[n:, n:] - gain @ whole[:n, n:]
