"""A few of the kinds that ``make costly`` sends all of, and a cgroup as a container has one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from tests.e2e.cgroup import Group, UnavailableError, bounded
from tests.e2e.conftest import ROOT
from tests.e2e.costly import (
    EDGE_LIMIT,
    EDGE_SAMPLES,
    LARGE,
    LIMIT,
    UPLOADS,
    Notices,
    noticed,
    twice,
    worst,
)
from tests.e2e.served import memory, serving, serving_edge

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="memory as Linux counts it"),
]

KINDS = (
    "fill-in-a-scan",
    "directory-repeats-strips",
    "strips-of-one-line",
    "items-without-length",
    "png-grey-16bit",
    "dicom-jpeg-2000",
    "dicom-jpeg-lossless-restarts",
)


def _group(limit: int) -> Iterator[Group]:
    try:
        with bounded(limit) as made:
            yield made
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def group() -> Iterator[Group]:
    yield from _group(LIMIT)


@pytest.fixture
def edge_group() -> Iterator[Group]:
    yield from _group(EDGE_LIMIT)


async def test_others_are_served_while_costly_files_are_decoded(tmp_path: Path) -> None:
    async with serving(tmp_path) as (url, process):
        before = memory(process)
        notices = await noticed(url, process, twice(KINDS))
        # Generous: the machine may be busy with the tests beside this one.
        assert notices.missed(live=1.0, scan=8.0) == []
        assert process.is_running()
        started = {one.pid for one in process.children(recursive=True)}
        await asyncio.sleep(1.0)
        assert memory(process) < 1.2 * before
    assert not any(map(psutil.pid_exists, started))


async def test_a_front_at_its_worst_stays_within_the_charts_memory(
    tmp_path: Path, group: Group
) -> None:
    async with serving(tmp_path, group) as (url, process):
        notices = await noticed(url, process, worst())
        assert notices.missed(live=2.0, scan=8.0) == []
        assert len(notices.statuses["uploads of the largest size"]) == UPLOADS
        assert process.is_running()
        # It was the front that the group held, and what it shares with others counts for them.
        assert group.peak > notices.memory / 2
        assert group.kills == 0


async def test_an_edge_at_its_worst_stays_below_700_mb_and_judges_on(
    tmp_path: Path, edge_group: Group
) -> None:
    async with serving_edge(tmp_path, edge_group) as (url, process):
        notices = await noticed(url, process, worst(EDGE_SAMPLES))
        assert notices.missed(live=2.0, scan=8.0, memory=EDGE_LIMIT) == []
        # The largest images were read, so that they took what they can.
        assert all(201 in notices.statuses[name] for name in LARGE)
        assert len(notices.statuses["uploads of the largest size"]) == UPLOADS
        assert process.is_running()
        assert edge_group.peak > notices.memory / 2
        assert edge_group.kills == 0


def test_more_memory_than_is_allowed_is_told() -> None:
    notices = Notices(live=[0.01, 0.01], scans=[0.5], memory=EDGE_LIMIT)
    assert notices.missed(memory=EDGE_LIMIT) == ["it takes more than 700 MB"]
    assert notices.missed(memory=EDGE_LIMIT + 1) == []


async def test_whoever_takes_more_than_the_charts_memory_is_killed(group: Group) -> None:
    """Or the one above would prove nothing."""
    command = group.joined([sys.executable, "-c", f"bytearray({LIMIT + 2**24})"])
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == -9
    assert group.kills == 1
    assert group.peak <= LIMIT


def test_the_limit_is_the_charts() -> None:
    values = yaml.safe_load((ROOT / "helm/osteoserve/values.yaml").read_text())
    assert values["front"]["resources"]["limits"]["memory"] == f"{LIMIT // 2**30}Gi"
