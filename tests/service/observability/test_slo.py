"""The table of objectives: what reads it can rely on what is asserted here."""

from __future__ import annotations

import re

import pytest

from service.app import create_app
from service.http.metrics import BUCKETS
from service.observability.slo import SLO, SLOS
from service.settings import Settings

EVERY = pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)


@EVERY
def test_a_threshold_is_one_of_the_buckets(slo: SLO) -> None:
    assert slo.latency_seconds in BUCKETS


@EVERY
def test_a_target_leaves_something_to_spend(slo: SLO) -> None:
    assert 0.5 < slo.availability < 1
    assert 0.5 < slo.latency_share < 1


@EVERY
def test_a_name_is_a_slug(slo: SLO) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slo.name)


def test_no_two_speak_of_the_same() -> None:
    assert len({slo.name for slo in SLOS}) == len(SLOS)
    assert len({(slo.method, slo.route) for slo in SLOS}) == len(SLOS)


def test_every_route_is_one_that_there_is() -> None:
    routers = (getattr(one, "original_router", None) for one in create_app(Settings()).routes)
    routes = {
        (method, route.path)
        for router in routers
        for route in (router.routes if router else ())
        for method in route.methods
    }
    assert {(slo.method, slo.route) for slo in SLOS} <= routes
