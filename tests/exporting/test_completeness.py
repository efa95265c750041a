"""What "agreed" means, and that nothing less is called so."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from piggy_batch.exporting.completeness import (
    Completeness,
    CountReading,
    ReadOptions,
    ReadState,
    SeenCounts,
    another_pass_helps,
    border_pages,
    is_proven,
    may_be_proven,
    next_page_size,
    overall,
)
from piggy_batch.sandbox import Churn, Fault
from tests.exporting.conftest import Account, held, page, read, summary_of
from tests.prove.exports import changing, check

Make = Callable[..., Account]


def test_an_undisturbed_export_reads_every_page_twice_and_counts_in_between(account: Account) -> None:
    """Four pages, the count, and the same four pages again."""
    done = account.export(concurrency=1)
    assert [page(query) for query in account.lists] == [1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert (done.exit_code, done.agreed, done.summary["passes"]) == (0, True, 2)
    assert held(done) == account.uuids()


def test_quick_reads_once_and_never_says_agreed(account: Account) -> None:
    """Counts that agree are exit 0, but no proof."""
    done = account.export(quick=True, concurrency=1)
    assert [page(query) for query in account.lists] == [1, 2, 3, 4, 0]
    assert (done.exit_code, done.agreed, done.summary["verdict"]) == (0, False, "counts agree")
    assert "no proof" in done.notes[0]


def slip(account: Account) -> str:
    """After page 2 was read, a card of page 1 goes and one is added at the end; the uuid of the card that slips
    from page 3 to page 2 and is therefore not seen."""
    deleted, slipped = account.uuids()[3], account.uuids()[20]
    account.world.sandbox.churn(Churn(after_page_request=2, delete=(deleted,), add=1))
    return slipped


def test_equal_counts_hide_a_missing_card_from_quick(account: Account) -> None:
    """The trap: one deleted, one added, every count equal, an old card missing and a deleted one in the file."""
    slipped = slip(account)
    done = account.export(quick=True, concurrency=1)
    assert done.summary["verdict"] == "counts agree"
    assert slipped not in held(done)


def test_equal_counts_do_not_hide_a_missing_card_from_the_proof(account: Account) -> None:
    """The second reading does not show the deleted card, so the first count proves nothing; the third agrees."""
    slipped = slip(account)
    done = account.export(concurrency=1)
    assert done.agreed
    assert slipped in held(done)
    assert sorted(held(done)) == sorted(account.uuids())
    assert (done.summary["passes"], done.summary["vanished"]) == (3, 1)


@pytest.mark.parametrize("block", range(5))
def test_agreed_is_never_wrong(block: int) -> None:
    """Random changes and lies between any two answers: what is agreed is exactly what existed at the moment."""
    verdicts: Counter[str] = Counter()
    for seed in range(block * 20, block * 20 + 20):
        with tempfile.TemporaryDirectory() as folder:
            done, judge = changing(Path(folder), seed)
            check(done, judge)
            verdicts[done.summary["verdict"]] += 1
    assert verdicts["agreed"] >= 10


def test_cards_made_after_the_moment_are_not_in_the_file(account: Account) -> None:
    """Agreed is a statement about one moment: what is added during the second reading is left out."""
    before = account.uuids()
    account.world.sandbox.churn(Churn(after_page_request=6, add=2))
    done = account.export(concurrency=1)
    assert done.agreed
    assert held(done) == before
    assert done.summary["cards"] == done.summary["total"] == 40


def test_cards_made_during_the_first_reading_are_caught_up_with(account: Account) -> None:
    """The count differs, so the last pages are read again, and the next count fits."""
    account.world.sandbox.churn(Churn(after_page_request=4, add=3))
    done = account.export(concurrency=1)
    assert (done.agreed, done.summary["cards"], done.summary["passes"]) == (True, 43, 2)


def test_a_card_deleted_while_reading_is_looked_up_and_reported(account: Account) -> None:
    """It is no longer in the file, and the summary names it."""
    gone = account.uuids()[0]
    account.world.sandbox.churn(Churn(after_page_request=2, delete=(gone,)))
    done = account.export(concurrency=1)
    assert done.agreed
    assert gone not in held(done)
    assert done.summary["vanished_list"] == [gone]
    assert any(path.endswith(gone) for path, _ in account.requests)


def test_equal_neighbours_in_changing_order_are_all_found(make: Make) -> None:
    """Cards of one second come in another order on every request, across page borders too."""
    account = make(giftcards=60, ties=30, shuffle=True)
    done = account.export(concurrency=1)
    assert done.agreed
    assert sorted(held(done)) == sorted(account.uuids())


def test_a_pass_that_differs_is_followed_by_one_with_another_page_size(make: Make) -> None:
    """So that cards of one second do not fall on the same borders again."""
    account = make(giftcards=60, total_skew=1)
    account.export(concurrency=1)
    sizes = {query["limit"] for query in account.lists}
    assert sizes == {"1", "10", "7", "17", "21"} or len(sizes) >= 4


@pytest.mark.parametrize("skew", [-3, 3])
def test_a_total_that_never_fits_ends_after_max_passes(make: Make, skew: int) -> None:
    """Not agreed, exit 1, every card in the file, and the difference in words."""
    account = make(giftcards=40, total_skew=skew)
    done = account.export(max_passes=3)
    assert (done.exit_code, done.summary["verdict"], done.summary["passes"]) == (1, "not agreed", 3)
    assert sorted(held(done)) == sorted(account.uuids())
    assert ("3 are missing" if skew > 0 else "3 more than that") in done.notes[0]
    assert done.summary["next"] == "piggy-batch the same"


def test_quick_with_another_count_is_exit_1(make: Make) -> None:
    """One reading, and the service counts more."""
    done = make(giftcards=40, total_skew=2).export(quick=True)
    assert (done.exit_code, done.summary["verdict"]) == (1, "counts differ")


def test_a_total_that_grows_with_every_page_ends(make: Make) -> None:
    """The list promises more pages with each answer; empty ones end the belief in promises."""
    account = make(giftcards=40, total_drift=15)
    done = account.export(max_passes=2)
    assert done.exit_code == 1
    assert sorted(held(done)) == sorted(account.uuids())
    assert len(account.lists) < 60


def test_an_empty_account_agrees_at_once(make: Make) -> None:
    """Nothing was read and nothing is counted: that is a proof."""
    done = make(giftcards=0).export()
    assert (done.exit_code, done.agreed, done.summary["cards"], done.summary["passes"]) == (0, True, 0, 1)
    assert read(done) == []


def test_balances_that_change_while_reading_are_reported_with_the_latest(account: Account) -> None:
    """The file has the last reading; the summary says from what to what."""
    card = account.cards.get(5)
    was = card.cents

    def pay(_: httpx.Request) -> None:
        if len(account.lists) == 5:
            account.cards.put(account.cards.get(5), was + 250)

    account.after = pay
    done = account.export(concurrency=1)
    assert done.agreed
    assert done.summary["changed"] == 1
    assert done.summary["changed_list"] == [{"giftcard_uuid": card.uuid, "from": was, "to": was + 250}]
    assert next(row for row in read(done) if row["giftcard_uuid"] == card.uuid)["amount_in_cents"] == str(was + 250)


@pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
def test_several_programs_are_proven_at_one_moment(account: Account) -> None:
    """Every list is read, all are counted, all but the last once more, and every list is read again."""
    done = account.export(filters=(account.program(1), account.program(3)), concurrency=1)
    assert done.agreed
    first, third = (account.program(number)["giftcard_program_uuid"] for number in (1, 3))
    asked = [(page(query), query["giftcard_program_uuid"]) for query in account.lists]
    counts = [(0, first), (0, third), (0, first)]
    begun = asked.index(counts[0])
    assert asked[begun : begun + 3] == counts
    assert sorted(asked[:begun]) == sorted(asked[begun + 3 :])
    assert {one["moment"] for one in done.summary["walks"]} == {done.summary["moment"]}
    expected = [u for n in (1, 3) for u in (account.cards.get(i).uuid for i in account.cards._of[n])]
    assert held(done) == expected
    assert [walk["verdict"] for walk in done.summary["walks"]] == ["agreed", "agreed"]
    assert done.summary["program_uuids"] == [account.program(n)["giftcard_program_uuid"] for n in (1, 3)]


def test_one_program_that_does_not_agree_spoils_the_verdict(account: Account) -> None:
    """Agreed only if all agree; the summary lists which did not."""
    second = account.program(2)["giftcard_program_uuid"]

    def without_total(request: httpx.Request) -> httpx.Response | None:
        if request.url.params.get("limit") == "1" and request.url.params.get("giftcard_program_uuid") == second:
            return httpx.Response(200, json={"data": [], "meta": []})
        return None

    account.answer = without_total
    done = account.export(filters=(account.program(1), account.program(2)))
    assert (done.exit_code, done.summary["verdict"]) == (1, "not agreed")
    assert [walk["verdict"] for walk in done.summary["walks"]] == ["agreed", "not agreed"]


@pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
def test_a_card_that_moves_between_programs_is_in_one_of_them(account: Account) -> None:
    """It leaves the second program before it is read there, for the first one, whose pages were read before."""
    card = account.cards.get(account.cards._of[2][-1])
    second = account.program(2)

    def move(_: httpx.Request) -> None:
        asked = [query for query in account.lists if query.items() >= second.items() and page(query) == 2]
        if asked and account.cards.get(card.number).program == 2:
            account.cards.reprogram(account.cards.get(card.number), 1)

    account.answer = move
    done = account.export(filters=(account.program(1), second), concurrency=1)
    assert done.agreed
    assert card.uuid in held(done)


@pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
def test_programs_proven_at_different_moments_are_not_agreed(account: Account) -> None:
    """A card made between the counts: each list is proven, but not for one moment, and the verdict says so."""

    def add(_: httpx.Request) -> None:
        if [page(query) for query in account.lists].count(0) == 1 and len(account.cards.order) == 40:
            account.cards.add(1, 0)

    account.after = add
    done = account.export(filters=(account.program(1), account.program(2)), concurrency=1, max_passes=2)
    assert (done.exit_code, done.agreed, done.summary["verdict"]) == (1, False, "agreed apart")
    assert [one["verdict"] for one in done.summary["walks"]] == ["agreed", "agreed"]
    assert "moved from one to another" in done.notes[2]
    again = account.export(filters=(account.program(1), account.program(2)), concurrency=1)
    assert again.agreed


def test_a_card_that_moves_between_programs_stands_once(account: Account) -> None:
    """Read in the first program, moved to the second and read there: one row, with the later reading."""
    card = account.cards.get(1)

    def move(_: httpx.Request) -> None:
        if (
            account.lists
            and account.lists[-1].get("giftcard_program_uuid", "") == (account.program(2)["giftcard_program_uuid"])
        ) and account.cards.get(1).program == 1:
            account.cards.reprogram(account.cards.get(1), 2)

    account.after = move
    done = account.export(filters=(account.program(1), account.program(2)), concurrency=1)
    rows = [row for row in read(done) if row["giftcard_uuid"] == card.uuid]
    assert [row["giftcard_program_name"] for row in rows] == ["Program 2"]


def test_a_card_that_leaves_the_program_while_it_is_read_has_vanished_from_it(account: Account) -> None:
    """With a filter, to exist means to be in the program."""
    moved = account.cards.get(1).uuid

    def move(_: httpx.Request) -> None:
        if len(account.lists) == 2 and account.cards.get(1).program == 1:
            account.cards.reprogram(account.cards.get(1), 2)

    account.after = move
    done = account.export(filters=(account.program(1),), concurrency=1)
    assert done.agreed
    assert moved not in held(done)
    assert done.summary["vanished_list"] == [moved]


def test_the_programs_own_counts_are_a_second_witness(account: Account) -> None:
    """They are compared and told; they do not overrule the proof."""
    done = account.export()
    assert done.summary["programs_count"] == 40
    assert "add up to 40 as well" in done.notes[1]
    account.cards.add(0, 0)
    done = account.export()
    assert done.agreed
    assert "add up to 40, this file has 41" in done.notes[1]


def test_a_witness_that_cannot_be_heard_changes_nothing(make: Make) -> None:
    """The programs are refused; the proof stands."""
    account = make(giftcards=40, faults=(Fault("unknown-code", path="giftcard-programs"),))
    done = account.export()
    assert done.agreed
    assert done.summary["programs_count"] is None


def test_the_summary_beside_the_file_says_everything(account: Account) -> None:
    """Every key that snapshots and people rely on."""
    done = account.export()
    kept = summary_of(done)
    assert kept == done.summary
    keys = (
        "verdict agreed cards total passes requests vanished changed oldest_reading newest_reading program_uuids "
        "account base_url exit_code moment"
    )
    assert set(keys.split()) <= set(kept)
    assert kept["requests"] == len(account.requests)
    assert kept["oldest_reading"] <= kept["newest_reading"]
    assert kept["account"]["company"] == "Sandbox Shop"


# --- the decisions, as values ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "proven", "possible"),
    [
        (SeenCounts(held=5, seen_again=5, unseen=0), True, True),
        (SeenCounts(held=5, seen_again=3, unseen=2), False, True),  # two still to be seen
        (SeenCounts(held=5, seen_again=4, unseen=0), False, False),  # one is known to be deleted
        (SeenCounts(held=6, seen_again=6, unseen=0), False, False),  # one too many, found later in the same pass
    ],
)
def test_a_count_is_proven_once_everything_it_counted_is_seen_again(
    seen: SeenCounts, *, proven: bool, possible: bool
) -> None:
    """Five are counted: proven when these five are shown again, and never once one of them is gone."""
    reading = CountReading(number=1, total=5, at=0.0)
    assert (is_proven(reading, seen), may_be_proven(reading, seen)) == (proven, possible)


@pytest.mark.parametrize(
    ("total", "highest", "grew", "pages"),
    [(40, 4, True, [1, 4]), (43, 4, True, [1, 4, 5]), (43, 4, False, [1, 4]), (12, 4, True, [1, 2]), (0, 1, True, [1])],
)
def test_the_pages_where_a_list_grows_and_shrinks_are_read_again(
    total: int, highest: int, pages: list[int], *, grew: bool
) -> None:
    """The first page, the last one, and those that were added behind it; ten objects a page."""
    assert border_pages(total, 10, highest, grew=grew) == pages


def test_page_sizes_differ_from_pass_to_pass() -> None:
    """So that a tie that straddles a border in one pass does not do so in the next; never below 1, nor too many."""
    assert [next_page_size(n, 100, 100) for n in range(1, 5)] == [97, 93, 89, 83]
    assert [next_page_size(n, 10, 100) for n in range(1, 5)] == [7, 17, 21, 27]
    assert next_page_size(7, 1, 5) == 5


def state(**given: object) -> ReadState:
    """A list after its second pass, of which five were counted."""
    kept = {"number": 2, "latest": {"number": 2, "total": 5, "at": 0.0}}
    return ReadState.load(kept | given, 100)


@pytest.mark.parametrize(
    ("lists", "proven", "helps"),
    [
        ([{}], [False], True),
        ([{"number": 4}], [False], False),  # all passes are used up
        ([{"latest": None}], [False], False),  # without a count there is no proof, however often it is read
        ([{}, {"latest": None}], [False, False], True),  # the first may still be proven on its own
        ([{}, {"latest": None}], [True, False], False),
        ([{}, {}], [True, True], True),  # each is; they may still be proven together
    ],
)
def test_lists_are_read_again_while_that_can_prove_more(
    lists: list[dict[str, object]], proven: list[bool], *, helps: bool
) -> None:
    """Another pass follows unless no list can gain by it."""
    assert another_pass_helps([state(**given) for given in lists], proven, ReadOptions()) is helps


def test_the_verdict_on_several_lists_is_that_of_the_weakest() -> None:
    """And lists that are proven at moments of their own are not agreed."""
    count = {"number": 1, "total": 5, "at": 7.0}
    one = state(verdict="agreed", pending=count, shared=count)
    other = state(verdict="agreed", pending=count)
    weak = state(verdict="not agreed")
    assert overall([one]) == overall([one, one]) == Completeness.AGREED
    assert overall([other]) is Completeness.AGREED  # alone it is apart from nothing
    assert overall([one, other]) is Completeness.AGREED_APART
    assert overall([one, other, weak]) is Completeness.NOT_AGREED
    assert overall([one, state(verdict=None)]) == overall([]) == Completeness.UNFINISHED
