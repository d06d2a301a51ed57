"""How long one waits for replicas that others use as well.

``load`` is in erlangs: arrivals a second times seconds of service. Arrivals are Poisson.
``variation`` is the squared coefficient of variation of the service time: 0 constant, 1
exponential.

- Erlang's C, the probability of waiting in M/M/c: A. K. Erlang, *Solution of some problems in the
  theory of probabilities of significance in automatic telephone exchanges*, 1917; computed by the
  stable recursion of his B formula.
- Mean wait in M/G/1: F. Pollaczek, 1930, and A. Khinchine, 1932; in M/G/c the two-moment
  approximation (1 + variation) / 2 of M/M/c's: A. M. Lee and P. A. Longton, 1959; A. O. Allen,
  *Probability, Statistics and Queueing Theory*, 1990, section 5.3 (Allen and Cunneen).
- The tail: who waits, waits an exponential time. Exact in M/M/c; a little too long in M/D/c, whose
  tail falls faster.
"""

from __future__ import annotations

import math


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that an arrival has to wait; 1 where the load is too much."""
    if load >= servers:
        return 1.0
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def mean_wait(servers: int, load: float, seconds: float, variation: float) -> float:
    """Return the mean wait in seconds of all arrivals at one queue before ``servers``."""
    if load >= servers:
        return math.inf
    return erlang_c(servers, load) * _patience(servers, load, seconds, variation)


def longer(wait: float, servers: int, load: float, seconds: float, variation: float) -> float:
    """Return the probability that an arrival waits longer than ``wait`` seconds."""
    if load >= servers:
        return 1.0
    return erlang_c(servers, load) * math.exp(-wait / _patience(servers, load, seconds, variation))


def _patience(servers: int, load: float, seconds: float, variation: float) -> float:
    """Return the mean wait of those that wait."""
    return seconds * (1 + variation) / 2 / (servers - load)
