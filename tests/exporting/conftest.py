"""Exports in virtual time, on the shared world."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from piggy_batch.endpoints.exportable_lists import GIFTCARDS, Listing
from piggy_batch.exporting.completeness import ReadOptions
from piggy_batch.exporting.export import export
from piggy_batch.exporting.options import ExportOptions, ExportResult
from tests.support.world import Wire, World, connection, in_virtual_time


class Crash(BaseException):
    """The program ends here, as by a kill: nothing may be caught."""


class Account:
    """A world to export from. ``requests`` holds what was asked: (path, query)."""

    def __init__(self, folder: Path, **switches: Any) -> None:
        self.folder = folder
        self.world = World(folder, **({"contacts": 0, "identifiers": 0} | switches))
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.answer: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
        self.after: Callable[[httpx.Request], None] = lambda _: None

    @property
    def cards(self) -> Any:
        """The sandbox's giftcards."""
        return self.world.sandbox.world.cards

    @property
    def lists(self) -> list[dict[str, str]]:
        """The queries of list requests; a count asks for one row."""
        return [query for path, query in self.requests if path.endswith(("/giftcards", "/contacts", "-transactions"))]

    def uuids(self) -> list[str]:
        """The giftcards that exist, as listed."""
        return [self.cards.get(number).uuid for number in self.cards.order]

    def program(self, number: int) -> dict[str, str]:
        """The filter for a program, 1 = the first."""
        return {"giftcard_program_uuid": self.cards.programs[number].uuid}

    def export(self, listing: Listing = GIFTCARDS, to: str = "cards.csv", **given: Any) -> ExportResult:
        """One invocation, ten a page without a rate; ``given``: fields of ExportOptions, ReadOptions and RunContext."""
        given = {"rate": 0.0, "page_size": 10} | given
        reading = ReadOptions(**{f.name: given.pop(f.name) for f in fields(ReadOptions) if f.name in given})
        token = given.pop("token", "sandbox")
        target = given.pop("target", self.world.target(token))
        context = replace(self.world.context(token), transport=lambda: Line(self), target=target)
        options = ExportOptions(self.folder / to, connection=connection(given), reading=reading, **given)
        return in_virtual_time(export(listing, options, context), self.world.time)

    def said(self, words: str) -> bool:
        """Whether a message holds these words."""
        return any(words in line for line in self.world.said.lines)


class Line(Wire):
    """A connection that keeps what is asked, and on which things happen before and after an answer."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.world)
        self._account = account

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._account.requests.append((request.url.path, dict(request.url.params)))
        answer = self._account.answer(request)
        if answer is not None:
            return answer
        response = await super().handle_async_request(request)
        self._account.after(request)
        return response


def read(done: ExportResult) -> list[dict[str, str]]:
    """The rows of a CSV export."""
    with done.path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def held(done: ExportResult, column: str = "giftcard_uuid") -> list[str]:
    """One column of a CSV export."""
    return [row[column] for row in read(done)]


def without_times(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows as far as they must be alike in two exports."""
    return [{name: text for name, text in row.items() if name != "read_at"} for row in rows]


def summary_of(done: ExportResult) -> Mapping[str, Any]:
    """The summary as it stands beside the file."""
    found: Mapping[str, Any] = json.loads(done.path.with_name(f"{done.path.name}.summary.json").read_text("utf-8"))
    return found


def page(query: Mapping[str, str]) -> int:
    """The page that a list request asks for; 0 for a count."""
    return 0 if query.get("limit") == "1" else int(query["page"])


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Account]:
    """Makes an account with sandbox switches of the test's own."""
    return lambda **switches: Account(tmp_path, **switches)


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """An account with 40 giftcards in three programs."""
    return Account(tmp_path, giftcards=40)
