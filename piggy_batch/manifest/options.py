"""How a manifest is read, and what loading one gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from piggy_batch.manifest.doctor import Fixes, match_columns
from piggy_batch.manifest.invalid_reasons import first_problems
from piggy_batch.manifest.mending import Repairs, repairs_from
from piggy_batch.models import Json, Problem, Repeat
from piggy_batch.tables import open_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from piggy_batch.endpoints import Operation
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.doctor import ColumnFacts, Finding
    from piggy_batch.manifest.invalid_reasons import Reason
    from piggy_batch.tables import Table, TableInfo


@dataclass(frozen=True, slots=True)
class ManifestOptions:
    """How a manifest is read and bound to an operation; what is None is detected."""

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    maps: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    allow_repeats: bool = False
    allow_shared: bool = False
    fixes: Fixes = field(default_factory=Fixes)
    blanks: tuple[str, ...] = ()  # words that stand for a blank cell
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # field -> word in the list -> meaning
    rounding: Mapping[str, str] = field(default_factory=dict)  # field -> down, half-up or up
    header_row: int | None = None  # the line that names the columns; None: the first
    drop_last: int = 0  # rows left out at the end
    hold: frozenset[str] = frozenset()  # codes or names of findings whose rows are left out
    defaults: Mapping[str, str] = field(default_factory=dict)  # field: value where neither list nor --set gives one
    ignored: frozenset[str] = frozenset()  # columns that are left unused on purpose
    again: bool = False
    extra: Mapping[str, Json] = field(default_factory=dict)  # further options of a command, by their names

    def waives(self, option: str) -> bool:
        """Whether an operation's :class:`~piggy_batch.endpoints.Waiver` of that name was given."""
        return {"allow_repeats": self.allow_repeats, "allow_shared": self.allow_shared}[option]

    @property
    def repairs(self) -> Repairs:
        """What is done to cells before they are checked and sent."""
        return Repairs(self.fixes, self.blanks, self.values, self.rounding)

    def open(self, manifest: Path, spool: Path | None = None) -> Table:
        """The manifest as a table; see :func:`open_table`."""
        return open_table(
            manifest,
            delimiter=self.delimiter,
            encoding=self.encoding,
            sheet=self.sheet,
            header_row=self.header_row,
            drop_last=self.drop_last,
            formats=self.fixes.formats,
            spool=spool,
        )

    def resolved(self, operation: Operation, header: Sequence[str]) -> ManifestOptions:
        """The same with the defaults that the list needs, as constants."""
        needed = {
            name: text
            for name, text in self.defaults.items()
            if operation.column(name) is not None
            and name not in self.maps
            and name not in self.constants
            and not match_columns(header, [name])
        }
        return replace(self, constants={**self.constants, **needed}, defaults={}) if self.defaults else self

    def words(self) -> list[str]:
        """The options by which another command reads the manifest in the same way."""
        words: list[str] = []
        for option, pairs in (("--map", self.maps), ("--set", self.constants)):
            for name, text in pairs.items():
                words += [option, f"{name}={text}"]
        for option, value in (
            ("--delimiter", self.delimiter),
            ("--encoding", self.encoding),
            ("--sheet", self.sheet),
            ("--header-row", self.header_row),
            ("--drop-last", self.drop_last),
        ):
            if value:
                words += [option, str(value)]
        for code in sorted(self.hold):
            words += ["--hold", code]
        return words + self.repairs.words()

    @classmethod
    def from_bound(cls, options: Mapping[str, Any]) -> Self:
        """How the manifest of a begun run was read, from what :meth:`bound` has left in its journal."""
        repairs = repairs_from(options)
        return cls(
            delimiter=options.get("--delimiter"),
            encoding=options.get("--encoding"),
            sheet=options.get("--sheet"),
            maps=options.get("--map") or {},
            constants=options.get("--set") or {},
            fixes=repairs.fixes,
            blanks=repairs.blanks,
            values=repairs.values,
            rounding=repairs.rounding,
            header_row=options.get("--header-row"),
            drop_last=options.get("--drop-last") or 0,
            hold=frozenset(options.get("--hold") or ()),
        )

    def bound(self) -> dict[str, Any]:
        """The options that change what is sent, by their command-line names: a run belongs to them."""
        return {
            "--map": dict(self.maps),
            "--set": dict(self.constants),
            "--sheet": self.sheet,
            "--encoding": self.encoding,
            "--delimiter": self.delimiter,
            "--header-row": self.header_row,
            "--drop-last": self.drop_last or None,
            "--hold": sorted(self.hold) or None,
            **self.repairs.bound(),
            "--allow-repeats": self.allow_repeats,
            "--allow-shared": self.allow_shared,
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class LoadedManifest:
    """A manifest in its journal."""

    binding: Binding
    facts: TableInfo
    rows: int
    invalid: int
    reasons: tuple[Reason, ...]  # why rows are invalid, each counted
    warnings: tuple[str, ...] = ()  # what is odd about valid rows, one line each
    findings: tuple[Finding, ...] = ()  # what the manifest doctor says of whole columns
    columns: tuple[ColumnFacts, ...] = ()
    repaired: tuple[tuple[int, str, str], ...] = ()  # the first repairs: row, before, after
    not_judged: tuple[str, ...] = ()  # checks of whole columns that could not be applied, and why
    held: frozenset[int] = frozenset()  # rows that --hold leaves out
    holding: frozenset[str] = frozenset()  # the findings that it names

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Some of the problems, of every reason, by row."""
        return first_problems(self.reasons)

    def blocking(self, accepted: frozenset[str]) -> tuple[Finding, ...]:
        """Findings that mean that numbers are probably not the cards', and that nobody has accepted."""
        if self.binding.operation.repeat is Repeat.SAFE:
            return ()
        return tuple(f for f in self.findings if f.blocking and not {f.code, f.slug} & (accepted | self.holding))
