"""``docs/benchmarks/README.md``, from ``results.json`` and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from loadtests.benchmark.contenders import CONTENDERS, LIMIT
from loadtests.benchmark.results import RATIOS, TARGETS

FILE: Final = "README.md"

INTRODUCTION: Final = """\
# Benchmarks

What this project does in a second, what its peers do with the same models on the same machine,
and what the machine could do at most. Written by `make bench` from [`results.json`](results.json),
which has every step of every round; a test holds the two together.
"""

METHOD: Final = """\
## How it is measured

- **Open loop.** One process sends over HTTP on loopback when a request is due, whatever became of
  those before, and latency counts from then. Poisson arrivals, the same ones for all.
- **Images that no server has seen**: phantoms as PNG, 8 bits, about 380×240, each under other
  noise.
- **Throughput** is the highest rate at which 99 % are answered within a second, all of them whole,
  none refused; found by halving to within 5 %. With `--rounds` above 1 those that decide a ratio,
  or come within 15 % of it, are started afresh and searched again, in turn, and medians taken.
- **Every contender reads, gates, prepares and scores by `models/`** and the same artefacts. What
  differs is what carries an image from one to the other: `loadtests/benchmark/servers`, written as
  each one's documentation advises, batches of up to 8. Each runs in an environment of its own,
  locked in `requirements/bench-*.txt`.
- **Keras** of the peers is its graph in float32, in batches filled up to a power of two: faster
  than `predict`, which the plain contender calls. **Our runtime** is what this project takes by
  itself.
- **Answers are held against Keras in float32**: all of the first 32 images and one in 50 under
  load, no outcome changed and no probability off by more than 0.01. Wrong answers count as no
  throughput.
- **Ray Serve** runs without its HAProxy ingress, whose replicas would take requests from anywhere.
  All contenders run in a network of their own that has loopback and nothing else.
- **Shares of the limit** are what compares. A virtual machine's pace drifts within minutes by more
  than contenders differ, so before and after every step the bare runtime is asked what it does just
  then, the server's processes stopped meanwhile, since some compute while nobody asks. A step
  offers a share of that, and is done again where the two differ by over 15 %. A contender's share
  is its throughput over their mean; ratios are those of shares.
- **CPU** is that of all processes of a contender at its throughput; **memory** the sum of their
  proportional set sizes, at most. Senders and servers run at the same priority.
- **The limit** is the three networks and the stack on prepared images in one process, each in its
  best batch: no HTTP, no reading, no gate. With those it is the second figure.

