"""What an export says of itself: its plan, its summary, and why its verdict is what it is. All pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import describe_account
from piggy_batch.exporting.completeness import Completeness, ReadState, explain, overall
from piggy_batch.exporting.pages import parse_count
from piggy_batch.text import duration, iso, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from piggy_batch.endpoints.exportable_lists import Listing
    from piggy_batch.exporting.options import ExportOptions
    from piggy_batch.exporting.output import RowBuilder
    from piggy_batch.models import Json


_FEW_ODD = 10  # odd values that are few whatever the size of the list, and that are named one by one


@dataclass(frozen=True, slots=True)
class ListSummary:
    """How far one list of an export has come."""

    label: str  # what it is limited to; empty for everything
    filters: Mapping[str, str]
    state: ReadState
    held: int  # objects seen and not known to be deleted
    vanished: tuple[int, list[str]]  # objects deleted while it was read: how many, and the first hundred


@dataclass(frozen=True, slots=True)
class PagePlan:
    """Pages of all lists of an export."""

    once: int  # read once
    planned: int  # of all passes
    kept: int  # of these, in the store already
    lists: int


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What an export's file holds, and what it took. Moments are seconds since the epoch."""

    count: int
    oldest_s: float | None
    newest_s: float | None
    changed: int
    changes: Sequence[tuple[str, int | None, int | None]]  # the first hundred: key, first reading, last reading
    requests: int
    started_s: float | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class ProgramCounts:
    """What the programs' own ``card_count`` adds up to, and how that compares with the file; None: not known."""

    total: int | None = None
    words: str | None = None


def plan_lines(
    listing: Listing,
    options: ExportOptions,
    pages: PagePlan,
    *,
    account: Mapping[str, Any],
    base_url: str,
    resumed: Path | None,
    proxy: str | None,
) -> tuple[str, ...]:
    """What an export is about to do, a line each. ``resumed``: the run directory of one that goes on."""
    # One count for each list, one ping, and the programs' own counts.
    left = pages.planned - (pages.kept if resumed else 0) + pages.lists + 2
    rate = options.connection.rate
    least_s = rate.least_s(left)
    took = f", at least {duration(least_s)}" if least_s else ""
    quick = options.reading.quick
    twice = "each page once: --quick" if quick else "each page twice: the second reading is the proof"
    lines = [
        f"plan: {listing.name} for account {describe_account(dict(account))} at {base_url}",
        f"pages: {pages.once:,} of up to {options.reading.page_size} {listing.unit}, {twice}",
        f"requests: about {left:,}, rate {rate.describe(options.connection.reserve)}{took}",
    ]
    if resumed:
        lines.insert(1, f"going on with the export in {resumed}: {pages.kept:,} pages are there")
    if proxy:
        lines.append(f"proxy: {proxy}")
    return tuple(lines)


def explanation(unit: str, lists: Sequence[ListSummary], programs: ProgramCounts) -> tuple[str, ...]:
    """Why the verdict is what it is, a sentence for each list, and what the programs' own counts say."""
    lines = [
        f"{one.label}: {explain(one.state, unit, one.held)}" if len(lists) > 1 else explain(one.state, unit, one.held)
        for one in lists
    ]
    if overall([one.state for one in lists]) is Completeness.AGREED_APART:
        lines.append(
            f"each of these lists is proven at a moment of its own: {unit} that moved from one to another in between "
            "may be in none of them. Export again when less changes, or everything at once"
        )
    return (*lines, programs.words) if programs.words else tuple(lines)


def compare_with_programs(
    programs: Sequence[Mapping[str, Json]] | None, wanted: set[str | None], held: int
) -> ProgramCounts:
    """Add up the ``card_count`` of the ``wanted`` programs ({None}: of all) and compare it with the file's ``held``."""
    counts = [
        parse_count(p.get("card_count")) for p in programs or () if wanted == {None} or str(p.get("uuid")) in wanted
    ]
    if None in counts or not counts:
        return ProgramCounts()
    total = sum(n for n in counts if n is not None)
    if total == held:
        return ProgramCounts(total, f"the programs' own card counts add up to {total:,} as well")
    return ProgramCounts(
        total,
        f"the programs' own card counts add up to {total:,}, this file has {held:,}: cards without a program, "
        "or cards made or removed since, would explain a difference",
    )


