"""The sandbox plays tills, webshops and the dashboard; reports made from what its API lists name exactly that."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from piggy_batch.sandbox import Sandbox, Settings, make_app
from tests.reporting.support import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

API = "http://sandbox.test/api/v3/oauth/clients"
HOUR = 3600.0
KINDS = ("redeem", "topup", "expire", "sweep", "deactivate", "move", "delete", "issue", "undo")
ALL = ("issued", "topped_up", "redeemed", "reversed", "expired", "deactivated", "reactivated", "vanished", "moved")


class Service:
    """A sandbox in process whose clock the test sets."""

    def __init__(self, seed: int) -> None:
        self.now = 1_796_000_000.0
        self.sandbox = Sandbox(Settings(giftcards=120, seed=seed, clock=lambda: self.now, limit_per_minute=0))

    def ask(self, method: str, url: str, **rest: Any) -> Any:
        """The answer's JSON."""

        async def whole() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=make_app(self.sandbox))) as client:
                return await client.request(method, url, headers={"Authorization": "Bearer sandbox"}, **rest)

        answer = asyncio.run(whole())
        assert answer.status_code == 200, answer.text
        return answer.json()

    def outside_event(self, **event: Any) -> Any:
        """Something happens behind everybody's back, an hour after whatever came before."""
        self.now += HOUR
        return self.ask("POST", "http://sandbox.test/_sandbox/giftcards", json=event)

    def listed(self, path: str, size: str) -> list[Any]:
        """Every object of a list, page by page."""
        found: list[Any] = []
        page = last = 1
        while page <= last:
            answer = self.ask("GET", f"{API}/{path}?page={page}&{size}=100")
            found += answer["data"]
            page, last = page + 1, int(answer["meta"]["last_page"])
        return found

    def export(self, path: Path) -> list[Any]:
        """Every giftcard as an export writes it; returns what the API listed."""
        moment = datetime.fromtimestamp(self.now, UTC)
        cards = self.listed("giftcards", "limit")
        rows = [
            {
                **{name: card.get(name) for name in ("type", "hash", "amount_in_cents", "active", "upgradeable")},
                "giftcard_uuid": card["uuid"],
                "expiration_date": card["expiration_date"] and datetime.fromisoformat(card["expiration_date"]),
                "giftcard_program_uuid": card["giftcard_program"]["uuid"],
                "giftcard_program_name": card["giftcard_program"]["name"],
                "read_at": moment,
            }
            for card in cards
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)
        summary = {
            "verdict": "agreed",
            "agreed": True,
            "moment": moment.isoformat(),
            "account": "a-1",
            "program_uuids": [],
        }
        path.with_name(f"{path.name}.summary.json").write_text(json.dumps(summary))
        return cards


def play(service: Service, kind: str, card: Any, cents: int, happened: dict[str, dict[str, int]]) -> None:
    """Let one thing happen to a card and note what a report has to say of it."""
    uuid, before = card["uuid"], card["amount_in_cents"]
    part = min(cents, before - 1)
    match kind:
        case "redeem":
            service.outside_event(action="redeem", uuid=uuid, amount_in_cents=part)
            happened["redeemed"][uuid] = part
        case "topup":
            service.outside_event(action="topup", uuid=uuid, amount_in_cents=cents)
            happened["topped_up"][uuid] = cents
        case "undo":
            service.outside_event(action="redeem", uuid=uuid, amount_in_cents=part)
            service.outside_event(action="topup", uuid=uuid, amount_in_cents=part)
        case "expire" | "sweep":
            service.outside_event(action="expire", uuid=uuid, expires=int(service.now) + 60, sweep=kind == "sweep")
            happened["expired"][uuid] = before
        case "deactivate":
            service.outside_event(action="deactivate", uuid=uuid)
            happened["deactivated"][uuid] = before
        case "move":
            programs = [program.uuid for program in service.sandbox.world.cards.programs.values()]
            to = programs.index(card["giftcard_program"]["uuid"]) % len(programs) + 1
            service.outside_event(action="move", uuid=uuid, program=to % len(programs) + 1)
            happened["moved"][uuid] = before
        case "delete":
            service.outside_event(action="delete", uuid=uuid)
            happened["vanished"][uuid] = before
        case _:
            issued = service.outside_event(action="issue", program=2, amount_in_cents=cents)
            happened["issued"][issued["uuid"]] = cents


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples write; each overwrites the one before."""
    return tmp_path_factory.mktemp("sandbox")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(1, 50), story=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 900)), max_size=14))
def test_report_names_what_the_sandbox_played(
    seed: int, story: list[tuple[str, int]], folder: Path, figures: Callable[..., dict[str, Any]]
) -> None:
    """Events through the admin routes, snapshots and transactions through the API: exact lists, no card differs."""
    service = Service(seed)
    opening, closing, transactions = (folder / name for name in ("a.parquet", "b.parquet", "t.jsonl"))
    cards = service.export(opening)
    begun = datetime.fromtimestamp(service.now, UTC)
    stage = [card for card in cards if _usable(card, begun)]
    happened: dict[str, dict[str, int]] = {kind: {} for kind in ALL}
    undone: dict[str, int] = {}
    for card, (kind, cents) in zip(stage, story, strict=False):
        play(service, kind, card, cents, happened)
        if kind == "undo":
            undone[card["uuid"]] = min(cents, card["amount_in_cents"] - 1)
    service.now += HOUR
    service.export(closing)
    rows = service.listed("giftcard-transactions", "perPage")
    transactions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    after = datetime.fromtimestamp(service.now + HOUR, UTC).isoformat()
    summary = {"verdict": "agreed", "agreed": True, "account": "a-1", "filters": [], "moment": after}
    transactions.with_name("t.jsonl.summary.json").write_text(json.dumps(summary))
    given_file = ("--transactions", transactions) if rows else ()
    if rows:
        happened["redeemed"] |= undone
        happened["reversed"] |= undone
    found = figures(opening, closing, *given_file, *(option for kind in ALL for option in ("--list", kind)))
    listed = {kind: {card["giftcard_uuid"]: card["cents"] for card in found["lists"][kind]} for kind in ALL}
    assert listed == happened
    assert found["roll_forward"]["residual"] == 0
    if rows:
        assert {d["giftcard_uuid"] for d in found["transactions"]["differences"]} == set(happened["vanished"])
        put_on, spent, _, _ = found["transactions"]["side_by_side"]
        assert put_on["difference_cents"] == spent["difference_cents"] == 0
        assert found["roll_forward"]["unexplained"] == 0


def _usable(card: Any, begun: datetime) -> bool:
    """Outstanding with some money on it, and not about to expire of its own accord."""
    expires = card["expiration_date"] and datetime.fromisoformat(card["expiration_date"])
    soon = expires is not None and (expires - begun).total_seconds() < 40 * HOUR
    return bool(card["active"] and card["amount_in_cents"] > 100 and not soon)
