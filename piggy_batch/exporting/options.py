"""What an export is asked for, and what it ends with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from piggy_batch.errors import SetupError
from piggy_batch.exporting.completeness import ReadOptions
from piggy_batch.runs.context import ConnectionOptions
from piggy_batch.tables import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from piggy_batch.exit_codes import ExitCode


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What an export was asked for. ``filters``: one list for each; one empty mapping is the whole list."""

    to: Path
    filters: tuple[Mapping[str, str], ...] = ({},)
    run_dir: Path | None = None
    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    reading: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True, slots=True)
class ExportResult:
    """How an export ended. ``path`` is there where ``written``; notes are for a person."""

    exit_code: ExitCode
    path: Path
    run_dir: Path
    written: bool
    summary: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def agreed(self) -> bool:
        """Whether the file is proven complete."""
        return bool(self.summary["agreed"])


def default_run_dir(to: Path) -> Path:
    """``giftcards.csv`` is made in ``giftcards.csv.export`` beside it."""
    return to.with_name(f"{to.name}.export")


def summary_path(to: Path) -> Path:
    """Where the summary of a file stands."""
    return to.with_name(f"{to.name}.summary.json")


def format_of(to: Path) -> str:
    """The format that a file's name asks for; SetupError where it asks for none or has no place to be."""
    kind = to.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise SetupError(f"--to {to}: name the file with one of the endings {', '.join(f'.{f}' for f in FORMATS)}")
    if to.is_dir():
        raise SetupError(f"--to {to} is a directory; name a file")
    if not to.absolute().parent.is_dir():
        raise SetupError(f"--to {to}: there is no directory {to.absolute().parent}; make it, or name another place")
    return kind
