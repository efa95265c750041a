"""The machine of giftcards in doubt: which cards a program held before a run, and which new ones may be the run's.

A card that was made but whose answer was lost cannot be asked for: the service knows no name for it but its own.
So ``giftcards create`` records, before its first request, which cards its programs hold. What is new to that
baseline and to the journal, still empty, and of the right age may belong to a row in doubt - or to somebody else
who made cards meanwhile. Only the operator can rule that out (``--exclusive``), and even then nothing is assigned
when the list shows that it is not so.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import HaltError, JournalError
from piggy_batch.exporter import Exported, export, read_programs
from piggy_batch.exporter import Options as ExportOptions
from piggy_batch.journal import Entry, Fate, Journal
from piggy_batch.listings import GIFTCARDS
from piggy_batch.loading import binding_of
from piggy_batch.model import Proof, Status
from piggy_batch.pages import whole
from piggy_batch.report import Layout, iso, summarise, write_json, write_reports
from piggy_batch.rundir import RunDir, check_account
from piggy_batch.runner import Options as RunOptions
from piggy_batch.runner import Result, Scene, introduce, open_courier
from piggy_batch.tables import Out, open_table, open_writer
from piggy_batch.walk import Terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from piggy_batch.manifest import Binding

PROGRAM = "giftcard_program_uuid"
BASELINE = "baseline.csv"
LISTED = "reconcile.csv"
SLACK_S = 120.0  # what the service's clock and this machine's may differ by
CARD = ("giftcard_uuid", "hash", "type", "active", "upgradeable", "expiration_date", PROGRAM, "giftcard_program_name")


@dataclass(frozen=True, slots=True)
class Card:
    """A card of a listing; ``made_s``: seconds since the epoch, None where its program tells no age."""

    cells: Mapping[str, str]
    made_s: float | None

    @property
    def uuid(self) -> str:
        """What identifies it."""
        return self.cells["giftcard_uuid"]


@dataclass(frozen=True, slots=True)
class Reconciling:
    """What ``giftcards reconcile`` was asked for."""

    exclusive: bool = False  # the operator states that nobody else makes cards in these programs
    settle_after_s: float = 600.0
    rate: float | None = 5.0
    reserve: float = 0.2
    concurrency: int = 8
    timeout_s: float = 30.0
    max_wait_s: float = 1800.0


# --- the baseline, before the first request --------------------------------------------------------------


async def record_baseline(journal: Journal, binding: Binding, options: RunOptions, scene: Scene) -> Exported:
    """List the cards of the manifest's programs into the run directory; the journal keeps how sure that is."""
    programs = sorted(_programs(journal, binding))
    begun = scene.clock.wall()
    listed = await _list(journal.directory, BASELINE, programs, options, scene)
    if listed.written:
        fact = {"agreed": listed.agreed, "begun_at": begun, "programs": programs, "cards": listed.summary["cards"]}
        journal.set("baseline", fact)
        shutil.rmtree(journal.directory / f"{BASELINE}.export", ignore_errors=True)
    return listed


def _programs(journal: Journal, binding: Binding) -> set[str]:
    constant = binding.constants.get(PROGRAM)
    if constant is not None and PROGRAM not in binding.places:
        return {constant}
    entries = (e for e in journal.all_rows() if e.status is not Status.INVALID)
    return {value for e in entries if (value := binding.values(e.cells).get(PROGRAM)) is not None}


async def _list(directory: Path, name: str, programs: Sequence[str], options: RunOptions, scene: Scene) -> Exported:
    return await export(
        GIFTCARDS,
        ExportOptions(
            to=directory / name,
            filters=tuple({PROGRAM: program} for program in programs),
            rate=options.rate,
            reserve=options.reserve,
            timeout_s=options.timeout_s,
            max_wait_s=options.max_wait_s,
            terms=Terms(concurrency=options.terms.concurrency, attempts=options.terms.attempts),
        ),
        scene,
    )


# --- reconcile -------------------------------------------------------------------------------------------


async def reconcile(run_dir: Path, terms: Reconciling, scene: Scene) -> Result:
    """Settle rows in doubt of a ``giftcards create`` run as far as a proven list of cards allows."""
    with RunDir(run_dir) as directory:
        journal = Journal.open(directory.path)
        if journal is None or not journal.bound or journal.get("operation") != "giftcards create":
            if journal is not None:
                journal.close()
            raise JournalError(f"{run_dir} holds no begun run of giftcards create; reconcile works on nothing else")
        try:
            return await _Reconciliation(journal, terms, scene).go()
        finally:
            journal.close()


