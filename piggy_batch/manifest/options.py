"""How a manifest is read, and what loading one gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from piggy_batch.manifest.doctor import (
    ColumnFacts,
    Finding,
    Fixes,
)
from piggy_batch.models import Json, Problem, Repeat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from piggy_batch.manifest.binding import Binding
    from piggy_batch.tables import TableInfo


SHOWN = 20  # problems printed; all of them stand in errors


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
    again: bool = False
    extra: Mapping[str, Json] = field(default_factory=dict)  # further options of a command, by their names

    def waives(self, option: str) -> bool:
        """Whether an operation's :class:`~piggy_batch.endpoints.Waiver` of that name was given."""
        return {"allow_repeats": self.allow_repeats, "allow_shared": self.allow_shared}[option]

    def bound(self) -> dict[str, Any]:
        """The options that change what is sent, by their command-line names: a run belongs to them."""
        return {
            "--map": dict(self.maps),
            "--set": dict(self.constants),
            "--sheet": self.sheet,
            "--encoding": self.encoding,
            "--delimiter": self.delimiter,
            "--fix": str(self.fixes) or None,
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
    problems: tuple[Problem, ...]  # the first of them
    warnings: tuple[str, ...] = ()  # what is odd about valid rows, one line each
    findings: tuple[Finding, ...] = ()  # what the manifest doctor says of whole columns
    columns: tuple[ColumnFacts, ...] = ()
    repaired: tuple[tuple[int, str, str], ...] = ()  # the first repairs of keys: row, before, after

    def blocking(self, accepted: frozenset[str]) -> tuple[Finding, ...]:
        """Findings that mean that numbers are probably not the cards', and that nobody has accepted."""
        if self.binding.operation.repeat is Repeat.SAFE:
            return ()
        return tuple(f for f in self.findings if f.blocking and not {f.code, f.slug} & accepted)


def _with_column(problem: Problem) -> str:
    return f"{problem.column}: {problem.message}" if problem.column else problem.message
