"""The stack runner: ``bentoml serve bentos.stack.service:Runner``."""

from __future__ import annotations

import bentoml

from bentos.policy import Policy
from bentos.tracing import computing
from bentos.wire import Ballot, VerdictAnswer, VotesInput
from models import artifact
from models.stack import NoVotesError, Stack

policy = Policy.from_environment()


@bentoml.service(
    name="osteoserve-stack",
    workers=1,
    traffic={"timeout": 30},
    logging={"access": {"enabled": False}},
)
class Runner:
    """Combines whichever votes arrived into one calibrated probability."""

    def __init__(self) -> None:
        self._artifact = artifact.load("stack")
        self._stack = Stack.from_artifact(self._artifact)

    @bentoml.api(
        batchable=True,
        max_batch_size=64,
        max_latency_ms=policy.max_latency_ms,
        input_spec=VotesInput,
    )
    def combine(self, votes: list[Ballot]) -> list[VerdictAnswer]:
        """Return one verdict for each set of votes."""
        with computing("stack", [ballot.origin for ballot in votes]):
            return [self._verdict(ballot) for ballot in votes]

    def _verdict(self, votes: Ballot) -> VerdictAnswer:
        version, recipe = self._artifact.version, str(self._artifact.manifest["recipe"])
        try:
            verdict = self._stack.combine(
                {name: (vote.probability, vote.version) for name, vote in votes.items()}
            )
        except NoVotesError:
            return VerdictAnswer(
                probability=None,
                threshold=None,
                band=None,
                contributions={},
                intercept=None,
                used=[],
                missing=list(self._artifact.manifest["bases"]),
                version=version,
                recipe=recipe,
            )
        return VerdictAnswer(
            probability=verdict.probability,
            threshold=verdict.threshold,
            band=verdict.band,
            contributions=verdict.contributions,
            intercept=verdict.intercept,
            used=list(verdict.contributions),
            missing=list(verdict.missing),
            version=version,
            recipe=recipe,
        )