`python -m loadtests.benchmark --help` measures one thing at a time.
"""

ASKED: Final = {
    "plain": "the plain way",
    "best_peer_keras": "the best peer with Keras models",
    "best_peer_same_runtime": "the best peer with our runtime, a process a model",
    "best_peer_one_process": "the best peer with our runtime, one process",
    "limit": "the limit",
}


def table(results: Mapping[str, Any]) -> str:
    """Return the page. Sections that a run did not measure are left out."""
    parts = [INTRODUCTION, *_machine(results)]
    if "contenders" in results:
        parts += _ratios(results)
        parts += _contenders(results["contenders"])
    for name, section in _SECTIONS.items():
        if name in results:
            parts += section(results[name])
    return "\n".join((*parts, METHOD))


def _machine(results: Mapping[str, Any]) -> Iterator[str]:
    machine = results["machine"]
    yield (
        f"{machine['usable_cpus']} CPUs of {machine['cpu']}"
        f"{' (virtual)' if machine['virtual'] else ''}, with "
        f"{', '.join(machine['features'])}; {machine['memory_gb']:.0f} GB; {machine['system']}; "
        f"Python {machine['python']}. `{results['command']}`, {results['minutes']:.0f} minutes; "
        f"rounds of searches: {results['load'].get('rounds', 0)}.\n"
    )


def _ratios(results: Mapping[str, Any]) -> Iterator[str]:
    yield "## Ours divided by theirs\n"
    yield "| | ratio | to reach | |\n|---|---|---|---|"
    for name in RATIOS:
        found = results["ratios"].get(name)
        if found is None:
            continue
        against = results["contenders"][results["against"][name]]["title"]
        reached = "reached" if found >= TARGETS[name] else "**not reached**"
        yield f"| {ASKED[name]} ({against}) | {found:.2f} | {TARGETS[name]:g} | {reached} |"
    yield "\n![Throughput of each contender](throughput.svg)\n"


def _contenders(contenders: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "## Contenders\n"
    yield (
        "| | images/s | share of the limit | p50, p99 at half of it, ms | CPU ms an image "
        "| memory, GB | ready after, s | answers checked |\n|---|---|---|---|---|---|---|---|"
    )
    ordered = sorted(contenders.items(), key=lambda one: -float(one[1].get("share_of_limit", 0.0)))
    for name, found in ordered:
        yield _contender(name, found)
    missing = [one.title for name, one in CONTENDERS.items() if name not in contenders]
    if missing:
        yield f"\nNot measured in this run: {'; '.join(missing)}."
    limit = contenders.get(LIMIT, {})
    if "images_per_second_from_files" in limit:
        yield (
            f"\nThe limit from files, reading, gate and recipe included: "
            f"{limit['images_per_second_from_files']:.1f} images/s, "
            f"{1000 * limit['cpu_seconds_per_image_from_files']:.0f} CPU ms an image. "
            f"It ran on {', '.join(f'{k}: {v}' for k, v in limit['runtimes'].items())}.\n"
        )
    ours = contenders.get("osteoserve", {}).get("cpu_seconds_per_image")
    if ours:
        parts = (f"{name} {1000 * spent:.1f}" for name, spent in ours.items() if name != "total")
        yield f"CPU ms an image of this project's processes: {', '.join(parts)}.\n"
    versions = {k: v for one in contenders.values() for k, v in one.get("versions", {}).items()}
    yield "Versions: " + ", ".join(f"{name} {v}" for name, v in sorted(versions.items())) + ".\n"


def _contender(name: str, found: Mapping[str, Any]) -> str:
    title = f"**{found['title']}**" if name == "osteoserve" else found["title"]
    if "error" in found:
        return f"| {title} | failed | – | – | – | – | – | – |"
    checked = found["checked"]
    right = f"{checked['answers']}, off by {checked['largest']:.4f} at most"
    if not checked["holds"]:
        right += f", **wrong**: {checked['changed']} outcomes changed, {checked['missing']} missing"
    latency = "–"
    if found.get("p50_ms_at_half") is not None:
        latency = f"{found['p50_ms_at_half']:.0f}, {found['p99_ms_at_half']:.0f}"
    cpu = found["cpu_seconds_per_image"].get("total")
    return (
        f"| {title} | {found['images_per_second']:.1f} | {found['share_of_limit']:.2f} | "
        f"{latency} | {'–' if cpu is None else f'{1000 * cpu:.0f}'} | "
        f"{found['peak_memory_mb'] / 1000:.2f} | {found['start_seconds']:.1f} | {right} |"
    )


def _one(found: Mapping[str, Any]) -> Iterator[str]:
    alone = ", ".join(f"{name} {ms:.1f}" for name, ms in found["models_alone_ms"].items())
    yield "## One warm request alone\n"
    yield (
        f"From the front to its answer: median {found['p50_ms']:.1f} ms, p99 "
        f"{found['p99_ms']:.1f} ms. The base models alone take {alone} ms, so "
        f"{found['allowed_ms']:.1f} ms are allowed: {_kept(found)}.\n"
    )


def _front(found: Mapping[str, Any]) -> Iterator[str]:
    yield "## The front and the whole\n"
    yield (
        f"The front takes {found['cpu_ms']:.1f} CPU ms a request beyond the runners "
        f"({found['allowed_ms']:g} are allowed), reading, gate and recipe included; the whole "
        f"stack occupies {found['peak_memory_mb'] / 1000:.2f} GB at most (2.5 are allowed): "
        f"{_kept(found)}.\n"
    )


def _overload(found: Mapping[str, Any]) -> Iterator[str]:
    yield "## Twice its capacity\n"
    yield (
        f"{found['offered']:.1f} images/s for {found['seconds']:.0f} s where "
        f"{found['capacity']:.1f} keep the p99: {found['answered']} answered in full "
        f"({found['goodput']:.1f}/s), {found['degraded']} by some models, {found['shed']} refused "
        f"with 503 or 429 ({found['without_retry_after']} without Retry-After), {found['other']} "
        f"otherwise. The longest wait was {found['longest_seconds']:.1f} s of "
        f"{found['deadline_seconds']:g}; memory grew {found['memory_growth']:.2f}-fold: "
        f"{_kept(found)}.\n"
    )


def _linear(found: Mapping[str, Any]) -> Iterator[str]:
    yield "## More clients, more images\n"
    yield "| | s | images/s | CPU ms an image | times the limit's | p50, ms | p99, ms |"
    yield "|---|---|---|---|---|---|---|"
    for row in found["clients"]:
        yield f"| {row['clients']} clients, {row['images']} images {_row(row)}"
    for row in found["images"]:
        yield f"| {row['images']} images, 8 clients {_row(row)}"
    yield (
        "\nCPU an image, as a multiple of what the limit took just then, "
        f"grows by no more than 15 %: {_kept(found)}.\n"
    )
    yield "![Time and CPU against images and clients](linear.svg)\n"


def _row(row: Mapping[str, Any]) -> str:
    return (
        f"| {row['seconds']:.1f} | {row['images_per_second']:.1f} | {row['cpu_ms']:.1f} | "
        f"{row['cost']:.2f} | {row['p50_ms']:.0f} | {row['p99_ms']:.0f} |"
    )


def _kept(found: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {'kept' if one else '**not kept**'}" for name, one in found["kept"].items()
    )


_SECTIONS: Final = {"one": _one, "front": _front, "overload": _overload, "linear": _linear}