def summarise(
    listing: Listing, options: ExportOptions, lists: Sequence[ListSummary], facts: FileFacts, programs: ProgramCounts
) -> dict[str, Any]:
    """The summary as far as reading decides it; the caller adds account, address, end and exit code."""
    moments = [one.state.latest for one in lists]
    totals = [total for one in lists if (total := _total(one.state)) is not None]
    verdict = overall([one.state for one in lists])
    key, group = listing.fields[0].name, listing.group_filter
    return {
        "verdict": verdict.value,
        "agreed": verdict is Completeness.AGREED,
        "explanation": list(explanation(listing.unit, lists, programs)),
        listing.unit: facts.count,
        "total": sum(totals) if lists and None not in moments else None,
        "passes": max((one.state.number for one in lists), default=0),
        "requests": facts.requests,
        "vanished": sum(one.vanished[0] for one in lists),
        "vanished_list": [name for one in lists for name in one.vanished[1]][:100],
        "changed": facts.changed,
        "changed_list": [{key: k, "from": was, "to": now} for k, was, now in facts.changes],
        "oldest_reading": iso(facts.oldest_s),
        "newest_reading": iso(facts.newest_s),
        "moment": iso(_moment_s(lists)),
        "program_uuids": [f[group] for f in options.filters if group in f] if group else [],
        "filters": [dict(f) for f in options.filters if f],
        "walks": [_list_summary(one) for one in lists] if len(lists) > 1 else [],
        "programs_count": programs.total,
        "file": options.to.name,
        "started_at": iso(facts.started_s),
        "elapsed_s": round(facts.elapsed_s, 3),
    }


def odd_values(listing: Listing, builder: RowBuilder) -> dict[str, Any]:
    """What the summary says of values that do not fit their column.

    One odd card is the card's, and named; where more than one row in a hundred is odd, the column is not understood,
    and the export is no proof of it.
    """
    key = listing.fields[0].name
    most = max(builder.unreadable.values(), default=0)
    return {
        "unreadable": dict(builder.unreadable),
        "unreadable_list": [{key: odd.key, "column": odd.column, "raw": odd.raw} for odd in builder.odd],
        "understood": most <= max(_FEW_ODD, builder.count // 100),
    }


def odd_words(listing: Listing, builder: RowBuilder) -> list[str]:
    """The same for a person: the first odd values with their text, and how many there are."""
    key = listing.fields[0].name
    lines = [
        f'{key} {odd.key}: {odd.column} "{printable(odd.raw)}" cannot be read; it is blank in the file'
        for odd in builder.odd[:_FEW_ODD]
    ]
    for name, number in builder.unreadable.items():
        if number > _FEW_ODD:
            lines.append(f"{number:,} values of {name} cannot be read, and are blank in the file")
    return lines


def about(listing: Listing, summary: Mapping[str, Any], builder: RowBuilder) -> list[tuple[str, str]]:
    """What a workbook's last sheet says of its rows."""
    account = summary["account"]
    return [
        ("export", listing.name),
        ("account", describe_account(account) if account else ""),
        ("verdict", summary["verdict"]),
        *(("", line) for line in summary["explanation"]),
        (listing.unit, f"{summary[listing.unit]:,}"),
        ("as of", summary["moment"] or ""),
        ("read", f"{summary['oldest_reading'] or ''} to {summary['newest_reading'] or ''}"),
        ("times", "moments in this workbook are in UTC"),
        *(("cannot be read", line) for line in odd_words(listing, builder)),
    ]


def _moment_s(lists: Sequence[ListSummary]) -> float | None:
    """The earliest moment that the verdict speaks of: of the counts that fitted, else of the latest ones."""
    fitted = [one.state.pending for one in lists]
    counts = fitted if None not in fitted else [one.state.latest for one in lists]
    return min((count.at for count in counts if count is not None), default=None)


def _list_summary(one: ListSummary) -> dict[str, Any]:
    moment = one.state.moment
    return {
        **one.filters,
        "verdict": (one.state.verdict or Completeness.UNFINISHED).value,
        "total": _total(one.state),
        "passes": one.state.number,
        "moment": iso(moment.at) if moment else None,
    }


def _total(state: ReadState) -> int | None:
    return state.moment.total if state.moment else None
