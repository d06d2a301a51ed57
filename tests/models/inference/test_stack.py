from __future__ import annotations

from itertools import product

import pytest

from models import artifact
from models.inference import stack
from models.inference.calibration import logit
from models.inference.stack import NoBasePredictionsError, Stack
from models.types import BASES


@pytest.fixture(scope="module")
def shipped() -> Stack:
    return Stack.from_artifact(artifact.load("stack", artifact.FOLDER))


@pytest.fixture(scope="module")
def versions() -> dict[str, str]:
    return dict(artifact.load("stack", artifact.FOLDER).manifest["bases"])


def test_the_stack_was_fitted_with_the_base_models_that_are_shipped(
    versions: dict[str, str],
) -> None:
    served = artifact.served(artifact.FOLDER)

    assert versions == {name: served[name] for name in BASES}


@pytest.mark.parametrize("names", list(stack.subsets()), ids=stack.key)
def test_contributions_sum_to_the_logit(
    shipped: Stack, versions: dict[str, str], names: tuple[str, ...]
) -> None:
    votes = {
        name: (p, versions[name]) for name, p in zip(names, (0.9, 0.2, 0.6, 0.4), strict=False)
    }

    verdict = shipped.combine(votes)

    total = verdict.intercept + sum(verdict.contributions.values())
    assert float(logit(verdict.probability)) == pytest.approx(total)
    assert set(verdict.contributions) == set(names)
    assert set(verdict.missing) == set(BASES) - set(names)
    assert 0 <= verdict.band[0] <= verdict.threshold <= verdict.band[1] <= 1


@pytest.mark.parametrize("names", list(stack.subsets()), ids=stack.key)
def test_more_suspicious_votes_never_lower_the_answer(
    shipped: Stack, versions: dict[str, str], names: tuple[str, ...]
) -> None:
    for levels in product((0.1, 0.5), repeat=len(names)):
        votes = {n: (p, versions[n]) for n, p in zip(names, levels, strict=True)}
        before = shipped.combine(votes).probability
        for name in names:
            raised = {**votes, name: (0.9, versions[name])}
            assert shipped.combine(raised).probability >= before


def test_a_vote_of_an_unknown_version_counts_as_missing(
    shipped: Stack, versions: dict[str, str]
) -> None:
    verdict = shipped.combine({"cnn": (0.9, versions["cnn"]), "vgg16": (0.1, "sha256:other")})

    assert list(verdict.contributions) == ["cnn"]
    assert verdict.missing == ("vgg16", "resnet", "bone")


@pytest.mark.parametrize("votes", [{}, {"cnn": (0.5, "sha256:other")}, {"who": (0.5, "x")}])
def test_no_usable_vote_gives_no_answer(
    shipped: Stack, votes: dict[str, tuple[float, str]]
) -> None:
    with pytest.raises(NoBasePredictionsError):
        shipped.combine(votes)
