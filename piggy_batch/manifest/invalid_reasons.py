"""Why rows are invalid: every reason counted, with the first rows of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from piggy_batch.models import Json, Problem

EXAMPLES = 3
SHOWN = 20  # problems printed where there are few reasons; all of them stand in errors
MOST_REASONS = 200  # further ones are counted as one
MOST_WORDS = 7  # different cells that are kept of one reason
_QUOTED = re.compile(r'^"([^"]*)" is')


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for which rows are invalid. ``column`` is None where it concerns the row as a whole."""

    column: str | None
    text: str
    rows: int
    examples: tuple[Problem, ...]  # the first
    words: tuple[str, ...] = ()  # the different cells that are wrong for this reason, the first of them

    @property
    def line(self) -> str:
        """The reason as a line of a table."""
        return f"{counted(self.rows, 'row'):>12}  {f'{self.column}: ' if self.column else ''}{self.text}"


class ReasonCounter:
    """Counts problems by column and reason."""

    def __init__(self, reasons: Iterable[Reason] = (), *, most: int = SHOWN) -> None:
        self._most = most
        self._rows: dict[tuple[str | None, str], int] = {}
        self._examples: dict[tuple[str | None, str], list[Problem]] = {}
        self._words: dict[tuple[str | None, str], dict[str, None]] = {}
        for reason in reasons:
            self._rows[reason.column, reason.text] = reason.rows
            self._examples[reason.column, reason.text] = list(reason.examples)
            self._words[reason.column, reason.text] = dict.fromkeys(reason.words)

    def add(self, problems: Iterable[Problem]) -> None:
        """Count problems."""
        for problem in problems:
            key = (problem.column, problem.reason or problem.message)
            if key not in self._rows:
                if len(self._rows) >= MOST_REASONS:
                    key = (None, "other reasons")
                self._examples.setdefault(key, [])
                self._words.setdefault(key, {})
            self._rows[key] = self._rows.get(key, 0) + 1
            if len(self._examples[key]) < self._most:
                self._examples[key].append(problem)
            words = self._words[key]
            if len(words) < MOST_WORDS and (match := _QUOTED.match(problem.message)):
                words[match[1]] = None

    def reasons(self) -> tuple[Reason, ...]:
        """Every reason, the most frequent first."""
        found = [
            Reason(column, text, rows, tuple(self._examples[column, text]), tuple(self._words[column, text]))
            for (column, text), rows in self._rows.items()
        ]
        return tuple(sorted(found, key=lambda reason: -reason.rows))


def first_problems(reasons: Sequence[Reason]) -> tuple[Problem, ...]:
    """Problems to be shown, in the order of rows: some of every reason, never those of one reason only."""
    shown: list[Problem] = []
    for place in range(SHOWN):
        turn = [reason.examples[place] for reason in reasons if place < len(reason.examples)]
        if not turn or (place > 0 and len(shown) + len(turn) > SHOWN):
            break
        shown += turn
    return tuple(sorted(shown, key=lambda problem: problem.row))


def reason_lines(reasons: Sequence[Reason]) -> Iterator[str]:
    """The reasons as a table for people; nothing where there is none."""
    if reasons:
        yield "why rows are invalid:"
        yield from (reason.line for reason in reasons)


def as_json(reasons: Sequence[Reason]) -> Json:
    """The reasons as JSON."""
    return [
        {
            "column": reason.column,
            "reason": reason.text,
            "rows": reason.rows,
            "examples": [{"row": p.row, "line": p.line, "message": p.message} for p in reason.examples[:EXAMPLES]],
        }
        for reason in reasons
    ]


def joined(reasons: Sequence[Reason], problems: Iterable[Problem]) -> tuple[Reason, ...]:
    """The reasons with further problems counted in."""
    counter = ReasonCounter(reasons, most=max([SHOWN, *(len(reason.examples) for reason in reasons)]))
    counter.add(problems)
    return counter.reasons()
