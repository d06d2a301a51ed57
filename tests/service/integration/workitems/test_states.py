"""The state machine of work items, each transition by the table of the standard."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from service.integration.ledger.schemas import WorkitemState
from service.integration.workitems.schemas import WORDS, verdict

STATES = get_args(WorkitemState)
SCHEDULED, RUNNING, COMPLETED, CANCELED = STATES

TABLE = {
    # What is asked for with the transaction UID of whoever has claimed it (PS3.4 table CC.1.1-2).
    (SCHEDULED, RUNNING, True): "change",
    (SCHEDULED, COMPLETED, True): "inconsistent",
    (SCHEDULED, CANCELED, True): "inconsistent",
    (RUNNING, RUNNING, True): "inconsistent",
    (RUNNING, COMPLETED, True): "change",
    (RUNNING, CANCELED, True): "change",
    (COMPLETED, RUNNING, True): "inconsistent",
    (COMPLETED, COMPLETED, True): "already",
    (COMPLETED, CANCELED, True): "inconsistent",
    (CANCELED, RUNNING, True): "inconsistent",
    (CANCELED, COMPLETED, True): "inconsistent",
    (CANCELED, CANCELED, True): "already",
    # With another. Whoever claims an item brings a new one, which none is the other of.
    (SCHEDULED, RUNNING, False): "change",
    (SCHEDULED, COMPLETED, False): "inconsistent",
    (SCHEDULED, CANCELED, False): "inconsistent",
    (RUNNING, RUNNING, False): "inconsistent",
    (RUNNING, COMPLETED, False): "incorrect",
    (RUNNING, CANCELED, False): "incorrect",
    (COMPLETED, RUNNING, False): "inconsistent",
    (COMPLETED, COMPLETED, False): "incorrect",
    (COMPLETED, CANCELED, False): "incorrect",
    (CANCELED, RUNNING, False): "inconsistent",
    (CANCELED, COMPLETED, False): "incorrect",
    (CANCELED, CANCELED, False): "incorrect",
}


def test_the_table_has_every_request_that_there_is() -> None:
    every = set(itertools.product(STATES, STATES[1:], (True, False)))
    assert TABLE.keys() == every
    assert WORDS.keys() == set(STATES)


@pytest.mark.parametrize("asked", TABLE)
def test_each_transition_is_the_table_s(asked: tuple[WorkitemState, WorkitemState, bool]) -> None:
    assert verdict(*asked) == TABLE[asked]


@pytest.mark.parametrize("now", STATES)
@pytest.mark.parametrize("wanted", STATES[1:])
def test_nothing_is_changed_without_a_transaction_uid(
    now: WorkitemState, wanted: WorkitemState
) -> None:
    assert verdict(now, wanted, None) == "missing"
