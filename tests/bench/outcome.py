"""What a benchmark found, and how it is shown: on the terminal, in bench.json, in the README."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.procs import Run


IN_README = ("start", "import-cpu", "import-aiometer", "export-proven", "memory")  # by the names of the outcomes


@dataclass(frozen=True, slots=True)
class Contender:
    """One line of the comparison: medians over the rounds."""

    name: str
    per_s: float  # rows or pages a second, start and end of the process included
    cpu_ms: float  # CPU time of the process and its descendants, for each row or page
    peak_mib: float
    lacks: str  # what it does not do


@dataclass(frozen=True, slots=True)
class Outcome:
    """One target. ``ok``: met, not met, or None where it could not be measured."""

    name: str
    what: str
    target: str
    measured: str
    ok: bool | None
    figures: Mapping[str, Any] = field(default_factory=dict)
    contenders: Sequence[Contender] = ()


def contender(name: str, runs: Sequence[Run], units: int, lacks: str) -> Contender:
    """The medians of several runs of one program."""
    return Contender(
        name=name,
        per_s=round(median(units / run.wall_s for run in runs), 1),
        cpu_ms=round(median(run.cpu_s / units * 1000 for run in runs), 3),
        peak_mib=round(median(run.peak_mib for run in runs), 1),
        lacks=lacks,
    )


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of neighbouring rounds: what both met alike cancels out."""
    return round(median(a / b for a, b in zip(ours, theirs, strict=True)), 2)


def verdict(*, ok: bool | None) -> str:
    """In one word."""
    return {True: "met", False: "not met", None: "-"}[ok]


def as_json(outcomes: Sequence[Outcome], scale: float, machine: Mapping[str, Any]) -> dict[str, Any]:
    """What bench.json holds."""
    return {
        "scale": scale,
        "machine": dict(machine),
        "ok": all(o.ok is not False for o in outcomes),
        "outcomes": [asdict(o) for o in outcomes],
    }


def text_table(data: Mapping[str, Any]) -> str:
    """The targets for a terminal, then who was compared."""
    lines = _aligned([("", "what", "target", "measured"), *(_cells(o) for o in data["outcomes"])])
    for outcome in data["outcomes"]:
        if outcome["contenders"]:
            head = (outcome["what"], "a second", "CPU ms each", "peak MiB", "does not have")
            lines += ["", *_aligned([head, *(_line(c) for c in outcome["contenders"])])]
    return "\n".join(lines)


def markdown(data: Mapping[str, Any]) -> str:
    """The most telling targets for the README; ``make bench`` prints all of them, and who was compared."""
    machine = data["machine"]
    shown = [o for o in data["outcomes"] if o["name"] in IN_README]
    return "\n".join(
        [
            (
                f"Measured by `make bench`, which prints the rest, on {machine['cores']} shared cores, "
                f"Python {machine['python']}, at scale {data['scale']:g}:"
            ),
            "",
            *_markdown([("", "what", "target", "measured"), *(_cells(o) for o in shown)]),
            "",
        ]
    )


def _cells(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    return verdict(ok=outcome["ok"]), outcome["what"], outcome["target"], outcome["measured"]


def _line(found: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        found["name"],
        f"{found['per_s']:,.0f}",
        f"{found['cpu_ms']:.2f}",
        f"{found['peak_mib']:.0f}",
        found["lacks"],
    )


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [lines[0], "| " + " | ".join("---" for _ in rows[0]) + " |", *lines[1:]]
