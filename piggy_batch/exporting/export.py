"""The steps of an export: run directory, account, plan, reading, file, summary, exit code.

What makes an export "agreed" is argued in :mod:`piggy_batch.exporting.completeness`. Several filters are several
lists; the export agreed when all of them are proven at one moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import check_account, fetch_account
from piggy_batch.endpoints.exportable_lists import PROGRAMS
from piggy_batch.errors import HaltError, JournalError, SetupError, sent_already
from piggy_batch.exit_codes import ExitCode
from piggy_batch.exporting.completeness import GOOD, Completeness, overall
from piggy_batch.exporting.completeness_proof import CompletenessProof
from piggy_batch.exporting.list_reader import ListReader
from piggy_batch.exporting.options import ExportOptions, ExportResult, default_run_dir, format_of, summary_path
from piggy_batch.exporting.output import RowBuilder, write_rows
from piggy_batch.exporting.page_reader import StoppedError
from piggy_batch.exporting.staging import StagingStore, guarded
from piggy_batch.exporting.summary import (
    FileFacts,
    ListSummary,
    PagePlan,
    about,
    compare_with_programs,
    odd_values,
    odd_words,
    plan_lines,
    summarise,
)
from piggy_batch.exporting.unpaged_lists import explain_missing, read_unpaged_list
from piggy_batch.files import real_file, remove_drafts, sha256_of, unwritable_in_run, write_json
from piggy_batch.runs.context import RunContext, open_session, shared_pace
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.registry import note_run
from piggy_batch.runs.signals import Signals
from piggy_batch.tables import warm_up
from piggy_batch.text import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from piggy_batch.endpoints.exportable_lists import Listing
    from piggy_batch.exporting.selection import Selection
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
    with guarded(run_dir, OSError), RunDir(run_dir) as directory:
        real = real_file(options.to)
        if options.run_dir is None or real.parent == run_dir:  # under this lock no other process writes beside it
            remove_drafts(real)
        store = StagingStore.open(directory.path, threaded=context.threaded)
        if store.get("finished") or store.get("binding") is None:
            store.discard()  # it ended before its store was removed, or before its first page
            store = StagingStore.open(directory.path, threaded=context.threaded)
        try:
            return await _Export(listing, options, context, store, kind).go()
        finally:
            if store.get("finished") or store.get("binding") is None:
                store.discard()
            else:
                store.close()


class _Export:
    def __init__(
        self, listing: Listing, options: ExportOptions, context: RunContext, store: StagingStore, kind: str
    ) -> None:
        self.listing = listing
        self.options = options
        self.context = context
        self.store = store
        self.kind = kind
        self.notes: list[str] = []
        self.programs: list[dict[str, Json]] | None = None
        self.session = open_session(options.connection, context)
        self._pages = 0

    def _add_pages(self, pages: int) -> None:
        self._pages += pages
        self.context.progress.total(self._pages)

    async def go(self) -> ExportResult:
        store, context, session = self.store, self.context, self.session
        self._check_binding()
        known = "everything read so far is kept"
        async with session.client:
            with Signals(context) as signals:
                account = await fetch_account(session, context.target, store)
                signals.allow_graceful_stop(session, units="pages", known=known)
                check_account(store, account, store.directory)
                store.set("account", account)
                note_run(context.registry_dir, store.directory, self.listing.name)
                with shared_pace(context, session, account, self.options.to.name):
                    return await self._run(account)

    def _binding(self) -> dict[str, Json]:
        options, reading = self.options, self.options.reading
        return {
            "command": self.listing.name,
            "file": str(options.to.resolve()),
            "--base-url": self.context.target.base_url,
            "filters": [dict(f) for f in options.filters],
            "--page-size": reading.page_size,
            "--extra": reading.extra,
            "columns": [f.name for f in self.listing.fields],
        }

    def _check_binding(self) -> None:
        """Refuse a store that was begun by a command that asked for something else."""
        was = self.store.get("binding")
        for name, value in self._binding().items():
            if was is not None and was.get(name) != value:
                raise JournalError(
                    f"{self.store.directory} holds an unfinished export with {name} {_shown(was.get(name))}, this "
                    f"command has {name} {_shown(value)}; use the same, name another --run-dir, or remove that "
                    "directory to begin anew"
                )

    async def _run(self, account: dict[str, Any]) -> ExportResult:
        store, session, clock = self.store, self.session, self.context.clock
        store.begin(clock.wall())
        readers: list[ListReader] = []
        exit_code, halt = ExitCode.JOURNAL, None
        warm = asyncio.create_task(asyncio.to_thread(warm_up, self.kind)) if self.context.threaded else None
        try:
            try:
                readers += self._readers()
                await self._read(readers, account)
                agreed = overall([reader.state for reader in readers]) in GOOD
                exit_code = ExitCode.DONE if agreed else ExitCode.INCOMPLETE
            except (StoppedError, HaltError) as error:
                halt = session.halt_reason or (str(error) if isinstance(error, HaltError) else None)
                exit_code = ExitCode.HALTED if halt else ExitCode.INTERRUPTED
        finally:
            if warm is not None:
                await warm
            store.finish(clock.wall(), exit_code, session.tally)
        if exit_code in (ExitCode.HALTED, ExitCode.INTERRUPTED):
            return self._unfinished(readers, account, exit_code, halt)
        return await self._finish(readers, account, exit_code)

    def _readers(self) -> list[ListReader]:
        """One for each filter."""
        return [
            ListReader(
                *(self.listing, filters, list_id, self.store, self.session),
                *(self.options.reading, self.context.progress, self._add_pages),
            )
            for list_id, filters in enumerate(self.options.filters, 1)
        ]

    async def _read(self, readers: Sequence[ListReader], account: dict[str, Any]) -> None:
        """Read every list until its verdict is known."""
        resumed = any(self.store.pages_read(reader.list_id, 1) for reader in readers)
        await self._check_filters()
        for reader in readers:
            await reader.begin()
        self.store.set("binding", self._binding())
        self.context.progress.log_to(self.store.directory / "run.log")
        pages = PagePlan(
            once=sum(reader.pages for reader in readers),
            planned=sum(reader.pages_planned for reader in readers),
            kept=sum(reader.pages_kept for reader in readers),
            lists=len(readers),
        )
        for line in plan_lines(
            *(self.listing, self.options, pages),
            account=account,
            base_url=self.context.target.base_url,
            resumed=self.store.directory if resumed else None,
            proxy=self.session.client.proxy,
        ):
            self.context.progress.say(line)
        self._add_pages(pages.planned - pages.kept)
        for reader in readers[1:] and readers:
            self.session.notify(f"{reader.label}: {reader.pages:,} pages")
        await CompletenessProof(readers, self.store, self.options.reading).go()
        if self.listing.group is not None:
            with contextlib.suppress(StoppedError):
                self.programs = await read_unpaged_list(self.session, PROGRAMS)

    async def _check_filters(self) -> None:
        """Refuse a filter value that the account has not; SetupError says what it has."""
        for name, which in self.listing.known_values.items():
            for value in dict.fromkeys(each[name] for each in self.options.filters if name in each):
                missing = await explain_missing(self.session, which, value)
                if missing is not None:
                    raise SetupError(f"--{name.removesuffix('_uuid')} {value}: {missing}; nothing was read")

    # --- the end -----------------------------------------------------------------------------------------

    async def _finish(
        self, readers: Sequence[ListReader], account: dict[str, Any], exit_code: ExitCode
    ) -> ExportResult:
        """Write file and summary, then forget the store: the next run begins anew."""
        store, options = self.store, self.options
        selection = store.select({reader.list_id: reader.state.upto for reader in readers})
        builder = RowBuilder(self.listing, extra=options.reading.extra, keeps_types=self.kind == "jsonl")
        self.context.progress.say(f"writing {options.to}")
        known = self._summary(readers, selection, account, exit_code)
        try:
            with sent_already():
                await store.in_thread(
                    *(write_rows, selection.rows(), options.to, self.kind, builder, self.notes.append),
                    lambda: about(self.listing, known, builder),
                )
        except OSError as error:
            raise unwritable_in_run(options.to, error) from None
        if not (odd := odd_values(self.listing, builder))["understood"]:
            exit_code = ExitCode.INCOMPLETE
        store.finish(self.context.clock.wall(), exit_code, self.session.tally)
        summary = self._summary(readers, selection, account, exit_code) | odd | {"sha256": sha256_of(options.to)}
        self.notes += odd_words(self.listing, builder)
        if exit_code:
            summary["next"] = self.context.command
        write_json(summary_path(options.to), summary)
        store.set("finished", value=True)
        notes = (*summary["explanation"], *self.notes)
        return ExportResult(exit_code, options.to, store.directory, written=True, summary=summary, notes=notes)

    def _unfinished(
        self, readers: Sequence[ListReader], account: dict[str, Any], exit_code: ExitCode, halt: str | None
    ) -> ExportResult:
        store, options = self.store, self.options
        store.merge()
        selection = store.select({reader.list_id: None for reader in readers})
        summary = self._summary(readers, selection, account, exit_code) | {
            "verdict": Completeness.UNFINISHED.value,
            "agreed": False,
            "moment": None,
            "next": self.context.command,
        }
        pages = sum(reader.pages_kept for reader in readers)
        why = f"halted: {halt}" if halt else "interrupted"
        there = "; the file of an earlier export was not touched" if options.to.exists() else ""
        note = f"{why}; {pages:,} pages are kept in {store.directory}, {options.to} is not written{there}"
        return ExportResult(exit_code, options.to, store.directory, written=False, summary=summary, notes=(note,))

    def _summary(
        self, readers: Sequence[ListReader], selection: Selection, account: Mapping[str, Any], exit_code: ExitCode
    ) -> dict[str, Any]:
        store, clock = self.store, self.context.clock
        lists = [ListSummary(r.label, r.filters, r.state, r.held, store.vanished(r.list_id)) for r in readers]
        facts = FileFacts(*selection.extent(), *selection.changed(), store.requests()["sent"], *store.times())
        wanted = {filters.get(self.listing.group_filter or "") for filters in self.options.filters}
        programs = compare_with_programs(self.programs, wanted, facts.count)
        return summarise(self.listing, self.options, lists, facts, programs) | {
            "account": account,
            "base_url": self.context.target.base_url,
            "finished_at": iso(clock.wall()),
            "exit_code": exit_code,
            "next": None,
        }


def _shown(value: Json) -> str:
    if isinstance(value, list):
        if not value or value == [{}]:
            return "none"
        return ", ".join(_shown(v) for v in value)
    if isinstance(value, dict):
        return " ".join(f"{k}={v}" for k, v in value.items()) or "none"
    return {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)
