"""Cells of a sheet that hold no value: errors, formulas without a result, places under merged cells; and formats."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.tables.cells import NO_RESULT

if TYPE_CHECKING:
    from piggy_batch.tables.readers.number_formats import NumberFormat

MAX_MARKS = 100_000  # damaged cells of a sheet; more is a workbook to be mended first
MAX_MERGES = 50_000

Merge = tuple[int, int, int, int]  # first row, first column, last row, last column; rows from 1, columns from 0


@dataclass(slots=True)
class SheetMarks:
    """What a sheet's cells hold that is no value; rows from 1, columns from 0."""

    where: str
    cells: dict[int, list[tuple[int, str]]] = field(default_factory=dict)  # row -> (column, what stands for its value)
    merges: list[Merge] = field(default_factory=list)
    styles: dict[int, array[int]] = field(default_factory=dict)  # column -> number of the format by row, 0: none
    _formats: list[NumberFormat] = field(default_factory=list)  # 1 = the first
    _numbers: dict[int, int] = field(default_factory=dict)  # style of a cell -> number of its format
    _zeros: dict[int, array[int]] = field(default_factory=dict)  # column -> rows of formulas that hold 0
    _results: set[int] = field(default_factory=set)  # columns with a formula that holds anything else
    _count: int = 0

    def add(self, row: int, column: int, mark: str) -> None:
        """Note a damaged cell; SetupError where there are too many."""
        self._count += 1
        if self._count > MAX_MARKS:
            raise SetupError(
                f"{self.where}: more than {MAX_MARKS:,} cells are errors or formulas without a result; open it in a "
                "spreadsheet program, let it calculate, and save it again"
            )
        self.cells.setdefault(row, []).append((column, mark))

    def merge(self, merge: Merge) -> None:
        """Note a merged cell; SetupError where there are too many."""
        if len(self.merges) == MAX_MERGES:
            raise SetupError(f"{self.where}: has more than {MAX_MERGES:,} merged cells; unmerge them and save it again")
        self.merges.append(merge)

    def note_result(self, row: int, column: int, *, is_zero: bool) -> None:
        """Note a formula that has a number or another result."""
        if is_zero:
            self._zeros.setdefault(column, array("L")).append(row)
        else:
            self._results.add(column)

    def note_format(self, row: int, column: int, style: int, added: NumberFormat) -> None:
        """Note that the cell's style adds signs to what it holds."""
        if style not in self._numbers:
            self._formats.append(added)
            self._numbers[style] = len(self._formats)
        rows = self.styles.setdefault(column, array("H"))
        if len(rows) <= row:
            rows.frombytes(bytes(rows.itemsize * (row + 1 - len(rows))))
        rows[row] = self._numbers[style]

    def format_of(self, row: int, column: int) -> NumberFormat | None:
        """What the cell's number format adds."""
        rows = self.styles.get(column)
        number = rows[row] if rows is not None and row < len(rows) else 0
        return self._formats[number - 1] if number else None

    def finish(self, *, trusted: bool, unfinished: bool = False) -> SheetMarks:
        """The marks, once the whole sheet is known: a 0 that nobody calculated is a default, not a result.

        ``trusted``: a spreadsheet program calculated before it saved. ``unfinished``: the writer left the calculation
        to whoever opens the file.
        """
        for column, rows in self._zeros.items():
            if unfinished or not (trusted or column in self._results):
                for row in rows:
                    self.add(row, column, NO_RESULT)
        self.merges.sort()
        return self
