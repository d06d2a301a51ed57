"""Readings of scores, fractures and FRAX that many rules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from service.medicine.densitometry import LEAST_VERTEBRAE, OSTEOPOROSIS, range_of
from service.medicine.guidance.facts import Facts, Fracture, FractureSite, Scores, Site
from service.medicine.guidance.logic import NO, Because, Finding, every, fact, neither, some
from service.medicine.guidance.person import postmenopausal, t_scores_apply

CENTRAL: Final[tuple[Site, ...]] = ("lumbar_spine", "total_hip", "femoral_neck")
HIP: Final[tuple[Site, ...]] = ("total_hip", "femoral_neck")


def valid_sites(facts: Facts) -> tuple[Site, ...]:
    """The sites whose scores count: a spine of two vertebrae or more, the radius where needed."""
    spine_counts = facts.evaluable_vertebrae is None or facts.evaluable_vertebrae >= LEAST_VERTEBRAE
    sites = tuple(site for site in CENTRAL if site != "lumbar_spine" or spine_counts)
    if facts.forearm_indicated or (
        facts.forearm_indicated is None and not _given(facts.t_scores, sites)
        and facts.t_scores.one_third_radius is not None
    ):  # fmt: skip
        return (*sites, "one_third_radius")
    return sites


def _given(scores: Scores, sites: tuple[Site, ...]) -> list[tuple[float, Site]]:
    return [(score, site) for site in sites if (score := getattr(scores, site, None)) is not None]


def lowest_t(
    facts: Facts, holds: Callable[[float], bool], sites: tuple[Site, ...] | None = None
) -> Finding:
    """Find whether the lowest T-score that was given ``holds``; the lowest of the sites counts."""
    return _lowest(
        "t_scores", facts.t_scores, valid_sites(facts) if sites is None else sites, holds
    )


def any_t(
    facts: Facts, holds: Callable[[float], bool], sites: tuple[Site, ...] | None = None
) -> Finding:
    """Find whether a T-score ``holds``; while none does, a site that is not given may yet."""
    sites = valid_sites(facts) if sites is None else sites
    return some(*(fact(f"t_scores.{site}", getattr(facts.t_scores, site), holds) for site in sites))


def lowest_z(facts: Facts, holds: Callable[[float], bool]) -> Finding:
    return _lowest("z_scores", facts.z_scores, CENTRAL, holds)


def _lowest(
    name: str, scores: Scores, sites: tuple[Site, ...], holds: Callable[[float], bool]
) -> Finding:
    given = _given(scores, sites)
    if not given:
        return Finding(None, missing=tuple(f"{name}.{site}" for site in sites))
    score, site = min(given)
    return fact(f"{name}.{site}", score, holds)


def central(facts: Facts) -> tuple[Site, ...]:
    """Spine and hip sites that count: those that BHOF names."""
    return tuple(site for site in valid_sites(facts) if site in CENTRAL)


def osteoporosis_range(facts: Facts) -> Finding:
    return every(t_scores_apply(facts), any_t(facts, lambda t: t <= OSTEOPOROSIS))


def low_mass_range(facts: Facts, sites: tuple[Site, ...] | None = None) -> Finding:
    found = lowest_t(facts, lambda t: range_of(t) == "low_mass", sites)
    return every(t_scores_apply(facts), found)


def normal_range(facts: Facts) -> Finding:
    return every(t_scores_apply(facts), lowest_t(facts, lambda t: range_of(t) == "normal"))


def fracture(facts: Facts, *sites: FractureSite) -> Finding:
    """A fragility fracture, at one of ``sites`` if any are named."""
    return _fracture(facts, lambda it: not sites or it.site in sites)


def _fracture(facts: Facts, holds: Callable[[Fracture], bool]) -> Finding:
    if facts.fractures is None:
        return Finding(None, missing=("fractures",))
    found = [Because("fractures", it.site) for it in facts.fractures if holds(it)]
    return Finding(True, tuple(dict.fromkeys(found))) if found else NO


def recent_fracture(facts: Facts, months: int = 12, *sites: FractureSite) -> Finding:
    """Within the last ``months``, at one of ``sites`` if any are named."""

    def recent(it: Fracture) -> Finding:
        if sites and it.site not in sites:
            return NO
        found = fact("fractures.months_ago", it.months_ago, lambda n: n <= months)
        return every(Finding(True, (Because("fractures", it.site),)), found) if sites else found

    return _each(facts, recent)


def fracture_on_therapy(facts: Facts) -> Finding:
    return _each(facts, lambda it: fact("fractures.on_therapy", it.on_therapy, bool))


def _each(facts: Facts, found: Callable[[Fracture], Finding]) -> Finding:
    if facts.fractures is None:
        return Finding(None, missing=("fractures",))
    return some(*(found(it) for it in facts.fractures))


def several_fractures(facts: Facts) -> Finding:
    count = None if facts.fractures is None else len(facts.fractures)
    found = fact("fractures.number", count, lambda n: n >= 2)
    return found if count is not None else Finding(None, missing=("fractures",))


def frax(facts: Facts, major: Callable[[float], bool], hip: Callable[[float], bool]) -> Finding:
    return some(fact("frax_major", facts.frax_major, major), fact("frax_hip", facts.frax_hip, hip))


def treatment_threshold(facts: Facts) -> Finding:
    """BHOF 2022, any of its four: what opens the question which drug."""
    return some(*thresholds(facts))


def thresholds(facts: Facts) -> tuple[Finding, Finding, Finding, Finding]:
    """BHOF 2022 (AACE 2020 has the same): fracture, T-score, FRAX, low mass with a fracture."""
    applies = t_scores_apply(facts)
    low_mass = low_mass_range(facts, central(facts))
    return (
        every(applies, fracture(facts, "hip", "vertebra")),
        every(applies, any_t(facts, lambda t: t <= OSTEOPOROSIS, central(facts))),
        every(low_mass, frax(facts, lambda p: p >= 20, lambda p: p >= 3)),
        every(low_mass, fracture(facts, "humerus", "pelvis", "forearm")),
    )


def very_high_risk(facts: Facts) -> Finding:
    """AACE 2020, among post-menopausal women whom it would treat."""
    return every(postmenopausal(facts), marked_risk(facts))


def marked_risk(facts: Facts) -> Finding:
    """What AACE 2020 calls very high risk, in whomever it or BHOF would treat."""
    marks = some(
        recent_fracture(facts),
        fracture_on_therapy(facts),
        several_fractures(facts),
        any_t(facts, lambda t: t < -3.0, central(facts)),
        fact("high_fall_risk", facts.high_fall_risk, bool),
        frax(facts, lambda p: p > 30, lambda p: p > 4.5),
    )
    return every(treatment_threshold(facts), marks)


def height_lost(facts: Facts, centimetres: float, *, more: bool = False) -> Finding:
    """``centimetres`` or more since the greatest height; ``more``: not as much as that alone."""
    now, before = facts.height_cm, facts.tallest_cm
    if now is None and before is None:
        return NO  # asked for only where one of the two is known
    if now is None or before is None:
        return Finding(None, missing=("height_cm" if now is None else "tallest_cm",))
    because = (Because("height_cm", now), Because("tallest_cm", before))
    # Of two heights to a tenth: 164.1 − 160 is 4.1.
    lost = round(before - now, 1)
    enough = lost > centimetres if more else lost >= centimetres
    return Finding(True, because) if enough else NO


def untested(facts: Facts) -> Finding:
    """Neither a T-score nor a fracture nor a diagnosis nor a drug is known."""
    return neither(
        Finding(bool(_given(facts.t_scores, (*CENTRAL, "one_third_radius")))),
        Finding(bool(facts.fractures)),
        Finding(facts.diagnosed_before is True),
        Finding(facts.drug not in (None, "none")),
    )
