"""``migrate reconcile``: credits in doubt are settled by two pieces of evidence, and never given a second time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from piggy_batch.errors import HaltError, JournalError
from piggy_batch.importing.migration.credit_reconcile import CreditReconcileOptions, reconcile_credits
from piggy_batch.importing.migration.credit_rules import CreditChange, CreditEvidence, Doubt, settle
from piggy_batch.importing.options import RunResult
from piggy_batch.models import Status
from piggy_batch.sandbox import Fault
from tests.importing.migration.support import Shop
from tests.support.world import connection, in_virtual_time, read_csv

ANN = "ann@example.test"


def lost(shop: Shop, kind: str = "reset-after", *more: list[str], times: int = 1, **given: Any) -> RunResult:
    """A migration whose first answers to credits were lost."""
    shop.world.sandbox.plan(Fault(kind, path="credit-receptions", times=times, wait_s=3_000))
    path = shop.manifest(["A-1", ANN, "", "", "10"], *more)
    result = shop.migrate(path, **given)
    shop.world.sandbox.clear_faults()
    return result


def look(shop: Shop, result: RunResult, *, token: str = "sandbox", **given: Any) -> RunResult:
    """``migrate reconcile``, an hour later unless told otherwise."""
    shop.world.time.now += given.pop("later_s", 3600)
    given = {"rate": 0.0} | given
    wanted = CreditReconcileOptions(connection=connection(given), **given)
    return in_virtual_time(reconcile_credits(result.run_dir, wanted, shop.world.context(token)), shop.world.time)


def till(shop: Shop, email: str, credits_: int, number: int = 2) -> None:
    """Somebody else gives credits, in another shop."""
    contact = shop.world.sandbox.world.people.contact_by_email(email)
    assert contact is not None
    shop.world.sandbox.world.receptions.give(contact, number, credits_, shop.world.wall())


def listed(result: RunResult) -> list[dict[str, str]]:
    """What is left to a person."""
    return read_csv(result.run_dir / "credits-in-doubt.csv")


def test_rows_in_doubt_say_when_they_were_sent_and_what_looks_for_them(shop: Shop) -> None:
    """unknown.csv has _sent_at, and the note names the command."""
    result = lost(shop)
    (row,) = shop.rows(result, "unknown")
    assert row["_sent_at"].startswith("2027-01-15T08:00:0")
    assert any(f"piggy-batch migrate reconcile {result.run_dir}" in note for note in result.notes)


def test_credits_that_were_given_are_done(shop: Shop) -> None:
    """The reception is found, the row is done with its UUID, and the same migrate command gives nothing."""
    result = lost(shop, "reset-after", ["B-1", "bob@example.test", "", "", "7"])
    done = look(shop, result)
    assert (done.exit_code, shop.statuses(done)) == (0, ["done", "done"])
    assert shop.rows(done)[0]["credit_reception_uuid"] == shop.world.sandbox.world.receptions.rows[0].uuid
    assert shop.migrate(shop.folder / "cards.csv").exit_code == 0
    assert (shop.credits(ANN), shop.requests("POST /credit-receptions")) == (10, 2)


def test_credits_that_were_not_given_are_given_by_the_same_migrate_command(shop: Shop) -> None:
    """Failed, and then given once."""
    result = lost(shop, "reset-before")
    looked = look(shop, result)
    assert (looked.exit_code, shop.statuses(looked)) == (0, ["failed"])
    assert looked.summary is not None
    assert looked.summary["next"] == "piggy-batch the same"
    again = shop.migrate(shop.folder / "cards.csv")
    assert (again.exit_code, shop.statuses(again)) == (0, ["done"])
    assert shop.world.times("credits.create") == {shop.rows(again)[0]["contact_uuid"]: 1}


def test_credits_that_may_still_be_given_stay_in_doubt(shop: Shop) -> None:
    """Sent a minute ago: not failed; they land late, and the next look finds them."""
    result = lost(shop, "late")
    early = look(shop, result, later_s=60)
    assert (early.exit_code, shop.statuses(early)) == (1, ["unknown"])
    assert "may still be given" in listed(early)[0]["why"]
    late = look(shop, result, settle_after_s=3_600.0)
    assert (late.exit_code, shop.statuses(late)) == (0, ["done"])
    assert not (late.run_dir / "credits-in-doubt.csv").exists()
    assert shop.credits(ANN) == 10


@pytest.mark.parametrize(("kind", "status"), [("reset-after", "done"), ("reset-before", "unknown")])
def test_credits_that_a_till_has_given_meanwhile(shop: Shop, kind: str, status: str) -> None:
    """They stand in the list too, so list and balance agree, and what was given is found. But while there are any
    that no row accounts for, none becomes failed: they may be the row's in another amount."""
    result = lost(shop, kind)
    till(shop, ANN, 5)
    assert shop.statuses(look(shop, result)) == [status]


