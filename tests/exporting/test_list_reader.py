"""Lists whose answers are wrong: duplicates, short pages, repeated pages, meta of every shape, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from piggy_batch.errors import HaltError, SetupError
from piggy_batch.sandbox import Fault, make_app
from tests.exporting.conftest import Account, held, page

Make = Callable[..., Account]


@pytest.mark.parametrize("kind", ["short-page", "duplicate-row", "repeat-page", "no-meta", "string-meta", "no-data"])
def test_a_list_that_lies_now_and_then_is_read_until_it_agrees(make: Make, kind: str) -> None:
    """A few wrong answers are noticed and asked again; the file is complete and the proof holds."""
    account = make(giftcards=95, faults=(Fault(kind, path="giftcards", after_n=2, times=4),))
    done = account.export()
    assert done.agreed
    assert sorted(held(done)) == sorted(account.uuids())


@pytest.mark.parametrize("kind", ["short-page", "repeat-page"])
def test_a_list_that_always_lies_is_not_agreed_and_ends(make: Make, kind: str) -> None:
    """Every answer lacks cards: exit 1, and the words say how many are missing."""
    account = make(giftcards=95, faults=(Fault(kind, path="giftcards"),))
    done = account.export()
    assert (done.exit_code, done.agreed) == (1, False)
    assert "are missing" in done.notes[0]
    assert len(account.requests) < 200


def test_pages_that_each_repeat_a_row_are_complete_all_the_same(make: Make) -> None:
    """A row too many is no row missing; each card stands once."""
    account = make(giftcards=95, faults=(Fault("duplicate-row", path="giftcards"),))
    done = account.export()
    assert done.agreed
    assert held(done) == account.uuids()


def test_numbers_as_text_are_numbers(make: Make) -> None:
    """Every number in meta comes as text, as it was captured of contacts."""
    account = make(giftcards=40, faults=(Fault("string-meta", path="giftcards"),))
    assert account.export().agreed


@pytest.mark.parametrize("meta", [None, [], {}])
def test_without_meta_every_page_is_read_and_nothing_is_claimed(account: Account, meta: object) -> None:
    """No last page: page after page until one brings nothing. No total: no proof, and the summary says so."""

    def bare(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/giftcards"):
            return None
        number, size = int(request.url.params["page"]), int(request.url.params["limit"])
        rows = [{"uuid": u, "amount_in_cents": 1} for u in account.uuids()[(number - 1) * size : number * size]]
        body = {"data": rows} if meta is None else {"data": rows, "meta": meta}
        return httpx.Response(200, json=body)

    account.answer = bare
    done = account.export()
    assert (done.exit_code, done.summary["verdict"], done.summary["total"]) == (1, "not agreed", None)
    assert held(done) == account.uuids()
    assert "tells no total" in done.notes[0]


def test_a_service_without_meta_that_ignores_the_page_number_ends(account: Account) -> None:
    """The same page for ever brings nothing new, and that is the end of it."""

    def same(request: httpx.Request) -> httpx.Response | None:
        rows = [{"uuid": u} for u in account.uuids()[:10]]
        return httpx.Response(200, json={"data": rows}) if request.url.path.endswith("/giftcards") else None

    account.answer = same
    done = account.export()
    assert done.exit_code == 1
    assert len(held(done)) == 10
    assert len(account.lists) < 150


def test_a_service_that_ignores_the_page_number_is_not_agreed(account: Account) -> None:
    """Meta counts 40, every page shows the first ten: exit 1, bounded."""

    def same(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/giftcards"):
            return None
        rows = [{"uuid": u} for u in account.uuids()[:10]]
        meta = {"page": int(request.url.params["page"]), "last_page": 4, "total": 40, "per_page": 10}
        return httpx.Response(200, json={"data": rows, "meta": meta})

    account.answer = same
    done = account.export()
    assert (done.exit_code, len(held(done))) == (1, 10)
    assert "30 are missing" in done.notes[0]


def test_another_page_than_asked_for_is_not_taken_for_it(make: Make) -> None:
    """A cache answers with page 1 under its own number: asked again, and not counted as page 3."""
    account = make(giftcards=40)
    wrong = [3]

    def cached(request: httpx.Request) -> httpx.Response | None:
        if request.url.params.get("page") == "3" and wrong and wrong.pop():
            rows = [{"uuid": u} for u in account.uuids()[:10]]
            return httpx.Response(200, json={"data": rows, "meta": {"page": 1, "last_page": 4, "total": 40}})
        return None

    account.answer = cached
    done = account.export(concurrency=1)
    assert done.agreed
    assert [page(query) for query in account.lists][:4] == [1, 2, 3, 3]


def test_a_list_that_shrinks_below_the_page_asked_for_is_refused_and_goes_on(make: Make) -> None:
    """Page 5 no longer exists when it is asked for, and the service says 1003: an empty page, nothing more."""
    account = make(giftcards=50)

    def refuse(request: httpx.Request) -> httpx.Response | None:
        wanted = int(request.url.params.get("page", "1"))
        if request.url.path.endswith("/giftcards") and (wanted - 1) * 10 >= len(account.uuids()):
            return httpx.Response(400, json={"message": "Invalid input.", "code": 1003, "status_code": 400})
        return None

    def delete(_: httpx.Request) -> None:
        if len(account.lists) == 2 and len(account.uuids()) == 50:
            for uuid in account.uuids()[38:]:
                account.cards.remove(account.cards.by_uuid(uuid))

    account.answer, account.after = refuse, delete
    done = account.export(concurrency=1)
    assert done.agreed
    assert sorted(held(done)) == sorted(account.uuids())


def test_a_service_with_smaller_pages_than_asked_for_is_read_to_its_end(make: Make) -> None:
    """100 are asked for, 30 come and meta says so: last_page counts in thirties."""
    account = make(giftcards=95)

    def clamp(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/giftcards"):
            return None
        number, size = int(request.url.params["page"]), min(30, int(request.url.params["limit"]))
        rows = [{"uuid": u} for u in account.uuids()[(number - 1) * size : number * size]]
        meta = {"page": number, "per_page": size, "last_page": -(-95 // size), "total": 95}
        return httpx.Response(200, json={"data": rows, "meta": meta})

    account.answer = clamp
    done = account.export(page_size=100)
    assert done.agreed
    assert held(done) == account.uuids()


def test_uuids_of_any_shape_are_text(make: Make) -> None:
    """Digits only, numbers, dots and slashes: opaque, kept as they are."""
    account = make(giftcards=4, bare_uuids=True)
    assert held(account.export()) == account.uuids()
    shapes = ["0012", "a/b?c", "é☃", "..", 12, "x" * 300]

    def shaped(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/giftcards"):
            return None
        rows = [{"uuid": u} for u in shapes] if request.url.params["page"] == "1" else []
        return httpx.Response(200, json={"data": rows, "meta": {"page": 1, "last_page": 1, "total": 6}})

    account.answer = shaped
    assert held(account.export()) == [str(u) for u in shapes]


@pytest.mark.parametrize("rows", [[{"uuid": None}], [{}], ["x"], [None], [{"uuid": ""}], [{"uuid": {"a": 1}}]])
def test_rows_without_a_uuid_are_never_agreed(account: Account, rows: list[object]) -> None:
    """They cannot be told apart, so nothing is claimed; the others are in the file."""

    def nameless(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/giftcards"):
            return None
        both = [{"uuid": "u-1"}, *rows]
        return httpx.Response(200, json={"data": both, "meta": {"page": 1, "last_page": 1, "total": 2}})

    account.answer = nameless
    done = account.export()
    assert (done.exit_code, held(done)) == (1, ["u-1"])
    assert "1 are missing" in done.notes[0]


@pytest.mark.parametrize("data", [None, {}, "text", {"0": {"uuid": "u-1"}}])
def test_data_that_is_no_list_ends_the_export(account: Account, data: object) -> None:
    """Page 1 never becomes a page: halted, with the reason, and no file."""

    def wrong(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json={"data": data, "meta": []}) if "giftcards" in request.url.path else None

    account.answer = wrong
    done = account.export()
    assert (done.exit_code, done.written, done.path.exists()) == (3, False, False)
    assert "no list" in done.notes[0]


def test_a_page_that_cannot_be_read_is_named(account: Account) -> None:
    """Page 3 answers with code 99999 for ever: the others are in the file, the summary names page 3, exit 1."""

    def broken(request: httpx.Request) -> httpx.Response | None:
        if request.url.params.get("page") == "3":
            return httpx.Response(400, json={"message": "Oops.", "code": 99999, "status_code": 400})
        return None

    account.answer = broken
    done = account.export(max_passes=2)
    assert done.exit_code == 1
    assert "pages that could not be read: 3 (Oops.)" in done.notes[0]
    assert len(held(done)) >= 30


def test_twenty_unreadable_pages_in_a_row_halt(make: Make) -> None:
    """Somebody should look before hundreds more are asked for."""
    account = make(giftcards=400)

    def broken(request: httpx.Request) -> httpx.Response | None:
        if int(request.url.params.get("page", "1")) > 2:
            return httpx.Response(400, json={"message": "Oops.", "code": 99999, "status_code": 400})
        return None

    account.answer = broken
    done = account.export(concurrency=2)
    assert (done.exit_code, done.written) == (3, False)
    assert "20 pages in a row" in done.notes[0]


def test_an_unknown_program_is_a_usage_error_that_leaves_nothing_behind(account: Account) -> None:
    """1100 ends the export with exit 2, and a corrected command is not refused for it."""
    with pytest.raises(SetupError, match=r"nowhere.*1100.*giftcards programs"):
        account.export(filters=({"giftcard_program_uuid": "nowhere"},))
    assert not list(account.folder.glob("*"))
    assert account.export(filters=(account.program(1),)).agreed


def test_a_page_size_that_the_service_refuses_is_a_usage_error(account: Account) -> None:
    """1003 for page 1: the words name the parameter and a size to try."""
    with pytest.raises(SetupError, match=r"limit=500.*--page-size 30"):
        account.export(page_size=500)


@pytest.mark.parametrize("kind", ["unauthorized", "7002"])
def test_a_refused_token_halts_and_the_same_command_goes_on(make: Make, kind: str) -> None:
    """Exit 3 in the middle: pages are kept, the file is not touched, later it goes on."""
    account = make(giftcards=95)
    account.world.sandbox.plan(Fault(kind, after_n=6))
    done = account.export(concurrency=1)
    assert (done.exit_code, done.written, done.summary["verdict"]) == (3, False, "unfinished")
    assert "5 pages are kept" in done.notes[0]
    account.world.sandbox.clear_faults()
    before = len(account.lists)
    assert account.export(concurrency=1).agreed
    assert [page(query) for query in account.lists[before:]][:2] == [6, 7]


@pytest.mark.parametrize("kind", ["500", "502-html", "429", "503", "reset-after", "truncated", "timeout"])
def test_weather_is_waited_out(make: Make, kind: str) -> None:
    """A share of answers fails in every known way; the export agrees all the same."""
    account = make(giftcards=95, faults=(Fault(kind, 0.2, path="giftcards"),))
    assert account.export().agreed


@pytest.mark.parametrize("body", [b'{"data":[{"uuid":', b"<html>", b""])
@pytest.mark.parametrize("damaged", [4, 10**6])
def test_a_page_that_arrives_damaged_is_asked_for_a_few_times(account: Account, body: bytes, damaged: int) -> None:
    """Up to --attempts times a reading: the tries of the request and those of the page are not multiplied."""
    asked: list[int] = []

    def broken(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/giftcards") and request.url.params["page"] == "3":
            asked.append(len(account.requests))
            return httpx.Response(200, content=body) if len(asked) <= damaged else None
        return None

    account.answer = broken
    done = account.export(attempts=5, max_passes=2)
    assert done.agreed == (damaged == 4)
    assert len(asked) == (6 if damaged == 4 else 20)  # five tries; then the same once more; in each of two passes


def test_a_count_that_arrives_damaged_is_asked_for_a_few_times(account: Account) -> None:
    """The same for the request that reads the total."""
    asked = 0

    def broken(request: httpx.Request) -> httpx.Response | None:
        nonlocal asked
        if not (request.url.path.endswith("/giftcards") and request.url.params["limit"] == "1"):
            return None
        asked += 1
        return httpx.Response(200, content=b"<html>")

    account.answer = broken
    assert not account.export(attempts=5, max_passes=1).agreed
    assert asked == 5


def test_a_service_that_never_answers_is_a_halt(account: Account) -> None:
    """Not even the account is told: exit 3 without a directory left behind."""
    account.world.sandbox.plan(Fault("reset-before"))
    with pytest.raises(HaltError, match="cannot be reached"):
        account.export()
    assert not list(account.folder.glob("*"))


def test_a_program_filter_goes_out_as_documented(account: Account) -> None:
    """Every list request carries the program, the page and the size."""
    account.export(filters=(account.program(2),))
    assert all(set(query) == {"giftcard_program_uuid", "page", "limit"} for query in account.lists)


def test_values_that_do_not_fit_their_column_are_counted(account: Account) -> None:
    """Blank in the file, each named with its own text in summary and words; the card blocks nothing."""

    def odd(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/giftcards"):
            return None
        row = {"uuid": "u-1", "amount_in_cents": "12,50", "expiration_date": "soon", "active": "perhaps"}
        return httpx.Response(200, json={"data": [row], "meta": {"page": 1, "last_page": 1, "total": 1}})

    account.answer = odd
    done = account.export()
    assert (done.exit_code, done.summary["verdict"], done.summary["understood"]) == (0, "agreed", True)
    assert done.summary["unreadable"] == {"amount_in_cents": 1, "expiration_date": 1, "active": 1}
    assert {"giftcard_uuid": "u-1", "column": "expiration_date", "raw": "soon"} in done.summary["unreadable_list"]
    assert json.dumps(done.notes).count("blank in the file") == 3
    assert 'giftcard_uuid u-1: amount_in_cents "12,50" cannot be read; it is blank in the file' in done.notes


def test_column_that_is_not_understood_is_no_proof(account: Account) -> None:
    """When many rows are odd the service means something else by the column: exit 1, whatever the counts say."""

    def odd(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/giftcards"):
            return None
        rows = [{"uuid": f"u-{n}", "amount_in_cents": 5, "expiration_date": "31-01-2027"} for n in range(40)]
        return httpx.Response(200, json={"data": rows, "meta": {"page": 1, "last_page": 1, "total": 40}})

    account.answer = odd
    done = account.export()
    assert (done.exit_code, done.summary["understood"]) == (1, False)
    assert "40 values of expiration_date cannot be read, and are blank in the file" in done.notes


@pytest.mark.parametrize("last", [10**9, 10**30])
@pytest.mark.parametrize("rows", ["none", "same"])
def test_pages_without_end_that_show_nothing_new_end(account: Account, last: int, rows: str) -> None:
    """A last page beyond all bounds, and empty or equal pages up to it: some hundred requests, then a verdict."""
    known = account.uuids()[:10]

    def endless(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/giftcards"):
            return None
        number = int(request.url.params["page"])
        shown = [{"uuid": u, "amount_in_cents": 1} for u in known if number == 1 or rows == "same"]
        meta = {"page": number, "per_page": 10, "last_page": last, "total": 10}
        return httpx.Response(200, json={"data": shown, "meta": meta})

    account.answer = endless
    done = account.export()
    assert held(done) == known
    assert len(account.requests) < 2_000


def test_numbers_that_are_none_are_counted_and_end_nothing(account: Account) -> None:
    """NaN and numbers beyond all bounds are no JSON; the card is in the file, with a blank in their place."""
    body = (
        b'{"data":[{"uuid":"u-1","amount_in_cents":NaN,"new":{"a":[1e999]}}],"meta":{"page":1,"last_page":1,"total":1}}'
    )
    account.answer = lambda r: httpx.Response(200, content=body) if r.url.path.endswith("/giftcards") else None
    done = account.export(extra=True)
    assert held(done) == ["u-1"]
    assert held(done, "amount_in_cents") == [""]
    assert done.summary["unreadable"] == {"amount_in_cents": 1}


def test_a_cell_that_a_workbook_does_not_hold_is_told(account: Account) -> None:
    """What no column shows of a card may be long: cut in a workbook, and said so."""
    row = {"uuid": "u-1", "amount_in_cents": 1, "note": "y" * 40_000}
    page = {"data": [row], "meta": {"page": 1, "last_page": 1, "total": 1}}
    account.answer = lambda r: httpx.Response(200, json=page) if r.url.path.endswith("/giftcards") else None
    done = account.export(to="cards.xlsx", extra=True)
    assert any("cards.xlsx: 1 cell is longer than a workbook takes" in note for note in done.notes)
    assert not any("longer" in note for note in account.export(extra=True).notes)


@pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
def test_what_a_cache_answers_is_no_reading(account: Account) -> None:
    """Before the count a card is deleted and one made; a gateway shows the deleted one again. That proves nothing."""
    service = httpx.ASGITransport(app=make_app(account.world.sandbox))
    kept: dict[str, bytes] = {}

    async def cached(request: httpx.Request) -> httpx.Response | None:
        page = request.url.params.get("page")
        if not request.url.path.endswith("/giftcards") or request.url.params["limit"] == "1":
            return None
        if page in kept:
            return httpx.Response(200, headers={"Age": "7"}, content=kept[page])
        kept[page] = await (await service.handle_async_request(request)).aread()
        return httpx.Response(200, content=kept[page])

    def change(_: httpx.Request) -> None:
        if len(account.lists) == 4 and 5 in account.cards.order:
            account.cards.remove(account.cards.get(5))
            account.cards.add(1, 0)

    account.world.hook, account.after = cached, change
    done = account.export(concurrency=1)
    assert (done.exit_code, done.agreed) == (3, False)
    assert "comes from a cache" in done.notes[0]
