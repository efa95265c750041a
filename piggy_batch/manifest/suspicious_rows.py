"""What is odd about rows that are valid all the same, counted for the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.endpoints.cells import is_made_up
from piggy_batch.text import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(slots=True)
class _Count:
    rows: int = 0
    first: tuple[int, int] = (0, 0)  # row and line
    text: str = ""

    def add(self, row: int, line: int, text: str = "") -> None:
        if not self.rows:
            self.first, self.text = (row, line), text
        self.rows += 1

    @property
    def place(self) -> str:
        return f"row {self.first[0]} (line {self.first[1]})"


class Oddities:
    """Counts odd rows while a manifest streams by."""

    def __init__(self, emails: Sequence[str]) -> None:
        self._emails = emails
        self._broken = _Count()  # a line break in a cell
        self._short = _Count()  # fewer cells than the header
        self._made_up = _Count()

    def note_breaks(self, batch: Sequence[tuple[int, int, list[str]]]) -> None:
        """Rows of several lines: only where the next one does not begin on the next line can there be one."""
        if batch[-1][1] - batch[0][1] == len(batch) - 1:  # a line each, perhaps but for the last
            batch = batch[-1:]
        following = [*(line for _, line, _ in batch[1:]), 0]
        for (number, line, cells), after in zip(batch, following, strict=True):
            if after - line != 1 and any("\n" in cell or "\r" in cell for cell in cells):
                self._broken.add(number, line)

    def note_short(self, row: int, line: int) -> None:
        """A row that lacks its last cells."""
        self._short.add(row, line)

    def note_made_up(self, row: int, line: int, values: Mapping[str, str]) -> None:
        """A row whose e-mail address is no customer's own."""
        for name in self._emails:
            if name in values and is_made_up(values[name]):
                self._made_up.add(row, line, values[name])

    def warnings(self) -> Iterator[str]:
        """One line for each kind."""
        if self._short.rows:
            verb = "lacks its last cells; they are" if self._short.rows == 1 else "lack their last cells; these are"
            rows = counted(self._short.rows, "row")
            yield f"{rows} {verb} read as blank, as spreadsheets leave them out; the first is {self._short.place}"
        if self._broken.rows:
            rows = counted(self._broken.rows, "row")
            yield (
                f"{rows} with a line break inside a quoted cell, the first {self._broken.place}: a quote stands by "
                "mistake, the rows up to the next quote are hidden in that cell and not sent"
            )
        if self._made_up.rows:
            addresses = counted(self._made_up.rows, "made-up e-mail address", "es")
            yield (
                f"{addresses} (a phone number, or …@piggy.nl), the "
                f'first in row {self._made_up.first[0]}: "{printable(self._made_up.text)}"; no mail arrives there, and '
                "two lists may invent different ones for one customer"
            )
