from __future__ import annotations

import pytest

from service import supervisor


@pytest.mark.parametrize(("cpus", "half"), [(1, "1"), (2, "1"), (16, "8")])
def test_quick_runners_compute_on_half_of_the_cpus(
    monkeypatch: pytest.MonkeyPatch, cpus: int, half: str
) -> None:
    monkeypatch.delenv("OSTEOSERVE_THREADS", raising=False)
    monkeypatch.setattr(supervisor, "usable_cpus", lambda: cpus)
    found = {name: supervisor.threads(name) for name in supervisor.RUNNERS}
    assert found == {
        "cnn": {"OSTEOSERVE_THREADS": half},
        "vgg16": {},
        "resnet": {"OSTEOSERVE_THREADS": half},
        "stack": {},
    }


def test_threads_that_are_set_already_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTEOSERVE_THREADS", "3")
    assert [supervisor.threads(name) for name in supervisor.RUNNERS] == [{}] * 4
