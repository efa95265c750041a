"""A list that corrects earlier migrations: what they have given, or may have given, is not given again.

``--after RUN_DIR`` names them. From then on they give nothing more, so that a row is given by one run at most.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from piggy_batch.errors import JournalError, SetupError
from piggy_batch.importing.migration.customers import open_migration
from piggy_batch.importing.migration.stage_runs import MigrationState
from piggy_batch.importing.migration.stages import FINE, WITHHELD, Stage
from piggy_batch.models import Status
from piggy_batch.runs.directory import RunDir
from piggy_batch.runs.journal import Journal
from piggy_batch.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from piggy_batch.importing.migration.stages import MigrationRow
    from piggy_batch.models import Json

FOLLOWED = "followed_by"  # the fact in an earlier migration's journal which run goes on in its place


class _Credits(StrEnum):
    """What became of a row's credits in an earlier migration."""

    GIVEN = "given"
    DOUBT = "doubt"  # sent, and nobody knows
    NONE = "none"


@dataclass(slots=True)
class _Earlier:
    """What earlier migrations did for one customer, by card: how many credits, and what became of them."""

    run_dir: Path
    by_card: dict[str, tuple[int, _Credits]] = field(default_factory=dict)

    def given(self) -> list[tuple[int, _Credits]]:
        """What was given, or may have been."""
        return [each for each in self.by_card.values() if each[1] is not _Credits.NONE]


def refuse_followed(journal: Journal) -> None:
    """JournalError where another migration goes on in this one's place."""
    other = journal.get(FOLLOWED)
    if other is not None:
        raise JournalError(
            f"{journal.directory}: the migration in {other} was started to correct this one, and goes on in its place; "
            "from here credits could be given twice"
        )


def known_runs(earlier: Sequence[Path], account: Json) -> frozenset[str]:
    """The names by which the record of given credits knows earlier migrations; SetupError where one was of another
    account."""
    found = set()
    for run_dir in earlier:
        with closing(open_migration(run_dir)) as journal:
            was = journal.get("account") or {}
            if was.get("id") != account["id"]:
                raise SetupError(
                    f"--after {run_dir}: that migration was of account {was.get('company') or was.get('id')}"
                )
            found.add(str(journal.get("run_id")))
    return frozenset(found)


def follow(run_dir: Path, earlier: Sequence[Path]) -> None:
    """Write into each earlier migration that this one goes on in its place; on disk on return."""
    for other in earlier:
        if other.resolve() == run_dir.resolve():
            raise SetupError(f"--after {other}: that is this run's own directory; name another one with --run-dir")
        with RunDir(other) as directory:
            journal = Journal.open(directory.path)
            if journal is None:
                raise SetupError(f"--after {other}: its journal is not there any more")
            with closing(journal):
                journal.set(FOLLOWED, str(run_dir.resolve()))


def withhold(journal: Journal, state: MigrationState, earlier: Sequence[Path], *, per_card: bool) -> str | None:
    """Keep in the journal which rows' credits earlier migrations have given, or may have; in words, None: none."""
    customers = _customers(earlier)
    given: list[int] = []
    doubt: list[int] = []
    others: dict[str, str] = {}
    for line in state.lines():
        before = (
            customers.get(line.identity or "") if line.credits and line.entry.status is not Status.INVALID else None
        )
        if before is None:
            continue
        verdict = _weigh(line, before, per_card=per_card)
        if verdict == _Credits.GIVEN:
            given.append(line.entry.number)
        elif verdict == _Credits.DOUBT:
            doubt.append(line.entry.number)
        elif verdict is not None:
            others[str(line.entry.number)] = verdict
    by = ", ".join(str(run_dir) for run_dir in earlier)
    journal.set(WITHHELD, {"given": given, "doubt": doubt, "others": others, "by": by})
    number = len(given) + len(doubt) + len(others)
    return (
        f"{counted(number, 'row')} of customers to whom {by} has given, or may have given, credits" if number else None
    )


def _customers(earlier: Sequence[Path]) -> dict[str, _Earlier]:
    """What earlier migrations did with credits, by the customer's identity."""
    found: dict[str, _Earlier] = {}
    for run_dir in earlier:
        with closing(open_migration(run_dir)) as journal:
            for line in MigrationState.of(journal).lines():
                if line.identity is None or not line.credits:
                    continue
                value, outcome = line.values["contact_identifier_value"], _outcome(line)
                by_card = found.setdefault(line.identity, _Earlier(run_dir)).by_card
                if outcome is not _Credits.NONE or value not in by_card:
                    by_card[value] = (line.credits, outcome)
    return found


def _outcome(line: MigrationRow) -> _Credits:
    fate = line.fates.get(Stage.CREDITS)
    if fate is not None and fate.status in FINE:
        return _Credits.GIVEN
    return _Credits.DOUBT if fate is not None and fate.status is Status.UNKNOWN else _Credits.NONE


def _weigh(line: MigrationRow, before: _Earlier, *, per_card: bool) -> str | None:
    """``given``, ``doubt``, or in words why a person must look; None: the row's credits are to be given."""
    card = before.by_card.get(line.values["contact_identifier_value"])
    given = before.given()
    if per_card:
        if card is None and given:
            total = sum(amount for amount, _ in given)
            return f"{total:,} credits were given for other cards of this customer by {before.run_dir}"
        given = [card] if card is not None and card[1] is not _Credits.NONE else []
    if not given:
        return None
    amount, outcome = given[0]
    if outcome is _Credits.DOUBT or amount == line.credits:
        return outcome.value
    return f"{amount:,} credits were given by {before.run_dir}, and this list says {line.credits:,}"
