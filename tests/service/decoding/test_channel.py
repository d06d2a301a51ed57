from __future__ import annotations

import os
import pickle
import socket

import numpy as np
import pytest

from service.decoding import channel
from tests.service.decoding.calls import Answer


def test_what_is_large_is_not_copied_into_the_pickle() -> None:
    data = os.urandom(1_000_000)
    head, beside = channel.encode((channel.beside(data), "a name"))
    assert len(head) < 200
    assert bytes(beside) == data


def test_a_worker_receives_bytes_as_they_were() -> None:
    ours, theirs = socket.socketpair()
    data = os.urandom(100_000)
    with ours, theirs:
        channel.send(ours, (channel.beside(data), b"few"))
        assert channel.receive(theirs) == (data, b"few")
        ours.close()
        with pytest.raises(EOFError):
            channel.receive(theirs)


def test_arrays_come_back_and_may_be_written() -> None:
    answer = Answer(1, b"few", np.arange(100, dtype=np.uint8).reshape(10, 10))
    parts = [bytearray(part) for part in channel.encode(answer)]
    again = channel.decode(parts, [Answer])
    np.testing.assert_array_equal(again.array, answer.array)
    again.array[0] = 7


class Runs:
    """Pickled so that to unpickle it is to run a command."""

    def __reduce__(self) -> object:
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    "sent",
    [
        Runs(),
        [Answer(1, b"", np.zeros(1, np.uint8)), Runs()],
        pickle.Unpickler,
        os.getcwd,
    ],
    ids=["a command", "a command beside", "a class", "a function"],
)
def test_what_would_run_is_not_unpickled(sent: object) -> None:
    with pytest.raises(channel.ChannelError, match="not agreed on"):
        channel.decode([pickle.dumps(sent, 5)], [Answer])


@pytest.mark.parametrize("sent", [b"", b"nonsense", pickle.dumps({}, 5)[:-1]])
def test_what_is_no_pickle_is_told(sent: bytes) -> None:
    with pytest.raises(channel.ChannelError):
        channel.decode([sent], [Answer])
