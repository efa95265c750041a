"""What stands in the file, in every format, and the other lists of the same machinery."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from piggy_batch.endpoints.exportable_lists import CONTACTS, GIFTCARDS, TRANSACTIONS
from piggy_batch.errors import JournalError, SetupError
from piggy_batch.exporting.output import RowBuilder
from piggy_batch.reporting.snapshot import SCHEMA
from tests.exporting.conftest import Account, held, read
from tests.support.open_files import no_more_files

Make = Callable[..., Account]
COLUMNS = [
    "giftcard_uuid",
    "type",
    "hash",
    "amount_in_cents",
    "active",
    "upgradeable",
    "expiration_date",
    "giftcard_program_uuid",
    "giftcard_program_name",
    "read_at",
]


def later(request: httpx.Request, account: Account) -> httpx.Response | None:
    """A list whose objects have fields that nobody knows yet."""
    if not request.url.path.endswith("/giftcards"):
        return None
    program = {"uuid": "p-1", "name": "Vouchers", "colour": "red"}
    row = {"uuid": "u-1", "hash": "007", "amount_in_cents": 5, "giftcard_program": program, "tags": ["a"], "note": None}
    return httpx.Response(200, json={"data": [row], "meta": {"page": 1, "last_page": 1, "total": 1}})


def test_csv_has_the_columns_in_their_order_and_values_as_shown(account: Account) -> None:
    """Truth values as true and false, moments in UTC with Z, no expiry as an empty cell."""
    rows = read(account.export())
    assert list(rows[0]) == COLUMNS
    card = account.cards.get(1)
    assert rows[0]["hash"] == card.hash
    assert rows[0]["amount_in_cents"] == str(card.cents)
    assert {row["active"] for row in rows} <= {"true", "false"}
    assert rows[0]["expiration_date"].endswith("T00:00:00Z")
    assert rows[1]["expiration_date"] == ""  # the second program's cards never expire
    assert rows[0]["read_at"].startswith("2027-01-15T08:00:")


def test_parquet_has_the_fixed_schema_that_snapshots_take(account: Account) -> None:
    """Integers, booleans and moments in UTC as such; exactly the schema of the store."""
    done = account.export(to="cards.parquet")
    table = pq.read_table(done.path)
    assert table.schema.equals(SCHEMA)
    assert table["amount_in_cents"].type == pa.int64()
    assert table["giftcard_uuid"].to_pylist() == account.uuids()
    assert table["expiration_date"].type == pa.timestamp("us", tz="UTC")


def test_an_empty_account_still_gives_the_schema(make: Make) -> None:
    """A month without cards is a file with columns."""
    assert pq.read_table(make(giftcards=0).export(to="cards.parquet").path).schema.equals(SCHEMA)


def test_jsonl_is_one_object_a_card(account: Account) -> None:
    """Numbers as numbers, nothing as null."""
    lines = account.export(to="cards.jsonl").path.read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    assert len(lines) == 40
    assert list(first) == COLUMNS
    assert json.loads(lines[1])["expiration_date"] is None
    assert isinstance(first["active"], bool)
    assert isinstance(first["amount_in_cents"], int)
    assert all(isinstance(first[name], str) for name in ("giftcard_uuid", "hash", "read_at"))


def test_jsonl_keeps_the_types_of_attributes(make: Make) -> None:
    """What the service has as a number or a truth value is one in the file; identifiers stay text."""
    listing = CONTACTS.choose(("email", "current_values.age", "current_values.vip"))
    body = json.dumps([["u-1", "a@b.nl", 41, True], None])
    typed = RowBuilder(listing, extra=False, keeps_types=True).rows([(body, 0.0)])
    plain = RowBuilder(listing, extra=False).rows([(body, 0.0)])
    assert typed[0][:4] == ("u-1", "a@b.nl", 41, True)
    assert plain[0][:4] == ("u-1", "a@b.nl", "41", "true")


def test_a_workbook_keeps_hashes_as_text(account: Account) -> None:
    """A code like 007 or 1E5 is no number."""
    account.answer = lambda request: later(request, account)
    sheet = openpyxl.load_workbook(account.export(to="cards.xlsx").path).active
    assert sheet is not None
    assert sheet["C2"].value == "007"
    assert sheet["C2"].data_type == "s"


def test_a_workbook_of_cards_can_be_summed(account: Account) -> None:
    """Amounts are numbers, truth values and moments are what they are, and the verdict stands on the last sheet."""
    done = account.export(to="cards.xlsx")
    book = openpyxl.load_workbook(done.path)
    sheet = book["rows"]
    head = {cell.value: cell.column for cell in sheet[1]}
    kinds = {name: {sheet.cell(row, column).data_type for row in range(2, 42)} for name, column in head.items()}
    assert kinds["amount_in_cents"] == {"n"}
    assert kinds["active"] == {"b"}
    assert kinds["read_at"] == {"d"}
    assert kinds["giftcard_uuid"] == kinds["hash"] == {"s"}
    amounts = [sheet.cell(row, head["amount_in_cents"]).value for row in range(2, 42)]
    assert sum(amounts) == sum(int(row["amount_in_cents"]) for row in read(account.export(to="cards.csv")))
    assert sheet.auto_filter.ref == "A1:J41"
    facts = [[cell.value for cell in row] for row in book["about"].iter_rows()]
    assert ["verdict", "agreed"] in facts
    assert ["cards", "40"] in facts


def test_extra_keeps_what_no_column_shows(account: Account) -> None:
    """A JSON column with fields that the API adds later, nested ones too; without it they are left out."""
    account.answer = lambda request: later(request, account)
    (row,) = read(account.export(extra=True))
    assert json.loads(row["extra"]) == {"giftcard_program": {"colour": "red"}, "note": None, "tags": ["a"]}
    assert list(row) == [*COLUMNS, "extra"]
    assert list(read(account.export(to="plain.csv"))[0]) == COLUMNS


def test_extra_stays_when_a_look_up_shows_the_card_again(make: Make) -> None:
    """The full form of a look-up has other fields; what the list showed is kept."""
    account = make(giftcards=0)
    rows = [{"uuid": f"u-{n}", "amount_in_cents": n, "colour": "red"} for n in (1, 2)]
    lists = 0

    def answer(request: httpx.Request) -> httpx.Response | None:
        nonlocal lists
        if request.url.path.endswith("/giftcards/u-2"):
            return httpx.Response(200, json={"data": {"uuid": "u-2", "amount_in_cents": 7, "id": 9}})
        if not request.url.path.endswith("/giftcards"):
            return None
        lists += 1
        shown = rows if lists < 3 else rows[:1]
        return httpx.Response(200, json={"data": shown, "meta": {"page": 1, "last_page": 1, "total": 2}})

    account.answer = answer
    done = account.export(extra=True)
    assert done.agreed
    assert [row["amount_in_cents"] for row in read(done)] == ["1", "7"]
    assert [json.loads(row["extra"]) for row in read(done)] == [{"colour": "red"}] * 2


def test_contacts_are_exported_with_small_columns(make: Make) -> None:
    """The payload is heavy, the file is not; limit comes back as text and is read all the same."""
    done = make(contacts=25, giftcards=0).export(CONTACTS, to="contacts.csv")
    rows = read(done)
    assert done.agreed
    assert done.summary["contacts"] == len(rows) == 25
    assert rows[0]["email"] == "customer1@example.test"
    assert list(rows[0]) == [f.name for f in CONTACTS.fields] + ["read_at"]


def test_columns_of_contacts_can_be_chosen_by_name_and_by_path(make: Make) -> None:
    """The uuid always comes first."""
    listing = CONTACTS.choose(("email", "current_values.loyalty_balance"))
    (row, *_) = read(make(contacts=3, giftcards=0).export(listing, to="contacts.csv"))
    assert list(row) == ["contact_uuid", "email", "current_values.loyalty_balance", "read_at"]
    with pytest.raises(SetupError, match=r"emial: no such column; there are contact_uuid, email"):
        CONTACTS.choose(("emial",))


def test_a_contact_deleted_while_reading_is_looked_up(make: Make) -> None:
    """55031 means gone, as 5001 does for cards."""
    account = make(contacts=25, giftcards=0)
    people = account.world.sandbox.world.people
    gone = account.world.contact(1)

    def delete(_: httpx.Request) -> None:
        if len(account.lists) == 2 and people.contact(gone) is not None:
            account.world.sandbox.outside_event("contact", action="delete", email="customer1@example.test")

    account.after = delete
    done = account.export(CONTACTS, to="contacts.csv", concurrency=1)
    assert done.agreed
    assert gone not in held(done, "contact_uuid")
    assert done.summary["vanished_list"] == [gone]


def test_transactions_use_their_own_page_parameter(make: Make) -> None:
    """perPage, not limit; old rows without uuid are told apart by their id."""
    account = make(giftcards=20, transactions=55)
    done = account.export(TRANSACTIONS, to="moves.csv", filters=({"created_at[gte]": "2000-01-01T00:00:00+00:00"},))
    assert done.agreed
    assert len(read(done)) == 55
    assert {query["perPage"] for query in account.lists} == {"10", "1"}
    assert any(row["transaction_uuid"] == "" for row in read(done))
    assert account.lists[0]["created_at[gte]"] == "2000-01-01T00:00:00+00:00"


def test_a_service_that_ignores_the_page_parameter_still_gives_every_transaction(make: Make) -> None:
    """Ten rows a page come whatever is asked for; meta says so, and the walk goes by it."""
    account = make(giftcards=20, transactions=55, transactions_page_param="limit")
    done = account.export(TRANSACTIONS, to="moves.csv", page_size=100)
    assert len(read(done)) == 55
    assert done.agreed


def test_the_order_of_the_file_is_that_of_the_list(account: Account) -> None:
    """Whatever order the pages came in."""
    done = account.export(concurrency=8)
    assert held(done) == account.uuids()


def test_a_csv_export_is_a_manifest(account: Account) -> None:
    """The next command reads it as it is: its key column is the field's name."""
    done = account.export()
    with done.path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert GIFTCARDS.fields[0].name in header
    result = account.world.run("giftcards get", done.path)
    assert result.exit_code == 0


def test_a_file_that_cannot_be_written_after_all_is_read_is_exit_4(account: Account) -> None:
    """Exit 2 would say that nothing was sent. Every page is kept, and the same command writes the file."""
    with ExitStack() as stack:

        def last(request: httpx.Request) -> None:
            if request.url.path.endswith("giftcard-programs"):
                stack.enter_context(no_more_files())

        account.after = last
        with pytest.raises(JournalError, match=r"cards\.csv.*Too many open files") as failed:
            account.export()
    assert (failed.value.exit_code, failed.value.goes_on) == (4, True)
    account.after = lambda _: None
    account.requests.clear()
    assert held(account.export()) == account.uuids()
    assert account.lists == []
