"""The machine of one export: run directory, account, plan, walks, file, summary, exit code.

What makes an export "agreed" is argued in :mod:`piggy_batch.exporting.list_reader`. Several filters are several
walks, each read and proven on its own; the export agreed when all of them did.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import check_account, describe_account, fetch_account
from piggy_batch.errors import HaltError, JournalError, SetupError
from piggy_batch.exporting.completeness import Completeness, explain, overall
from piggy_batch.exporting.list_reader import ListReader, StoppedError
from piggy_batch.exporting.options import GOOD, ExportOptions, ExportResult, default_run_dir, format_of, summary_path
from piggy_batch.exporting.output import RowBuilder, write_kept
from piggy_batch.exporting.pages import parse_count
from piggy_batch.exporting.programs import read_programs
from piggy_batch.exporting.staging import StagingStore
from piggy_batch.files import write_json
from piggy_batch.runs.context import RunContext, open_session, shared_pace
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.signals import Signals
from piggy_batch.tables import warm_up
from piggy_batch.text import duration, iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from piggy_batch.endpoints.listings import Listing
    from piggy_batch.models import Json


async def export(listing: Listing, options: ExportOptions, context: RunContext) -> ExportResult:
    """Write a whole list into a file, or go on with an export that was interrupted.

    Raises SetupError, HaltError (the service never answered) and JournalError; how an export ended that began
    is in the result. Where it does not end, the file stays as it was before.
    """
    kind = format_of(options.to)
    if len({json.dumps(dict(f), sort_keys=True) for f in options.filters}) < len(options.filters):
        raise SetupError("a filter is given twice; give each --program once")
    run_dir = options.run_dir or default_run_dir(options.to)
    if run_dir.resolve() == options.to.resolve():
        raise SetupError(f"{options.to}: the file and its --run-dir need different names")
    with RunDir(run_dir) as directory:
        if options.run_dir is None:  # under this lock no other process writes beside this file
            for left in options.to.parent.glob(f".{_literal(options.to.name)}.*.part"):
                left.unlink(missing_ok=True)
        parts = StagingStore.open(directory.path, threaded=context.threaded)
        if parts.get("finished") or parts.get("binding") is None:
            parts.discard()  # it ended before its store was removed, or before its first page
            parts = StagingStore.open(directory.path, threaded=context.threaded)
        try:
            return await _Export(listing, options, context, parts, kind).go()
        finally:
            if parts.get("finished") or parts.get("binding") is None:
                parts.discard()
            else:
                parts.close()


class _Export:
    def __init__(
        self, listing: Listing, options: ExportOptions, context: RunContext, parts: StagingStore, kind: str
    ) -> None:
        self.listing = listing
        self.options = options
        self.context = context
        self.parts = parts
        self.kind = kind
        self.notes: list[str] = []
        self.programs: list[dict[str, Json]] | None = None
        self.session = open_session(options.connection, context)
        self._pages = 0

    def _grow(self, pages: int) -> None:
        self._pages += pages
        self.context.progress.total(self._pages)

    async def go(self) -> ExportResult:
        parts, context, session = self.parts, self.context, self.session
        self._check(self._binding())
        known = "everything read so far is kept"
        async with session.client:
            with Signals(context) as signals:
                account = await fetch_account(session, context.target, parts)
                signals.allow_graceful_stop(session.stop, units="pages", known=known)
                check_account(parts, account, parts.directory)
                parts.set("account", account)
                with shared_pace(context, session, account, self.options.to.name):
                    return await self._run(account)

    def _binding(self) -> dict[str, Json]:
        options, terms = self.options, self.options.terms
        return {
            "command": self.listing.name,
            "file": str(options.to.resolve()),
            "--base-url": self.context.target.base_url,
            "filters": [dict(f) for f in options.filters],
            "--page-size": terms.page_size,
            "--extra": terms.extra,
            "columns": [f.name for f in self.listing.fields],
        }

    def _check(self, binding: Mapping[str, Json]) -> None:
        was = self.parts.get("binding")
        for name, value in binding.items():
            if was is not None and was.get(name) != value:
                raise JournalError(
                    f"{self.parts.directory} holds an unfinished export with {name} {_shown(was.get(name))}, this "
                    f"command has {name} {_shown(value)}; use the same, name another --run-dir, or remove that "
                    "directory to begin anew"
                )

    async def _run(self, account: dict[str, Any]) -> ExportResult:
        parts, session, clock = self.parts, self.session, self.context.clock
        parts.begin(clock.wall())
        walks: list[ListReader] = []
        exit_code, halt = 4, None
        warm = asyncio.create_task(asyncio.to_thread(warm_up, self.kind)) if self.context.threaded else None
        try:
            try:
                walks = [
                    ListReader(
                        self.listing, f, number, parts, session, self.options.terms, self.context.progress, self._grow
                    )
                    for number, f in enumerate(self.options.filters, 1)
                ]
                await self._walk(walks, account)
                exit_code = 0 if all(w.state.verdict in GOOD for w in walks) else 1
            except (StoppedError, HaltError) as error:
                halt = session.halt_reason or (str(error) if isinstance(error, HaltError) else None)
                exit_code = 3 if halt else 130
        finally:
            if warm is not None:
                await warm
            parts.finish(clock.wall(), exit_code, session.tally)
        if exit_code in (3, 130):
            return self._unfinished(walks, account, exit_code, halt)
        return await self._finish(walks, account, exit_code)

    async def _walk(self, walks: Sequence[ListReader], account: dict[str, Any]) -> None:
        resumed = any(self.parts.pages_read(walk.walk, 1) for walk in walks)
        for walk in walks:
            await walk.begin()
        self.parts.set("binding", self._binding())
        self.context.progress.log_to(self.parts.directory / "run.log")
        for line in self._plan(walks, account, resumed=resumed):
            self.context.progress.say(line)
        self._grow(sum(self._pages_of(walk) for walk in walks) - self._kept(walks))
        for walk in walks:
            if walk.label and len(walks) > 1:
                self.session.notify(f"{walk.label}: {walk.pages:,} pages")
            await walk.go()
        if self.listing.group is not None:
            with contextlib.suppress(StoppedError):
                self.programs = await read_programs(self.session)

    def _pages_of(self, walk: ListReader) -> int:
        """Pages that a walk reads in all as far as planned."""
        return walk.pages * max(walk.state.number, 1 if self.options.terms.quick else 2)

    def _kept(self, walks: Sequence[ListReader]) -> int:
        """Pages that are there already, of all passes."""
        return sum(len(self.parts.pages_read(walk.walk, n)) for walk in walks for n in range(1, walk.state.number + 1))

    # --- the end -----------------------------------------------------------------------------------------

    async def _finish(self, walks: Sequence[ListReader], account: dict[str, Any], exit_code: int) -> ExportResult:
        """Write file and summary, then forget the store: the next run begins anew."""
        parts, options = self.parts, self.options
        parts.choose({walk.walk: walk.state.upto for walk in walks})
        tables = RowBuilder(self.listing, extra=options.terms.extra)
        self.context.progress.say(f"writing {options.to}")
        if self.context.threaded:
            await asyncio.to_thread(write_kept, parts, options.to, self.kind, tables, self.notes.append)
        else:
            write_kept(parts, options.to, self.kind, tables, self.notes.append)
        if tables.unreadable:
            exit_code = 1
        parts.finish(self.context.clock.wall(), exit_code, self.session.tally)
        summary = self._summary(walks, account, exit_code)
        summary["unreadable"] = dict(tables.unreadable)
        for name, number in tables.unreadable.items():
            self.notes.append(f"{number:,} values of {name} are not what this column holds, and blank in the file")
        if exit_code:
            summary["next"] = self.context.command
        write_json(summary_path(options.to), summary)
        parts.set("finished", value=True)
        notes = (*self._words(walks), *self.notes)
        return ExportResult(exit_code, options.to, parts.directory, written=True, summary=summary, notes=notes)

    def _unfinished(
        self, walks: Sequence[ListReader], account: dict[str, Any], exit_code: int, halt: str | None
    ) -> ExportResult:
        parts, options = self.parts, self.options
        parts.merge()
        parts.choose({walk.walk: None for walk in walks})
        summary = self._summary(walks, account, exit_code) | {
            "verdict": Completeness.UNFINISHED.value,
            "agreed": False,
            "moment": None,
            "next": self.context.command,
        }
        pages = self._kept(walks)
        why = f"halted: {halt}" if halt else "interrupted"
        there = "; the file of an earlier export was not touched" if options.to.exists() else ""
        note = f"{why}; {pages:,} pages are kept in {parts.directory}, {options.to} is not written{there}"
        return ExportResult(exit_code, options.to, parts.directory, written=False, summary=summary, notes=(note,))

    def _summary(self, walks: Sequence[ListReader], account: dict[str, Any], exit_code: int) -> dict[str, Any]:
        parts, options, listing = self.parts, self.options, self.listing
        count, oldest, newest = parts.facts()
        changed, changes = parts.changed()
        gone = [parts.vanished(walk.walk) for walk in walks]
        moments = [walk.state.latest for walk in walks]
        at_s = min((m.at for m in moments if m is not None), default=None)
        if all(walk.state.pending is not None for walk in walks) and walks:
            at_s = min(walk.state.pending.at for walk in walks if walk.state.pending is not None)
        totals = [m.total for m in moments if m is not None]
        started, elapsed = parts.times()
        verdict = overall([walk.state.verdict for walk in walks])
        key, group = listing.fields[0].name, listing.group_filter
        summary: dict[str, Any] = {
            "verdict": verdict.value,
            "agreed": verdict is Completeness.AGREED,
            "explanation": list(self._words(walks)),
            listing.unit: count,
            "total": sum(self._total(walk) or 0 for walk in walks) if len(totals) == len(walks) and walks else None,
            "passes": max((walk.state.number for walk in walks), default=0),
            "requests": parts.requests()["sent"],
            "vanished": sum(number for number, _ in gone),
            "vanished_list": [name for _, names in gone for name in names][:100],
            "changed": changed,
            "changed_list": [{key: k, "from": was, "to": now} for k, was, now in changes],
            "oldest_reading": iso(oldest),
            "newest_reading": iso(newest),
            "moment": iso(at_s),
            "program_uuids": [f[group] for f in options.filters if group in f] if group else [],
            "filters": [dict(f) for f in options.filters if f],
            "walks": [self._walk_summary(walk) for walk in walks] if len(walks) > 1 else [],
            "programs_count": self._witness()[0],
            "account": account,
            "base_url": self.context.target.base_url,
            "file": options.to.name,
            "started_at": iso(started),
            "finished_at": iso(self.context.clock.wall()),
            "elapsed_s": round(elapsed, 3),
            "exit_code": exit_code,
            "next": None,
        }
        return summary

    def _walk_summary(self, walk: ListReader) -> dict[str, Any]:
        state = walk.state
        moment = state.pending if state.verdict is Completeness.AGREED else state.latest
        return {
            **walk.filters,
            "verdict": (state.verdict or Completeness.UNFINISHED).value,
            "total": self._total(walk),
            "passes": state.number,
            "moment": iso(moment.at) if moment else None,
        }

    def _total(self, walk: ListReader) -> int | None:
        state = walk.state
        moment = state.pending if state.verdict is Completeness.AGREED else state.latest
        return moment.total if moment else None

    # --- words -------------------------------------------------------------------------------------------

    def _plan(self, walks: Sequence[ListReader], account: dict[str, Any], *, resumed: bool) -> tuple[str, ...]:
        options, terms = self.options, self.options.terms
        pages = sum(walk.pages for walk in walks)
        kept = self._kept(walks)
        # One count for each walk, one ping, and the programs' own counts.
        left = sum(self._pages_of(walk) for walk in walks) - (kept if resumed else 0) + len(walks) + 2
        rate = options.connection.rate
        least_s = rate.least_s(left)
        took = f", at least {duration(least_s)}" if least_s else ""
        twice = "each page once: --quick" if terms.quick else "each page twice: the second reading is the proof"
        lines = [
            f"plan: {self.listing.name} for account {describe_account(account)} at {self.context.target.base_url}",
            f"pages: {pages:,} of up to {terms.page_size} {self.listing.unit}, {twice}",
            f"requests: about {left:,}, rate {rate.describe(options.connection.reserve)}{took}",
        ]
        if resumed:
            lines.insert(1, f"going on with the export in {self.parts.directory}: {kept:,} pages are there")
        if proxy := self.session.client.proxy:
            lines.append(f"proxy: {proxy}")
        return tuple(lines)

    def _words(self, walks: Sequence[ListReader]) -> tuple[str, ...]:
        """Why the verdict is what it is, a sentence for each walk, and what the programs' own counts say."""
        lines = []
        for walk in walks:
            name = f"{walk.label}: " if len(walks) > 1 else ""
            lines.append(
                name + explain(walk.state, walk.listing.unit, self.parts.unseen(walk.walk, walk.state.number + 1))
            )
        witness = self._witness()[1]
        return (*lines, witness) if witness else tuple(lines)

    def _witness(self) -> tuple[int | None, str | None]:
        """What the programs' ``card_count`` adds up to, and how it compares."""
        if self.programs is None:
            return None, None
        wanted = {f.get(self.listing.group_filter or "") for f in self.options.filters}
        counts = [
            parse_count(p.get("card_count")) for p in self.programs if wanted == {None} or str(p.get("uuid")) in wanted
        ]
        if None in counts or not counts:
            return None, None
        number = sum(n for n in counts if n is not None)
        held = self.parts.facts()[0]
        if number == held:
            return number, f"the programs' own card counts add up to {number:,} as well"
        return number, (
            f"the programs' own card counts add up to {number:,}, this file has {held:,}: cards without a program, "
            "or cards made or removed since, would explain a difference"
        )


def _shown(value: Json) -> str:
    if isinstance(value, list):
        if not value or value == [{}]:
            return "none"
        return ", ".join(_shown(v) for v in value)
    if isinstance(value, dict):
        return " ".join(f"{k}={v}" for k, v in value.items()) or "none"
    return {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _literal(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