class _Reconciliation:
    def __init__(self, journal: Journal, terms: Reconciling, scene: Scene) -> None:
        self.journal = journal
        self.terms = terms
        self.scene = scene
        self.binding = binding_of(journal)
        self.options = RunOptions(
            rate=terms.rate, reserve=terms.reserve, timeout_s=terms.timeout_s, max_wait_s=terms.max_wait_s
        )
        self.options = replace(self.options, terms=replace(self.options.terms, concurrency=terms.concurrency))
        self.notes: list[str] = []

    async def go(self) -> Result:
        doubts = self._doubts()
        if not doubts:
            self.notes.append("no row is in doubt")
            return self._end(0)
        begun = self.scene.clock.wall()
        days = await self._expiration_days()
        programs = sorted(doubts)
        listed = await _list(self.journal.directory, LISTED, programs, self.options, self.scene)
        if not listed.written:
            return Result(listed.exit_code, self.journal.directory, notes=listed.notes)
        new = self._new_cards(days)
        self.journal.begin(self.scene.clock.wall(), "reconcile", threaded=self.scene.threaded)
        try:
            left = [
                card
                for program in programs
                for card in await self._settle(doubts[program], new.get(program, []), listed.agreed, begun)
            ]
        finally:
            self.journal.finish(self.scene.clock.wall(), 0)
        self._list_candidates(left)
        for name in (LISTED, f"{LISTED}.summary.json"):
            (self.journal.directory / name).unlink(missing_ok=True)
        shutil.rmtree(self.journal.directory / f"{LISTED}.export", ignore_errors=True)
        return self._end(1 if self._doubts() else 0)

    def _doubts(self) -> dict[str, list[Entry]]:
        """Rows in doubt by program, those sent first in front."""
        found: dict[str, list[Entry]] = {}
        for entry in self.journal.all_rows():
            if entry.status is Status.UNKNOWN:
                found.setdefault(self.binding.values(entry.cells)[PROGRAM], []).append(entry)
        for entries in found.values():
            entries.sort(key=lambda e: (e.sent_at or 0.0, e.number))
        return found

    async def _expiration_days(self) -> dict[str, int]:
        """Days that a program's cards live, for those that expire."""
        courier = open_courier(self.options, self.scene)
        async with courier.api:
            account = await introduce(courier, self.scene.target, self.journal)
            check_account(self.journal, account, self.journal.directory)
            programs = await read_programs(courier)
        if programs is None:
            raise HaltError("the programs cannot be listed; run the same command later")
        days = {str(p.get("uuid")): whole(p.get("expiration_days")) for p in programs}
        return {uuid: number for uuid, number in days.items() if number is not None}

    def _new_cards(self, days: Mapping[str, int]) -> dict[str, list[Card]]:
        """Cards that neither the baseline nor the journal knows, by program."""
        baseline = self.journal.directory / BASELINE
        if self.journal.get("baseline") is not None and baseline.exists():
            self.journal.know(cells["giftcard_uuid"] for cells in _read(baseline))
        self.journal.know(
            str(e.kept["giftcard_uuid"]) for e in self.journal.all_rows() if e.kept and e.kept.get("giftcard_uuid")
        )
        new: dict[str, list[Card]] = {}
        for cells in _read(self.journal.directory / LISTED):
            if not self.journal.knows(cells["giftcard_uuid"]):
                program = cells[PROGRAM]
                new.setdefault(program, []).append(Card(cells, _made_s(cells, days.get(program))))
        return new

    async def _settle(self, doubts: list[Entry], new: list[Card], agreed: bool, begun: float) -> list[Card]:  # noqa: FBT001 - a verdict
        """Settle one program's rows; the candidates that were not assigned."""
        candidates = [card for card in new if _fits(card, doubts)]
        obstacle = self._obstacle(doubts, candidates, strangers=len(new) - len(candidates), agreed=agreed)
        rows = list(doubts)
        if obstacle is None:
            for card in candidates:
                await self._assign(rows.pop(0), card)
            candidates = []
        elif candidates:
            self.notes.append(obstacle)
        if not candidates and agreed:
            await self._fail(rows, begun)
        return candidates

    def _obstacle(self, doubts: list[Entry], candidates: list[Card], *, strangers: int, agreed: bool) -> str | None:
        """Why candidates must not be assigned; None: they may be."""
        found = f"{len(candidates):,} new cards may belong to {len(doubts):,} rows in doubt"
        baseline = self.journal.get("baseline")
        if not self.terms.exclusive:
            return (
                f"{found}; they are listed in candidates for a person. If nobody else makes cards in this program, "
                "pass --exclusive"
            )
        if not agreed:
            return f"{found}, but the list of cards is not proven complete, so nothing is assigned; run this again"
        if baseline is None or not baseline["agreed"]:
            return f"{found}, but what the program held before is not known for sure, so nothing is assigned"
        if strangers:
            return f"{found}, and {strangers:,} new cards cannot be theirs: somebody else makes cards in this program"
        if len(candidates) > len(doubts):
            return f"{found}: more cards than rows, so somebody else makes cards in this program; nothing is assigned"
        return None

    async def _assign(self, entry: Entry, card: Card) -> None:
        kept = {name: card.cells[name] for name in CARD if card.cells.get(name)}
        message = "the answer was lost; this new, empty card was assigned by reconcile --exclusive"
        await self._record(entry, Status.DONE, message, kept)

    async def _fail(self, rows: list[Entry], begun: float) -> None:
        """Rows that an agreed list, begun long enough after their last send, does not show were not carried out."""
        early = 0
        for entry in rows:
            if begun - (entry.sent_at or 0.0) < self.terms.settle_after_s:
                early += 1
                continue
            message = f"no new card in the list that was read from {iso(begun)} on: the card was not made"
            await self._record(entry, Status.FAILED, message, {})
        if early:
            self.notes.append(
                f"{early:,} rows were sent less than {self.terms.settle_after_s:g} s before this list was begun and "
                "may still land; run this again later"
            )

    async def _record(self, entry: Entry, status: Status, message: str, kept: Mapping[str, Any]) -> None:
        await self.journal.settled(
            Fate(
                number=entry.number,
                status=status,
                attempts=entry.attempts,
                finished_at=self.scene.clock.wall(),
                proof=Proof.LOOK if status is Status.DONE else None,
                http_status=entry.http_status,
                code=entry.code,
                message=message,
                kept=kept,
            )
        )

    def _list_candidates(self, cards: Sequence[Card]) -> None:
        kind = self.journal.get("format")
        path = self.journal.directory / f"candidates.{kind}"
        if not cards:
            path.unlink(missing_ok=True)
            return
        columns = [Out(name) for name in (*CARD, "made_at")]
        with open_writer(path, kind, columns) as writer:
            writer.write([[*(card.cells.get(name) for name in CARD), iso(card.made_s)] for card in cards])
        self.notes.append(f"candidates: {path}")

    def _end(self, exit_code: int) -> Result:
        kind = self.journal.get("format")
        piles = write_reports(self.journal, Layout(self.binding), kind)
        path = self.journal.directory / "summary.json"
        earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        counts = self.journal.counts()
        goes_on = counts[Status.PENDING] + counts[Status.FAILED]
        summary = summarise(
            self.journal,
            self.binding.operation,
            exit_code=exit_code,
            next_command=earlier.get("next") or self.journal.get("command") if goes_on else None,
            rate=earlier.get("rate"),
        )
        write_json(path, summary)
        files = tuple((str(self.journal.directory / f"{name}.{kind}"), n) for name, n in piles.items() if n)
        return Result(exit_code, self.journal.directory, summary=summary, piles=files, notes=tuple(self.notes))


def _fits(card: Card, doubts: Sequence[Entry]) -> bool:
    """Whether a new card may be one whose answer was lost: empty, usable, and made in the time of doubt."""
    cells = card.cells
    if cells["amount_in_cents"] != "0" or cells["active"] != "true" or cells["upgradeable"] != "true":
        return False
    times = [e.sent_at for e in doubts if e.sent_at is not None]
    if card.made_s is None or not times:
        return True
    # A request may be carried out long after its answer was given up, so the time of doubt has no narrow end.
    return min(times) - SLACK_S <= card.made_s <= max(times) + 600 + SLACK_S


def _made_s(cells: Mapping[str, str], days: int | None) -> float | None:
    """When a card was made: its expiry less its program's days (inferred from a captured answer)."""
    if days is None or not cells["expiration_date"]:
        return None
    return datetime.fromisoformat(cells["expiration_date"]).timestamp() - days * 86400


def _read(path: Path) -> Iterator[dict[str, str]]:
    with open_table(path) as table:
        for _, cells in table.rows():
            yield dict(zip(table.columns, cells, strict=True))
