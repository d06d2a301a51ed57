"""``python -m loadtests``: put load on an osteoserve, judge it, compare it, and size for it.

Exit status: 0 passed, 1 the gate failed or something got worse, 2 it could not be done.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import urlsplit

from loadtests import baseline, capacity, machine, measurement, run
from loadtests.baseline import BaselineError
from loadtests.capacity import CapacityError
from loadtests.front import ROOT, Front, FrontError, own, wait
from loadtests.plan import Plan, PlanError
from loadtests.report import Report, now
from loadtests.run import RunError
from loadtests.shapes import SHAPES

OUT: Final = ROOT / "var" / "load"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    # Whoever ends this ends what it has started: an exception gets to every `finally`.
    signal.signal(signal.SIGTERM, _stopped)
    try:
        return int(options.call(options))
    except KeyboardInterrupt:
        print("osteoserve: stopped", file=sys.stderr)
        return 130
    except (PlanError, FrontError, RunError, BaselineError, CapacityError) as error:
        print(f"osteoserve: {error}", file=sys.stderr)
        return 2


def _stopped(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _run(options: argparse.Namespace) -> int:
    plan = _plan(options)
    reports = []
    with _front(options.url, options.out, options.patience) as front:
        for number in range(options.runs):
            begun = now()
            folder = options.out / f"{plan.shape}-{begun:%Y%m%d-%H%M%S}"
            print(
                f"osteoserve: {plan.shape}: {plan.requests:.0f} requests in {plan.seconds:.0f} s, "
                f"{number + 1} of {options.runs}; output in {folder}",
                flush=True,
            )
            tally = run.load(plan, front.url, folder, elsewhere=options.listen)
            report = Report.of(plan, tally, begun, own=options.url is None)
            report.write(folder)
            print("\n".join(report.lines()), flush=True)
            reports.append(report)
    worse = False
    stored = _baseline(options)
    if stored.exists() and options.runs >= baseline.LEAST_RUNS:
        worse = _compare(stored, [report.document() for report in reports])
    return int(worse or not all(report.passed for report in reports))


def _worker(options: argparse.Namespace) -> int:
    host, _, port = options.master.rpartition(":")
    if not host or not port.isdecimal():
        raise PlanError(f"--master is {options.master!r}; it is HOST:PORT")
    return run.worker(_plan(options), _address(options.url), host, int(port))


def _keep(options: argparse.Namespace) -> int:
    found = baseline.runs(options.out, options.shape)[-options.runs :]
    stored = _baseline(options)
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_text(json.dumps(baseline.summary(found), indent=1) + "\n", "utf-8")
    print(f"osteoserve: medians of {len(found)} runs of {options.shape} are in {stored}")
    return 0


def _against(options: argparse.Namespace) -> int:
    stored = _baseline(options)
    if not stored.exists():
        raise BaselineError(f"there is no baseline {stored}; python -m loadtests baseline makes it")
    return int(_compare(stored, baseline.runs(options.out, options.shape)[-options.runs :]))


def _compare(stored: Path, reports: Sequence[dict[str, object]]) -> bool:
    before = json.loads(stored.read_text("utf-8"))
    worse = baseline.compare(before, baseline.summary(reports))
    for one in worse:
        print(f"WORSE {one}")
    print(
        f"{'worse' if worse else 'no worse'} than the baseline of {before['runs']} runs, by "
        f"medians of {len(reports)}"
    )
    return bool(worse)


def _measure(options: argparse.Namespace) -> int:
    with own(options.out) as front:
        found = measurement.measure(front, options.out, options.guess)
    found.write()
    # Where there is no benchmark its costs are what the capacity page rests on.
    capacity.write_page()
    print(
        f"osteoserve: {found.requests_per_second:.3g} requests a second of the mix, "
        f"{found.images_per_second:.3g} images a second; written to {machine.MEASURED}"
    )
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    rate = machine.read().working_rate if options.rate is None else options.rate
    return Plan(shape=options.shape, rate=rate, workers=options.workers, scale=options.scale)


@contextmanager
def _front(url: str | None, out: Path, patience: float) -> Iterator[Front]:
    if url is not None:
        address = _address(url)
        if patience:
            wait(address, patience)
        yield Front(address)
        return
    print("osteoserve: starting one of our own", flush=True)
    with own(out) as front:
        yield front


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

    def add(name: str, help: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help)
        command.add_argument(
            "--out", type=Path, default=OUT, help="folder that reports are kept in"
        )
        return command

    def shaped(command: argparse.ArgumentParser, runs: int) -> None:
        command.add_argument("--shape", default="steady", help=shapes)
        command.add_argument(
            "--runs", type=_positive, default=runs, help="so many runs (the newest)"
        )
        command.add_argument("--baseline", type=Path, help="file of medians to compare with")

    def planned(command: argparse.ArgumentParser, workers: int) -> None:
        command.add_argument(
            "--rate",
            type=float,
            help="working rate in requests a second; without: half of what this machine was "
            "measured to serve",
        )
        command.add_argument(
            "--scale", type=float, default=1.0, help="makes every stage so many times as long"
        )
        command.add_argument(
            "--workers", type=_positive, default=workers, help="processes that ask"
        )

    command = add("run", "put load on a service; without --url on one that it starts and stops")
    shaped(command, 1)
    planned(command, 1)
    command.add_argument("--url", help="address of a running osteoserve")
    command.add_argument(
        "--patience",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="let it take so long until it answers at all; without: it is there or fails",
    )
    command.add_argument(
        "--listen", metavar="ADDRESS", help="wait here for --workers of other machines"
    )
    command.set_defaults(call=_run)

    command = add("worker", "ask on behalf of a run on another machine; give it the same plan")
    command.add_argument("--shape", default="steady", help=shapes)
    planned(command, 1)
    command.add_argument("--url", required=True, help="address of a running osteoserve")
    command.add_argument("--master", required=True, help="HOST:PORT that the run said")
    command.set_defaults(call=_worker)

    command = add("baseline", "keep the medians of the newest runs of a shape")
    shaped(command, baseline.LEAST_RUNS)
    command.set_defaults(call=_keep)

    command = add("compare", "hold the newest runs of a shape against its baseline")
    shaped(command, baseline.LEAST_RUNS)
    command.set_defaults(call=_against)

    command = add("measure", "find what this machine serves, and write it down for shapes")
    command.add_argument(
        "--guess", type=float, default=40.0, help="requests a second to make images for"
    )
    command.set_defaults(call=_measure)

    capacity.add_command(commands)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
