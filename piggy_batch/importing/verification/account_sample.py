"""What ``check --against-account`` does: reads how some random rows of a manifest stand in the account now."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import describe_account, fetch_account
from piggy_batch.client.worker_pool import run_workers
from piggy_batch.endpoints import find_operation
from piggy_batch.errors import HaltError
from piggy_batch.importing.verification.verify import CHECK, MISSING, ExpectedOwner, owner_of, verify_row
from piggy_batch.manifest.binding import bind
from piggy_batch.models import Status
from piggy_batch.runs.context import RunContext, open_session
from piggy_batch.runs.signals import Signals
from piggy_batch.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from piggy_batch.endpoints.responses import Verdict
    from piggy_batch.importing.options import ImportOptions
    from piggy_batch.manifest.binding import Binding

SHOWN = 5  # examples of cards with other owners


@dataclass(frozen=True, slots=True)
class AccountSample:
    """What a look at some rows has shown. The figures overlap: a card may be linked and differ."""

    account: str
    rows: int  # of the manifest
    looked: int
    missing: int
    exist: int
    linked: int
    unlinked: int
    inactive: int  # their owner is seen only through a contact that the row names
    elsewhere: int  # held by somebody else than the row says
    failed: int  # could not be looked up
    examples: tuple[str, ...]  # of cards that are elsewhere

    def lines(self) -> list[str]:
        """The figures for people."""
        chosen = "all" if self.looked == self.rows else f"{self.looked:,} random"
        found = [
            f"against the account {self.account}: {chosen} of {self.rows:,} rows looked up, nothing changed",
            f"  {'do not exist yet':<34} {self.missing:>8,}",
            f"  {'exist':<34} {self.exist:>8,}",
            f"    {'linked to a contact':<32} {self.linked:>8,}",
            f"    {'linked to nobody':<32} {self.unlinked:>8,}",
            f"    {'inactive, their owner not shown':<32} {self.exist - self.linked - self.unlinked:>8,}",
            f"    {'inactive, of all these':<32} {self.inactive:>8,}",
            f"    {'of somebody else than the row says':<32} {self.elsewhere:>6,}",
        ]
        if self.failed:
            found.append(f"  {'could not be looked up':<34} {self.failed:>8,}")
        return [*found, *(f"  {example}" for example in self.examples)]

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {name: getattr(self, name) for name in self.__slots__}


async def compare_sample(
    manifest: Path, number: int, options: ImportOptions, context: RunContext, *, rng: random.Random | None = None
) -> AccountSample:
    """Look ``number`` random rows up, read-only, at the options' pace.

    ``rng``: chooses the rows; by default anew at each call. SetupError where the manifest names no cards,
    HaltError where the service cannot be asked.
    """
    rows, chosen = choose(manifest, number, options, rng or random.Random())  # noqa: S311 - a sample, no secret
    session = open_session(options.connection, context)
    found: list[tuple[Mapping[str, str], Verdict]] = []
    async with session.client:
        with Signals(context) as signals:
            account = await fetch_account(session, context.target, None)
            signals.allow_graceful_stop(session)

            async def look(values: Mapping[str, str], slot: int) -> None:
                if session.stop:
                    return
                verdict = await verify_row(session, values, slot, options.execution.attempts)
                if verdict is not None:
                    found.append((values, verdict))

            await run_workers(iter(chosen), options.execution.concurrency, look, lambda _: session.stop.set("error"))
    if session.halt_reason is not None:
        raise HaltError(session.halt_reason)
    return _summed(describe_account(account), rows, found)


def choose(
    manifest: Path, number: int, options: ImportOptions, rng: random.Random
) -> tuple[int, list[Mapping[str, str]]]:
    """How many rows the manifest has, and so many of them, each as likely as any other; one pass."""
    reading, operation = options.reading, find_operation("identifiers verify")
    with reading.open(manifest) as table:
        binding = bind(operation, table.columns, _known(reading.maps), {}, reading.repairs)
        kept: list[list[str]] = []
        rows = 0
        for _, cells in table.rows():
            rows += 1
            if len(kept) < number:
                kept.append(cells)
            elif (place := rng.randrange(rows)) < number:
                kept[place] = cells
    values = [found for cells in kept if "contact_identifier_value" in (found := _owners_only(binding, cells))]
    return rows, list(values)


def _known(maps: Mapping[str, str]) -> Mapping[str, str]:
    """The mappings that concern a look."""
    known = {column.name for column in find_operation("identifiers verify").columns}
    return {name: column for name, column in maps.items() if name in known}


def _owners_only(binding: Binding, cells: list[str]) -> dict[str, str]:
    """Name and state are what the manifest wishes for, not what is to be expected yet."""
    values = binding.values(cells)
    return {n: t for n, t in values.items() if n in ("contact_identifier_value", "contact_uuid", "email")}


def _summed(account: str, rows: int, found: list[tuple[Mapping[str, str], Verdict]]) -> AccountSample:
    counts: Counter[str] = Counter()
    examples: list[str] = []
    for values, verdict in found:
        kept = verdict.kept
        if verdict.status is Status.FAILED:
            counts["failed"] += 1
            continue
        if kept.get(CHECK) == MISSING:
            counts["missing"] += 1
            continue
        inactive = kept.get("contact_identifier_active") is False
        held = kept.get("contact_uuid") is not None
        counts["inactive"] += inactive
        counts["linked"] += held
        counts["unlinked"] += not held and not inactive
        if verdict.status is Status.REJECTED and (held or inactive) and owner_of(values) != ExpectedOwner():
            counts["elsewhere"] += 1
            if len(examples) < SHOWN:
                examples.append(f"{printable(values['contact_identifier_value'])}: {verdict.message}")
    return AccountSample(
        account=account,
        rows=rows,
        looked=len(found),
        missing=counts["missing"],
        exist=len(found) - counts["missing"] - counts["failed"],
        linked=counts["linked"],
        unlinked=counts["unlinked"],
        inactive=counts["inactive"],
        elsewhere=counts["elsewhere"],
        failed=counts["failed"],
        examples=tuple(examples),
    )


__all__ = ["AccountSample", "choose", "compare_sample"]
