"""The stack runner: ``bentoml serve bentos.stack.service:Runner``."""

from __future__ import annotations

from typing import Final

import bentoml

from bentos.admission import MAX_IMAGES
from bentos.policy import Policy
from bentos.queue import Item
from bentos.rehearsal import Example
from bentos.runner import HABITS, attended, told, watched
from bentos.wire import (
    Ballots,
    CastVote,
    DroppedAnswer,
    VerdictAnswer,
    VerdictsOutput,
    VotesInput,
    count_sets,
)
from models import artifact
from models.inference.stack import NoVotesError, Stack

Ballot = dict[str, CastVote]

policy = Policy.from_environment("stack")
queue, measures = watched("stack", policy)


@bentoml.service(name="osteoserve-stack", **HABITS)
class StackRunner:
    """Combines whichever votes arrived into one calibrated probability."""

    def __init__(self) -> None:
        self._artifact = artifact.load("stack")
        self._stack = Stack.from_artifact(self._artifact)

    @bentoml.api(
        batchable=True,
        max_batch_size=MAX_IMAGES,
        max_latency_ms=policy.max_latency_ms,
        input_spec=VotesInput,
        output_spec=VerdictsOutput,
    )
    def combine(self, items: list[Item[Ballot]]) -> list[VerdictAnswer | DroppedAnswer]:
        """Return one verdict for each set of votes."""
        return told(queue.run(items, lambda ballots: [self._verdict(one) for one in ballots]))

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


# A set without votes, which is answered like any other.
EXAMPLE: Final = Example("/combine", {}, Ballots(votes=[{}]).model_dump_json().encode())

Runner = attended(StackRunner, queue, measures, [EXAMPLE], count_sets)
