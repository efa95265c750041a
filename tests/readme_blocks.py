"""The generated blocks of README.md and of the help topics: ``python -m tests.readme_blocks`` writes them, ``--check``
compares.

What can be derived from the program is derived from it; figures come from ``prove.json`` and ``bench.json``, which
``make prove`` and ``make bench`` write. Where such a file is absent its block is left as it stands.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from piggy_batch.endpoints import CATALOGUE, Operation
from piggy_batch.errors import HaltError, JournalError, SetupError
from piggy_batch.exit_codes import ExitCode
from piggy_batch.manifest.doctor import CATALOGUE as FINDINGS
from piggy_batch.models import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

README = Path(__file__).parents[1] / "README.md"
DOCUMENTS = (README, *sorted((README.parent / "piggy_batch" / "cli" / "topics").glob("*.md")))
PROVE = README.parent / "prove.json"
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)

STATUS_WORDS: Mapping[Status, tuple[str, str]] = {
    Status.INVALID: ("fails the manifest check; never sent", "no"),
    Status.PENDING: ("not sent yet", "yes"),
    Status.DONE: ("carried out by this run, and the answer shows it; for reads: answered", "no"),
    Status.ALREADY: ("was so before this run, and a look confirmed that it is as asked", "no"),
    Status.ABSENT: ("reads only: the service says there is no such thing", "no"),
    Status.REJECTED: ("refused; the same row would be refused again", "with `--retry-rejected`"),
    Status.FAILED: ("certainly not carried out; sending it again may help", "yes"),
    Status.UNKNOWN: (
        "may have been carried out: sent, and no usable answer",
        "looked up first; where a repeat would happen again only with `--resend-unknown`",
    ),
}


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def operations() -> str:
    """Every row command: what it sends, its columns, what a repeat does."""
    return table(
        ["command", "request", "columns (* required)", "a second identical request"],
        [
            [f"`{o.name}`", f"{o.method} `/{o.path}`", _columns(o), f"{o.repeat_note} ({o.repeat.value})"]
            for o in CATALOGUE
            if not o.hidden
        ],
    )


def _columns(operation: Operation) -> str:
    names = [f"{c.name} *" if c.required else c.name for c in operation.columns]
    free = operation.open_columns
    if free is not None:
        names.append(f"**{free.prefix}NAME**" if free.required else f"{free.prefix}NAME")
    return ", ".join(names)


def statuses() -> str:
    """What becomes of a row."""
    return table(
        ["status", "meaning", "taken again by the same command"],
        [[f"`{status.value}`", *STATUS_WORDS[status]] for status in Status],
    )


def exit_codes() -> str:
    """What a scheduler can rely on."""
    return table(
        ["code", "meaning"],
        [
            ["0", "every row (taken) is done, already or absent; an export agreed"],
            ["1", "finished, some rows were not"],
            [str(SetupError.exit_code), "usage or setup: nothing was sent"],
            [str(HaltError.exit_code), "halted: a person has to act; run the same command later"],
            [
                str(JournalError.exit_code),
                "the run directory cannot be used: bound to another run, in use, disk full",
            ],
            [str(int(ExitCode.INTERNAL)), "an error in the program itself; the same command goes on; please report it"],
            ["130", "interrupted; everything is in the journal"],
        ],
    )


def findings() -> str:
    """What the manifest doctor knows."""
    return table(
        ["code", "finding", "weight", "values that …", "remedy"],
        [[r.code, r.slug, "blocking" if r.blocking else r.severity.value, r.what, r.remedy] for r in FINDINGS],
    )


def reliability() -> str | None:
    """What ``make prove`` did to the program, and what the stand-in counted afterwards."""
    proofs = _read(PROVE)
    rows: list[list[str]] = []
    if found := proofs.get("imports"):
        rows += [
            [
                f"{found['faults_tried']} faults x {found['operations_tried']} operations",
                f"{found['pairs_tried']:,}",
                f"{found['fault_lost']:,}",
                f"{found['fault_doubled']:,}",
            ],
            [
                "killed at each step of a row's way, restarted",
                f"{found['crash_points']:,}",
                f"{found['crash_lost']:,}",
                f"{found['crash_doubled']:,}",
            ],
            [
                f"`kill -9` at random moments of {found['kill_rows']:,} rows",
                f"{found['kills']:,}",
                f"{found['kill_lost']:,}",
                f"{found['kill_doubled']:,}",
            ],
            [
                "rows at no rate limit",
                f"{found['bulk_rows']:,}",
                f"{found['bulk_lost']:,}",
                f"{found['bulk_doubled']:,}",
            ],
        ]
    if found := proofs.get("hostile"):
        what = f"holes that attacks had found, tried again by {found['tests']:,} tests"
        rows.append([what, f"{found['holes_tried']:,}", f"open: {found['holes_open']:,}", ""])
    return table(["what was done", "tried", "effects lost", "effects doubled"], rows) if rows else None


def figures() -> str | None:
    """The other figures of ``make prove``, a sentence each."""
    proofs = _read(PROVE)
    lines: list[str] = []
    if found := proofs.get("imports"):
        lines.append(
            f"Memory: {_mib(found['bulk_peak_rss_bytes'])} for {found['bulk_rows']:,} rows sent, "
            f"{_mib(found['dry_run_peak_rss_bytes'])} for {found['dry_run_rows']:,} rows checked."
        )
    if found := proofs.get("exports"):
        truth, speed, kills = found["truth"], found["speed"], found["kills"]
        lines.append(
            f"Exports of a list that changed while it was read: {truth['verdicts'].get('agreed', 0)} of "
            f"{truth['seeds']} ended agreed, {truth['wrong']} of them wrong. Killed {kills['kills']} times on the way: "
            f"the same file as an undisturbed run. 10 in flight: {speed['ratio']:.1f} times as fast as one."
        )
    lines += proofs.get("giftcards", {}).get("lines", [])
    if found := proofs.get("migration"):
        lines.append(
            f"A migration of {found['cards']:,} cards of {found['customers']:,} customers under {found['faults']:,} "
            f"faults, {found['kills']} kills and {found['touched_by_tills']:,} changes by tills: "
            f"{found['unexplained']} cards "
            f"otherwise than listed and not reported, {found['credits_twice']} credits given twice, "
            f"{found['undo_unexplained']} cards not taken back and not listed by undo."
        )
    if found := proofs.get("reporting"):
        lines.append(
            f"A report of two snapshots of {found['cards_per_snapshot']:,} cards: {found['wall_s']:.0f} s, "
            f"{found['peak_rss_mib']:,} MiB."
        )
    if found := proofs.get("hostile"):
        lines.append(
            f"Attacks from the code and by hostile servers: {found['holes_tried']} kinds of holes were found, and are "
            f"tried again by {found['tests']:,} tests: {found['holes_open']} open."
        )
        if earlier := found.get("before"):
            lines[-1] += (
                f" {earlier['failed']:,} attacks by the command line alone were made on the version in which they were "
                f"found as well: there {earlier['holes_open']} are open."
            )
    return "\n".join(f"- {line}" for line in lines) or None


def _mib(number: int) -> str:
    return f"{number / 2**20:.0f} MiB"


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


BLOCKS: Mapping[str, Callable[[], str | None]] = {
    "operations": operations,
    "statuses": statuses,
    "exit-codes": exit_codes,
    "findings": findings,
    "reliability": reliability,
    "figures": figures,
}


def generate(text: str) -> str:
    """``text`` with every block made anew; KeyError for a block that nobody makes."""

    def fill(match: re.Match[str]) -> str:
        body = BLOCKS[match["name"]]()
        return match[0] if body is None else f"{match[1]}{body}\n{match[4]}"

    return _BLOCK.sub(fill, text)


def main(arguments: list[str]) -> int:
    """Write the blocks, or with ``--check`` say where they are not as they should be."""
    stale = []
    for path in DOCUMENTS:
        before = path.read_text(encoding="utf-8")
        after = generate(before)
        if before != after:
            stale.append(path.name)
            if arguments != ["--check"]:
                path.write_text(after, encoding="utf-8")
    if stale and arguments == ["--check"]:
        print(f"blocks differ from what the program says in {', '.join(stale)}; run: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
