from __future__ import annotations

from pathlib import Path

import pytest

from models.runtime import cpus


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        pytest.param({"cpu.max": "150000 100000"}, 1.5, id="v2 with a quota"),
        pytest.param({"cpu.max": "max 100000"}, None, id="v2 without"),
        pytest.param(
            {"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            2.0,
            id="v1 with a quota",
        ),
        pytest.param(
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            None,
            id="v1 without",
        ),
        pytest.param({}, None, id="no cgroup"),
    ],
)
def test_the_quota_of_the_cgroup(tmp_path: Path, files: dict[str, str], quota: float) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    assert cpus._cgroup_quota(tmp_path) == quota


def test_at_least_one_cpu() -> None:
    assert cpus.usable_cpus() >= 1


@pytest.mark.parametrize(
    ("told", "has"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni\n", True),
        ("flags\t\t: fpu avx2 avx_vnni avx_vnni_int8\n", True),
        ("flags\t\t: fpu avx2 avx_vnni_int8\n", False),
        ("Features\t: fp asimd asimddp\n", False),
        (None, False),
    ],
)
def test_vnni_is_read_from_the_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None, has: bool
) -> None:
    path = tmp_path / "cpuinfo"
    if told is not None:
        path.write_text(told)
    monkeypatch.setattr(cpus, "CPUINFO", path)

    assert cpus.has_vnni() is has


@pytest.mark.parametrize(
    ("told", "has"),
    [
        ("flags\t\t: fpu avx512_bf16 amx_bf16 amx_tile amx_int8\n", True),
        ("flags\t\t: fpu avx512_bf16 avx512_vnni\n", False),
    ],
)
def test_amx_is_read_from_the_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, has: bool
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(told)
    monkeypatch.setattr(cpus, "CPUINFO", path)

    assert cpus.has_amx() is has