@pytest.mark.parametrize("kind", ["reset-after", "reset-before"])
def test_a_balance_that_the_list_does_not_explain_proves_nothing(shop: Shop, kind: str) -> None:
    """Points were spent or corrected where no list shows it: the row is left to a person, with what is known."""
    result = lost(shop, kind)
    contact = shop.world.sandbox.world.people.contact_by_email(ANN)
    assert contact is not None
    contact.credits += 3
    looked = look(shop, result)
    assert (looked.exit_code, shop.statuses(looked)) == (1, ["unknown"])
    (row,) = listed(looked)
    assert (row["_row"], row["email"], row["credits"], row["balance_before"]) == ("1", ANN, "10", "0")
    assert row["balance_now"] == str(contact.credits)
    assert "make" in row["why"]


def test_a_clock_that_differs_gives_nothing_twice(shop: Shop) -> None:
    """The service dates the reception hours before it was sent, so that it looks old: the balance tells."""
    result = lost(shop)
    shop.world.sandbox.world.receptions.rows[0].created -= 7200
    looked = look(shop, result)
    assert shop.statuses(looked) == ["unknown"]
    shop.migrate(shop.folder / "cards.csv")
    assert shop.credits(ANN) == 10


@pytest.mark.hostile("18.1 reconcile fails rows while an unknown card of the program is there")
def test_a_clock_that_differs_and_credits_that_were_spent_give_nothing_twice(shop: Shop) -> None:
    """The reception and its spending are dated hours before, so that they look old, and the balance is as before."""
    result = lost(shop)
    receptions, contact = shop.world.sandbox.world.receptions, shop.world.sandbox.world.people.contact_by_email(ANN)
    assert contact is not None
    receptions.give(contact, 1, -10, shop.world.wall())
    for row in receptions.rows:
        row.created -= 7200
    looked = look(shop, result)
    assert shop.statuses(looked) == ["unknown"]
    assert "if the service's clock is behind" in listed(looked)[0]["why"]
    shop.migrate(shop.folder / "cards.csv")
    assert shop.credits(ANN) == 0


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("unknown-code", path="loyalty-transactions"), "does not show the whole list"),
        (Fault("short-page", path="loyalty-transactions"), "does not show the whole list"),
        (Fault("unknown-code", path="credit-balance"), "does not show the balance"),
    ],
)
def test_what_the_service_does_not_show_proves_nothing(shop: Shop, fault: Fault, why: str) -> None:
    """One piece of evidence alone settles no row."""
    result = lost(shop)
    shop.world.sandbox.plan(fault)
    looked = look(shop, result)
    assert (looked.exit_code, shop.statuses(looked)) == (1, ["unknown"])
    assert why in listed(looked)[0]["why"]


@pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
def test_a_balance_out_of_a_cache_proves_nothing(shop: Shop) -> None:
    """It is what the list explains, but of which moment nobody knows."""
    result = lost(shop)

    async def cached(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/credit-balance"):
            return None
        return httpx.Response(200, headers={"Age": "3"}, json={"data": {"balance": 10}})

    shop.world.hook = cached
    looked = look(shop, result)
    assert (looked.exit_code, shop.statuses(looked)) == (1, ["unknown"])
    assert "does not show the balance" in listed(looked)[0]["why"]


def test_a_service_that_ignores_the_contact_proves_nothing(shop: Shop) -> None:
    """Every contact's receptions are listed: those of others are no evidence."""
    result = lost(shop, "reset-before", ["B-1", "bob@example.test", "", "", "10"])

    async def unfiltered(request: httpx.Request) -> None:
        request.url = request.url.copy_remove_param("contact_uuid")

    shop.world.hook = unfiltered
    assert shop.statuses(look(shop, result)) == ["unknown", "done"]


def test_several_rows_of_one_customer(shop: Shop) -> None:
    """Credits per card: two of three equal rows were lost, one of them given; one is done, the other given again."""
    shop.world.sandbox.plan(Fault("reset-before", path="credit-receptions", times=1))
    more = [[f"A-{n}", ANN, "", "", "10"] for n in (2, 3)]
    result = lost(shop, "reset-after", *more, credits_per_card=True, concurrency=1)
    assert sorted(shop.statuses(result)) == ["done", "unknown", "unknown"]
    looked = look(shop, result)
    assert sorted(shop.statuses(looked)) == ["done", "done", "failed"]
    shop.migrate(shop.folder / "cards.csv", credits_per_card=True)
    assert shop.credits(ANN) == 30


def test_nothing_in_doubt_asks_nothing(shop: Shop) -> None:
    """No request, exit 0, one line."""
    result = shop.migrate(shop.manifest(["A-1", ANN, "", "", "10"]))
    before = shop.world.state["requests_total"]
    looked = look(shop, result)
    assert (looked.exit_code, looked.notes[0]) == (0, "no credits are in doubt")
    assert shop.world.state["requests_total"] == before


def test_a_halt_changes_no_row(shop: Shop) -> None:
    """401 in the middle: exit 3."""
    result = lost(shop)
    shop.world.sandbox.plan(Fault("unauthorized", path="loyalty-transactions"))
    with pytest.raises(HaltError):
        look(shop, result)
    assert shop.statuses(result) == ["unknown"]


def test_another_accounts_token_is_refused(make_shop: Callable[..., Shop]) -> None:
    """Its contacts have no such receptions: every row would become failed, and be given again."""
    shop = make_shop(other_tokens={"theirs": ("Other Shop", "5a4db0c5-0000-4000-a000-000000000002")})
    result = lost(shop)
    with pytest.raises(JournalError, match=r"belongs to account Sandbox Shop .* token to account Other Shop"):
        look(shop, result, token="theirs")


def test_a_directory_without_credits_is_refused(shop: Shop) -> None:
    """A migration that gives none, and a run of another command."""
    plain = shop.migrate(shop.manifest(["A-1", ANN]))
    with pytest.raises(JournalError, match="no begun migration that gives credits"):
        look(shop, plain)
    other = shop.world.run("identifiers find", shop.world.manifest("contact_identifier_value", ["A-1"], "find.csv"))
    with pytest.raises(JournalError, match="no begun migration that gives credits"):
        look(shop, other)


# --- the rules -----------------------------------------------------------------------------------------

T = 1_000_000.0
DOUBT = Doubt(part=0, number=1, row=1, credits=10, shop="s-1", sent_at=T)
OURS = CreditChange("r-9", 10, "s-1", T, given=True)
STATES: list[tuple[str, dict[str, Any], Status | None]] = [
    ("given", {"now": 15, "changes": (OURS,)}, Status.DONE),
    ("not given", {"now": 5}, Status.FAILED),
    ("given, undated", {"now": 15, "changes": (CreditChange("r-9", 10, "s-1", None, given=True),)}, Status.DONE),
    ("another amount", {"now": 16, "changes": (CreditChange("r-9", 11, "s-1", T, given=True),)}, None),
    ("another shop", {"now": 15, "changes": (CreditChange("r-9", 10, "s-2", T, given=True),)}, None),
    ("two alike", {"now": 25, "changes": (OURS, CreditChange("r-8", 10, "s-1", T, given=True))}, None),
    ("an old one", {"now": 5, "changes": (CreditChange("r-9", 10, "s-1", T - 9e5, given=True),)}, Status.FAILED),
    ("dated hours before, and spent", {"now": 5, "changes": (replace(OURS, made_at=T - 7e3),)}, None),
    (
        "another amount hours ago",
        {"now": 5, "changes": (replace(OURS, credits=9, made_at=T - 7e3),)},
        Status.FAILED,
    ),
    ("spent", {"now": 12, "changes": (OURS, CreditChange("r-8", -3, None, T, given=False))}, Status.DONE),
    ("balance without list", {"now": 15}, None),
    ("list without balance", {"now": 5, "changes": (OURS,)}, None),
    ("no list", {"now": 5, "changes": None}, None),
    ("no balance", {"now": None}, None),
    ("no balance before", {"before": None, "now": 5}, None),
    ("credits not told", {"now": 15, "changes": (CreditChange("r-9", None, "s-1", T, given=True),)}, None),
    ("own ones lacking", {"now": 12, "given": 7, "known": frozenset({"r-1"})}, None),
    (
        "own ones there",
        {
            "now": 12,
            "given": 7,
            "known": frozenset({"r-1"}),
            "changes": (CreditChange("r-1", 7, "s-1", T, given=True),),
        },
        Status.FAILED,
    ),
    ("too early", {"now": 5, "begun_at": T + 599}, None),
]


@pytest.mark.parametrize("case", STATES, ids=lambda case: case[0])
def test_what_the_evidence_prove(case: tuple[str, dict[str, Any], Status | None]) -> None:
    """None: nothing, and it is said why."""
    _, given, status = case
    known: dict[str, Any] = {
        "before": 5,
        "read_at": T - 60,
        "given": 0,
        "known": frozenset(),
        "now": 5,
        "changes": (),
        "begun_at": T + 600,
    }
    settled, why = settle([DOUBT], CreditEvidence(**(known | given)), 600.0)
    assert [each.status for each in settled] == ([status] if status else [])
    assert (why is None) is (status is not None)
