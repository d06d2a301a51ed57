"""``python -m loadtests``: put load on an osteoserve, judge it, compare it, and size for it.

Exit status: 0 passed, 1 the gate failed or something got worse, 2 it could not be done.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from loadtests import baseline, capacity, machine, measurement, run
from loadtests.baseline import LEAST_RUNS, BaselineError
from loadtests.capacity import CapacityError
from loadtests.machine import now
from loadtests.plan import Plan, PlanError
from loadtests.processes import ROOT, NotReadyError
from loadtests.report import Report
from loadtests.run import RunError
from loadtests.shapes import SHAPES
from loadtests.target import Target, local, wait

OUT: Final = ROOT / "var" / "load"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    # Whoever ends this ends what it has started: an exception gets to every `finally`.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        return int(options.call(options))
    except KeyboardInterrupt:
        print("osteoserve: stopped", file=sys.stderr)
        return 130
    except (PlanError, NotReadyError, RunError, BaselineError, CapacityError) as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    plan = _plan(options)
    reports = []
    with _target(options.url, options.out, options.patience) as target:
        for number in range(options.runs):
            begun = now()
            folder = options.out / f"{plan.shape}-{begun:%Y%m%d-%H%M%S}"
            print(
                f"osteoserve: {plan.shape}: {plan.requests:.0f} requests in {plan.seconds:.0f} s, "
                f"{number + 1} of {options.runs}; output in {folder}",
                flush=True,
            )
            stats = run.load(plan, target.url, folder, elsewhere=options.listen)
            report = Report.of(plan, stats, begun, local=options.url is None)
            report.write(folder)
            print("\n".join(report.lines()), flush=True)
            reports.append(report)
    stored = _baseline(options)
    worse = (
        stored.exists()
        and len(reports) >= LEAST_RUNS
        and _compare(stored, [report.document() for report in reports])
    )
    return int(worse or not all(report.passed for report in reports))


def _worker(options: argparse.Namespace) -> int:
    host, _, port = options.master.rpartition(":")
    if not host or not port.isdecimal():
        raise PlanError(f"--master is {options.master!r}; it is HOST:PORT")
    return run.worker(_plan(options), _address(options.url), host, int(port))


def _keep(options: argparse.Namespace) -> int:
    stored, found = _baseline(options), _newest(options)
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_text(json.dumps(baseline.summary(found), indent=1) + "\n", "utf-8")
    print(f"osteoserve: medians of {len(found)} runs of {options.shape} are in {stored}")
    return 0


def _against(options: argparse.Namespace) -> int:
    stored = _baseline(options)
    if not stored.exists():
        raise BaselineError(f"there is no baseline {stored}; python -m loadtests baseline makes it")
    return int(_compare(stored, _newest(options)))


def _newest(options: argparse.Namespace) -> list[dict[str, Any]]:
    return baseline.runs(options.out, options.shape)[-options.runs :]


def _compare(stored: Path, reports: Sequence[dict[str, Any]]) -> bool:
    before = json.loads(stored.read_text("utf-8"))
    worse = baseline.compare(before, baseline.summary(reports))
    for one in worse:
        print(f"WORSE {one}")
    verdict = "worse" if worse else "no worse"
    print(f"{verdict} than the baseline of {before['runs']} runs, by medians of {len(reports)}")
    return bool(worse)


def _measure(options: argparse.Namespace) -> int:
    with local(options.out) as target:
        found = measurement.measure(target, options.out, options.guess)
    found.write()
    capacity.PAGE.write_text(capacity.page(), "utf-8")
    requests, images = found.requests_per_second, found.images_per_second
    print(f"{requests:.3g} requests, {images:.3g} images a second; written to {machine.MEASURED}")
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    rate = machine.read().working_rate if options.rate is None else options.rate
    return Plan(shape=options.shape, rate=rate, workers=options.workers, scale=options.scale)


def _target(url: str | None, out: Path, patience: float) -> AbstractContextManager[Target]:
    if url is None:
        print("osteoserve: starting a local instance", flush=True)
        return local(out)
    address = _address(url)
    if patience:
        wait(address, patience)
    return nullcontext(Target(address))


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise PlanError("the address is not http://HOST[:PORT] or https://HOST[:PORT]")
    return url.rstrip("/")


def _baseline(options: argparse.Namespace) -> Path:
    path: Path | None = options.baseline
    return path or options.out / "baselines" / f"{options.shape}.json"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shapes = "; ".join(f"{name}: {shape.meaning}" for name, shape in SHAPES.items())

    def add(
        name: str, help: str, call: Callable[[argparse.Namespace], int]
    ) -> Callable[..., argparse.Action]:
        command = commands.add_parser(name, help=help)
        command.set_defaults(call=call)
        command.add_argument("--out", type=Path, default=OUT, help="folder that reports are in")
        return command.add_argument

    def shaped(argument: Callable[..., argparse.Action], runs: int) -> None:
        argument("--shape", default="steady", help=shapes)
        argument("--runs", type=_positive, default=runs, help="so many runs (the newest)")
        argument("--baseline", type=Path, help="file of medians to compare with")

    def planned(argument: Callable[..., argparse.Action]) -> None:
        rate = "working rate in requests a second; without: half of what was measured here"
        argument("--rate", type=float, help=rate)
        argument("--scale", type=float, default=1.0, help="every stage so many times as long")
        argument("--workers", type=_positive, default=1, help="processes that send")

    argument = add("run", "put load on a service; without --url on one of its own", _run)
    shaped(argument, 1)
    planned(argument)
    argument("--url", help="address of a running osteoserve")
    patience = "seconds until it answers at all; without: it is there or fails"
    argument("--patience", type=float, default=0.0, metavar="SECONDS", help=patience)
    argument("--listen", metavar="ADDRESS", help="wait here for --workers of other machines")

    argument = add("worker", "send for a run on another machine; give it the same plan", _worker)
    argument("--shape", default="steady", help=shapes)
    planned(argument)
    argument("--url", required=True, help="address of a running osteoserve")
    argument("--master", required=True, help="HOST:PORT that the run said")

    shaped(add("baseline", "keep the medians of the newest runs of a shape", _keep), LEAST_RUNS)
    shaped(add("compare", "hold the newest runs against their baseline", _against), LEAST_RUNS)

    argument = add("measure", "find what this machine serves, and write it down", _measure)
    argument("--guess", type=float, default=40.0, help="requests a second to make images for")

    capacity.add_command(
        commands.add_parser("capacity", help="how many replicas a number of scans a day takes")
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
