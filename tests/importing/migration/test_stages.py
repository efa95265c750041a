"""What a migration does, stage by stage."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from piggy_batch.sandbox import Fault
from tests.importing.migration.support import Shop


def test_the_whole_way(shop: Shop) -> None:
    """Contacts are made, cards belong to them, names and inactive states are set, credits are given."""
    path = shop.manifest(
        ["A-1", "ann@example.test", "Ann's card", "", "120"],
        ["A-2", "ann@example.test", "", "false"],
        ["B-1", "bob@example.test"],
        ["N-1"],
    )
    result = shop.migrate(path)
    assert result.exit_code == 0
    assert shop.statuses(result) == ["done"] * 4
    assert [shop.holder(v) for v in ("A-1", "A-2", "B-1", "N-1")] == [
        "ann@example.test",
        "ann@example.test",
        "bob@example.test",
        None,
    ]
    assert shop.card("A-1").name == "Ann's card"
    assert not shop.card("A-2").active
    assert shop.credits("ann@example.test") == 120
    assert shop.summary(result)["counts"]["done"] == 4


def test_one_request_for_each_distinct_address(shop: Shop) -> None:
    """Addresses that differ in case and outer space are one customer; the first spelling is sent."""
    path = shop.manifest(["A-1", "Ann@Example.test"], ["A-2", " ann@example.test "], ["A-3", "ANN@EXAMPLE.TEST"])
    result = shop.migrate(path)
    assert result.exit_code == 0
    assert shop.requests("GET /contacts/find-or-create") == 1
    assert {shop.holder(v) for v in ("A-1", "A-2", "A-3")} == {"Ann@Example.test"}


def test_a_card_of_nobody_is_linked(shop: Shop) -> None:
    """A card that exists unlinked is no error: its create stage says so, and the link stage takes it on."""
    shop.world.till("create", "A-1")
    result = shop.migrate(shop.manifest(["A-1", "ann@example.test"]))
    (row,) = shop.rows(result)
    assert result.exit_code == 0
    assert (row["_status"], row["_create_status"], row["_link_status"]) == ("done", "exists unlinked", "done")
    assert shop.holder("A-1") == "ann@example.test"
    assert shop.summary(result)["stages"]["create"]["counts"] == {"exists unlinked": 1, "rejected": 0}


def test_a_linked_on_card_gets_the_name_asked_for(shop: Shop) -> None:
    """A card of nobody under another name is linked, then renamed; one call looks before."""
    shop.world.till("create", "A-1", name="A-1")
    result = shop.migrate(shop.manifest(["A-1", "ann@example.test", "Gold"]))
    (row,) = shop.rows(result)
    assert (row["_link_status"], row["_update_status"]) == ("done", "done")
    assert shop.card("A-1").name == "Gold"


def test_a_card_of_the_same_contact_is_already(shop: Shop) -> None:
    """What is as asked is `already` and costs no change."""
    shop.world.till("create", "A-1", email="customer1@example.test")
    result = shop.migrate(shop.manifest(["A-1", "customer1@example.test"]))
    assert shop.statuses(result) == ["already"]
    assert shop.world.effects == 0


def test_a_card_of_somebody_else_is_rejected_and_named(shop: Shop) -> None:
    """The other owner is named, and no later stage touches the card or gives credits."""
    shop.world.till("create", "A-1", email="customer1@example.test")
    result = shop.migrate(shop.manifest(["A-1", "customer2@example.test", "", "false", "50"]))
    (row,) = shop.rows(result, "errors")
    assert result.exit_code == 1
    assert row["_status"] == "rejected"
    assert "customer1@example.test" in row["_message"]
    assert row["_message"].startswith("create: ")
    assert (row["_update_status"], row["_credits_status"]) == ("", "")
    assert shop.card("A-1").active
    assert shop.credits("customer2@example.test") == 0


@pytest.mark.parametrize(
    ("asked", "status", "stages"),
    [
        ("true", "done", ("exists inactive", "done")),
        ("false", "already", ("exists inactive", "already")),
        ("", "rejected", ("rejected", "")),
    ],
)
def test_an_inactive_card_of_the_same_contact(shop: Shop, asked: str, status: str, stages: tuple[str, str]) -> None:
    """Made active, or left so, where the list says it; else it is refused, for a created card would be active."""
    shop.world.till("create", "A-1", email="customer1@example.test", name="Old")
    shop.world.till("deactivate", "A-1")
    result = shop.migrate(shop.manifest(["A-1", "customer1@example.test", "Old", asked]))
    (row,) = shop.rows(result)
    assert (row["_status"], (row["_create_status"], row["_update_status"])) == (status, stages)
    assert shop.card("A-1").active is (asked == "true")
    if status == "rejected":
        assert "make it active first with identifiers update" in row["_message"]


def test_an_inactive_card_taken_on_gets_the_name_asked_for(shop: Shop) -> None:
    """Found inactive with its own contact under another name: one update sets both."""
    shop.world.till("create", "A-1", email="customer1@example.test", name="Old")
    shop.world.till("deactivate", "A-1")
    result = shop.migrate(shop.manifest(["A-1", "customer1@example.test", "Gold", "true"]))
    assert shop.statuses(result) == ["done"]
    assert (shop.card("A-1").name, shop.card("A-1").active) == ("Gold", True)
    assert shop.summary(result)["stages"]["create"]["counts"] == {"exists inactive": 1, "rejected": 0}


def test_a_stage_takes_only_rows_whose_earlier_stages_are_done(make_shop: Any) -> None:
    """A row that a stage refuses goes no further; the others do."""
    shop = make_shop(faults=(Fault("unknown-code", value="bad@example.test", path="find-or-create"),))
    result = shop.migrate(shop.manifest(["A-1", "bad@example.test"], ["B-1", "bob@example.test"]))
    assert shop.statuses(result) == ["rejected", "done"]
    assert shop.card("A-1") is None


def test_a_contact_deleted_between_two_stages(shop: Shop) -> None:
    """The card is refused with the service's own words, and the row says in which stage."""

    async def delete_then_go(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and shop.world.sandbox.world.people.contact_by_email("ann@example.test"):
            shop.world.sandbox.outside_event("contact", action="delete", email="ann@example.test")
        return None

    shop.world.hook = delete_then_go
    result = shop.migrate(shop.manifest(["A-1", "ann@example.test"]))
    (row,) = shop.rows(result, "errors")
    assert (row["_status"], row["_code"]) == ("rejected", "55031")
    assert row["_message"].startswith("create: Contact not found")


def test_a_token_without_right_to_contacts(make_shop: Any) -> None:
    """The first ten refusals in a row halt the migration; nothing was made."""
    shop = make_shop(other_tokens={}, no_contacts_tokens=frozenset({"sandbox"}))
    result = shop.migrate(shop.manifest(*[[f"A-{n}", f"a{n}@example.test"] for n in range(30)]))
    assert result.exit_code == 3
    assert any("check the token's rights" in note for note in result.notes)
    assert shop.world.effects == 0
    assert set(shop.statuses(result)) <= {"pending", "rejected"}


def test_results_stand_in_manifest_order_with_every_stage(shop: Shop) -> None:
    """One results file: the manifest's own columns, a status for each stage, blank where it was not needed."""
    path = shop.world.manifest(
        "contact_identifier_value,email,joined", [["N-1", "", "2011"], ["A-1", "a@b.test", "2012"]]
    )
    rows = shop.rows(shop.migrate(path))
    assert [(r["contact_identifier_value"], r["joined"], r["_contacts_status"]) for r in rows] == [
        ("N-1", "2011", ""),
        ("A-1", "2012", "done"),
    ]
    assert {r["_credits_status"] + r["_link_status"] + r["_update_status"] for r in rows} == {""}
    assert rows[1]["contact_uuid"]


@pytest.mark.parametrize("links_with_mail", [True, False])
def test_results_are_a_manifest_of_identifiers_link(make_shop: Any, links_with_mail: bool) -> None:
    """The contact found by the migration feeds the next command."""
    shop = make_shop(link_email=links_with_mail)
    result = shop.migrate(shop.manifest(["A-1", "a@b.test"]))
    again = shop.world.run("identifiers link", result.run_dir / "results.csv", run_dir=shop.folder / "link")
    assert shop.world.statuses(again) == {"already": 1}


def test_uuids_of_any_shape(make_shop: Any) -> None:
    """What the service calls a UUID is sent back as it came, whatever it looks like."""
    shop = make_shop(bare_uuids=True)
    path = shop.manifest(["A-1", "ann@example.test", "Gold", "false", "5"], ["B-1", "bob@example.test"])
    result = shop.migrate(path)
    assert result.exit_code == 0
    assert shop.world.run("identifiers verify", path).exit_code == 0


@pytest.mark.parametrize("value", ["007", "a b", "é/ü?#%", "=cmd()", "1E5x", "x" * 255, '";,'])
def test_values_of_any_shape(shop: Shop, value: str) -> None:
    """A card's value goes through every stage unchanged."""
    path = shop.manifest([value, "ann@example.test", "", "false", "5"])
    result = shop.migrate(path)
    assert result.exit_code == 0, result.notes
    assert not shop.card(value).active
    assert shop.holder(value) == "ann@example.test"


def test_a_card_that_a_till_takes_before_it_is_linked(shop: Shop) -> None:
    """Found unlinked, given to another customer meanwhile: left alone and named."""
    shop.world.till("create", "A-1")

    async def take(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/link"):
            shop.world.till("link", "A-1", email="customer2@example.test")
        return None

    shop.world.hook = take
    result = shop.migrate(shop.manifest(["A-1", "customer1@example.test"]))
    (row,) = shop.rows(result, "errors")
    assert (row["_create_status"], row["_link_status"]) == ("exists unlinked", "rejected")
    assert "customer2@example.test" in row["_message"]
    assert shop.holder("A-1") == "customer2@example.test"


def test_a_card_that_a_till_renames_is_not_renamed_back(make_shop: Any) -> None:
    """The create's answer is lost and a till renames the card: what the till did stays, and the row says so."""
    shop = make_shop(faults=(Fault("reset-after", method="POST", times=1),))

    async def rename(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/find") and shop.card("A-1") is not None:
            shop.world.till("rename", "A-1", name="Till")
        return None

    shop.world.hook = rename
    result = shop.migrate(shop.manifest(["A-1", "customer1@example.test", "Gold"]))
    (row,) = shop.rows(result)
    assert row["_status"] in ("rejected", "unknown")
    assert '"Till"' in row["_message"]
    assert shop.card("A-1").name == "Till"
