"""Markdown for a terminal: headings, paragraphs, lists, tables and blocks of code, wrapped between words."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MARGIN = "  "
CODE_MARGIN = "    "
SHORT = 22  # columns of a cell that stands beside others
_FENCE = "```"
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(?=\S)(.+?)(?<=\S)\1(?![\w*])")


def for_terminal(text: str, width: int, heading: Callable[[str], str] = str) -> str:
    """The text in lines of at most ``width`` columns, code as it stands; ``heading`` paints the headings."""
    lines: list[str] = []
    for block in _blocks(_COMMENT.sub("", text).splitlines()):
        if lines:
            lines.append("")
        if block[0].startswith(_FENCE):
            lines += [CODE_MARGIN + line for line in block[1:-1]]
        elif block[0].startswith("#"):
            lines.append(heading(plain(block[0].lstrip("# "))))
        elif block[0].startswith("|"):
            lines += _table([_cells(line) for line in block], width)
        else:
            for item in _items(block):
                lines += _wrapped(item, width, MARGIN, MARGIN + ("  " if item.startswith("- ") else ""))
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Without the marks of code and emphasis."""
    parts = text.split("`")
    return "".join(part if place % 2 else _EMPHASIS.sub(r"\2", part) for place, part in enumerate(parts))


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Paragraphs, headings, tables and blocks of code, each in its lines."""
    block: list[str] = []
    fenced = False
    for line in lines:
        if line.startswith(_FENCE):
            if not fenced and block:
                yield block
                block = []
            block.append(line)
            fenced = not fenced
            if not fenced:
                yield block
                block = []
        elif fenced or line.strip():
            if not fenced and block and block[0].startswith("#"):
                yield block
                block = []
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _items(block: Sequence[str]) -> Iterator[str]:
    """A paragraph as one line, or each item of a list as one."""
    item = ""
    for line in block:
        if line.startswith("- ") and item:
            yield item
            item = ""
        item = f"{item} {line.strip()}" if item else line.strip()
    yield item


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [plain(cell.strip().replace("\\|", "|")) for cell in cells]


def _table(rows: Sequence[list[str]], width: int) -> Iterator[str]:
    """Narrow tables in columns; of others each row under its first short cells, the other cells named."""
    head, body = rows[0], rows[2:]  # a line of dashes between
    widths = [max(len(row[place]) for row in (head, *body)) for place in range(len(head))]
    if sum(widths) + 2 * len(widths) + len(MARGIN) <= width:
        for row in (head, *body):
            yield MARGIN + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        return
    short = next((place for place in range(1, len(head)) if widths[place] > SHORT), len(head))
    for row in body:
        yield MARGIN + "  ".join(row[:short])
        for name, cell in zip(head[short:], row[short:], strict=True):
            label = f"{name}: " if len(head) - short > 1 else ""
            yield from _wrapped(label + cell, width, CODE_MARGIN, CODE_MARGIN + "  " * bool(label))


def _wrapped(text: str, width: int, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        plain(text),
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
