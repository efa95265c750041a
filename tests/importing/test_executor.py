"""The way of one row: looks, before-looks, doubt, repeats, and what a lost answer becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from piggy_batch.errors import HaltError
from piggy_batch.sandbox import Fault, make_app
from tests.support.world import World, audit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CREATE = "contact_identifier_value,contact_uuid"


def one(world: World, operation: str, header: str, row: list[str], **given: object) -> dict[str, str]:
    """The result of a one-row manifest."""
    result = world.run(operation, world.manifest(header, [row]), attempts=3, **given)
    audit(result.run_dir, 1)
    return world.last(result)


def test_a_created_card_is_done_and_shows_what_the_service_says(world: World) -> None:
    """create keeps name, state and owner of the answer."""
    row = one(world, "identifiers create", CREATE, ["A-1", world.contact(1)])
    assert row["_status"] == "done"
    assert row["_proof"] == "answer"
    assert row["contact_identifier_name"] == "A-1"
    assert row["contact_identifier_active"] == "true"
    assert row["_found_contact_uuid"] == row["contact_uuid"] == world.contact(1)
    assert row["contact_email"] == "customer1@example.test"
    assert row["_attempts"] == "1"


@pytest.mark.parametrize("kind", ["reset-after", "timeout-after", "reset-body", "truncated", "504-after", "no-data"])
def test_an_answer_lost_after_the_card_was_made_is_settled_by_a_look(world: World, kind: str) -> None:
    """A card that was created although its answer was lost is done, by a look, and made once."""
    world.sandbox.plan(Fault(kind, method="POST", times=1))
    row = one(world, "identifiers create", CREATE, ["A-1", world.contact(1)])
    assert (row["_status"], row["_proof"]) == ("done", "look")
    assert world.times("identifiers.create") == {"A-1": 1}


@pytest.mark.parametrize("kind", ["reset-before", "timeout", "500", "1000", "502-html", "200-html", "503"])
def test_an_answer_lost_before_the_card_was_made_is_repeated(world: World, kind: str) -> None:
    """A look that shows nothing lets a guarded row be sent again."""
    world.sandbox.plan(Fault(kind, method="POST", times=1))
    row = one(world, "identifiers create", CREATE, ["A-1", world.contact(1)])
    assert (row["_status"], row["_proof"]) == ("done", "answer")
    assert world.times("identifiers.create") == {"A-1": 1}


def test_a_card_that_was_there_before_is_already(world: World) -> None:
    """60006 and a look that shows what was asked: already."""
    world.till("create", "A-1", contact_uuid=world.contact(1))
    row = one(world, "identifiers create", CREATE, ["A-1", world.contact(1)])
    assert (row["_status"], row["_proof"], row["_code"]) == ("already", "look", "60006")
    assert world.effects == 0


def test_a_card_of_somebody_else_is_rejected_and_names_the_holder(world: World) -> None:
    """60006 and a look that shows another owner: rejected, saying who holds it."""
    world.till("create", "A-1", contact_uuid=world.contact(2))
    row = one(world, "identifiers create", CREATE, ["A-1", world.contact(1)])
    assert row["_status"] == "rejected"
    assert world.contact(2) in row["_message"]
    assert "customer2@example.test" in row["_message"]


def test_an_inactive_card_is_seen_in_its_owners_list(world: World) -> None:
    """60004 hides an inactive card; the contact's own list shows it. A created card is active, so it is refused,
    with the command that makes it as asked."""
    world.till("create", "A-1", contact_uuid=world.contact(1))
    world.till("deactivate", "A-1")
    row = one(world, "identifiers create", CREATE, ["A-1", world.contact(1)])
    assert row["_status"] == "rejected"
    assert row["contact_identifier_active"] == "false"
    assert f"held by contact {world.contact(1)}" in row["_message"]
    assert "inactive; make it active first with identifiers update (contact_id" in row["_message"]


@pytest.mark.hostile("18.13 a row is called not carried out, and was")
def test_in_doubt_an_inactive_card_is_not_called_refused(world: World) -> None:
    """The answer is lost, and before the look somebody switches the card off: it may be this row's card."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if "find" in request.url.path and world.identifier("A-1").active:
            world.till("deactivate", "A-1")
        return None

    world.sandbox.plan(Fault("reset-after", method="POST", times=1))
    world.hook = hook
    row = one(world, "identifiers create", CREATE, ["A-1", world.contact(1)])
    assert row["_status"] == "unknown"
    assert world.times("identifiers.create") == {"A-1": 1}


def test_an_inactive_card_is_not_linked(world: World) -> None:
    """60004: refused, whoever holds it, with the command that makes it active."""
    world.till("create", "A-1", contact_uuid=world.contact(1))
    world.till("deactivate", "A-1")
    row = one(world, "identifiers link", CREATE, ["A-1", world.contact(1)])
    assert (row["_status"], row["_code"]) == ("rejected", "60004")
    assert "make it active first with identifiers update" in row["_message"]


def test_an_inactive_card_without_a_contact_to_ask_is_rejected(world: World) -> None:
    """Without a contact in the row nobody can say whose an inactive card is."""
    world.till("create", "A-1")
    world.till("deactivate", "A-1")
    row = one(world, "identifiers create", "contact_identifier_value", ["A-1"])
    assert row["_status"] == "rejected"
    assert "inactive, owner not visible" in row["_message"]


def test_in_doubt_and_linked_since_is_unknown(world: World) -> None:
    """A create without a contact, answer lost, found linked: it may be this row's card; nobody can say."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "GET" and "find" in request.url.path and world.identifier("A-1").contact is None:
            world.till("link", "A-1", contact_uuid=world.contact(3))
        return None

    world.sandbox.plan(Fault("reset-after", method="POST", times=1))
    world.hook = hook
    row = one(world, "identifiers create", "contact_identifier_value", ["A-1"])
    assert row["_status"] == "unknown"
    assert world.contact(3) in row["_message"]
    assert world.times("identifiers.create") == {"A-1": 1}


def test_a_service_that_folds_case_refuses_without_doubt(make_world: Callable[..., World]) -> None:
    """60006 for a value that the service shows in another case was not carried out: rejected, quoting both."""
    world = make_world(fold_case=True)
    world.till("create", "abc-1")
    row = one(world, "identifiers create", "contact_identifier_value", ["ABC-1"])
    assert row["_status"] == "rejected"
    assert "ABC-1" in row["_message"]
    assert "abc-1" in row["_message"]


def test_a_read_of_a_service_that_folds_case_is_done_with_a_note(make_world: Callable[..., World]) -> None:
    """Cards and hashes looked up in another case than the service keeps: answered, and the row says in which."""
    world = make_world(fold_case=True, hash_case="fold")
    world.till("create", "abc-1")
    row = one(world, "identifiers find", "contact_identifier_value", ["ABC-1"])
    assert (row["_status"], row["_message"]) == (
        "done",
        'contact_identifier_value "ABC-1" is shown as "abc-1"',
    )
    code = str(world.card(1).hash)
    found = world.last(world.run("giftcards find", world.manifest("hash", [code.lower()], name="codes.csv")))
    assert (found["_status"], found["hash"]) == ("done", code.lower())
    assert found["_found_hash"] == code


def test_a_service_that_trims_is_unknown_quoting_both(make_world: Callable[..., World]) -> None:
    """A 2xx is believed only for what it shows: another value than asked is unknown."""
    world = make_world(trim_values=True)
    row = one(world, "identifiers create", "contact_identifier_value", ["A-1 "])
    assert row["_status"] == "unknown"
    assert '"A-1 "' in row["_message"]
    assert '"A-1"' in row["_message"]


# --- before-looks ------------------------------------------------------------------------------------


def test_delete_of_a_typo_is_rejected_and_nothing_is_sent(world: World) -> None:
    """A card that does not exist before the first delete is a typo, not a success."""
    row = one(world, "identifiers delete", "contact_identifier_value", ["NOT-THERE"])
    assert (row["_status"], row["_code"]) == ("rejected", "60003")
    assert world.state["requests"].get("DELETE /contact-identifiers") is None


@pytest.mark.parametrize("kind", ["reset-after", "timeout-after", "504-after"])
def test_gone_after_a_lost_answer_is_done(world: World, kind: str) -> None:
    """delete: lost answer, gone at the look: done, once."""
    world.sandbox.plan(Fault(kind, method="DELETE", times=1))
    row = one(world, "identifiers delete", "contact_identifier_value", ["CARD-000002"])
    assert (row["_status"], row["_proof"]) == ("done", "look")
    assert world.times("identifiers.delete") == {"CARD-000002": 1}
    assert row["contact_uuid"] == "" or row["contact_uuid"] == world.contact(1)


def test_a_card_given_to_another_customer_in_the_meantime_is_left_alone(world: World) -> None:
    """unlink: lost before it was applied, then the till gives the card away: unknown, and never taken from them."""
    calls = 0

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal calls
        if request.method == "PUT":
            calls += 1
            world.till("unlink", "CARD-000002")
            world.till("link", "CARD-000002", contact_uuid=world.contact(9))
            raise httpx.ReadError("gone")
        return None

    world.hook = hook
    row = one(world, "identifiers unlink", "contact_identifier_value", ["CARD-000002"])
    assert row["_status"] == "unknown"
    assert "changed since by others" in row["_message"]
    assert calls == 1
    assert world.identifier("CARD-000002").contact == world.contact(9)


def test_the_state_before_means_repeat(world: World) -> None:
    """unlink: lost before it was applied, the look shows the state before: sent again, done."""
    world.sandbox.plan(Fault("reset-before", method="PUT", times=1))
    row = one(world, "identifiers unlink", "contact_identifier_value", ["CARD-000002"])
    assert row["_status"] == "done"
    assert world.times("identifiers.unlink") == {"CARD-000002": 1}


@pytest.mark.parametrize(
    ("operation", "header", "row"),
    [
        ("identifiers delete", "contact_identifier_value", ["CARD-000002"]),
        ("identifiers unlink", "contact_identifier_value", ["CARD-000002"]),
        ("identifiers update", "contact_identifier_value,contact_identifier_name", ["CARD-000002", "Gold"]),
    ],
)
def test_another_holder_than_expected_is_rejected_and_nothing_is_sent(
    world: World, operation: str, header: str, row: list[str]
) -> None:
    """expected_contact_uuid that does not match: rejected, named, nothing written."""
    found = one(world, operation, f"{header},expected_contact_uuid", [*row, world.contact(7)])
    assert found["_status"] == "rejected"
    assert world.contact(1) in found["_message"]
    assert world.effects == 0
    assert not {m for m in world.state["requests"] if m.startswith(("PUT", "DELETE"))}


def test_the_word_none_expects_nobody(world: World) -> None:
    """expected_contact_uuid none: a free card is deleted, a held one is not."""
    path = world.manifest(
        "contact_identifier_value,expected_contact_uuid", [["CARD-000001", "none"], ["CARD-000002", "none"]]
    )
    result = world.run("identifiers delete", path)
    assert [row["_status"] for row in world.rows(result)] == ["done", "rejected"]


def test_an_update_that_finds_everything_as_asked_sends_nothing(world: World) -> None:
    """update: as asked already: already, no PUT."""
    row = one(world, "identifiers update", "contact_identifier_value,contact_identifier_active", ["CARD-000001", "yes"])
    assert row["_status"] == "already"
    assert "PUT /contact-identifiers" not in world.state["requests"]


def test_an_inactive_card_is_made_active_again(world: World) -> None:
    """update of a hidden (60004) card to active is sent and done."""
    world.till("deactivate", "CARD-000001")
    row = one(world, "identifiers update", "contact_identifier_value,contact_identifier_active", ["CARD-000001", "1"])
    assert row["_status"] == "done"
    assert world.identifier("CARD-000001").active


def test_without_before_a_lost_answer_is_unknown_and_stays_so(world: World) -> None:
    """--no-before: lost is unknown, and the same command does not take the row again."""
    path = world.manifest("contact_identifier_value", [["CARD-000002"]])
    world.sandbox.plan(Fault("reset-after", method="DELETE", times=1))
    first = world.run("identifiers delete", path, look_before=False)
    assert (first.exit_code, world.statuses(first)) == (1, {"unknown": 1})
    requests = world.state["requests_total"]
    again = world.run("identifiers delete", path, look_before=False)
    assert world.statuses(again) == {"unknown": 1}
    assert world.state["requests_total"] == requests + 1  # the ping
    assert again.summary is not None
    assert again.summary["next"] is None


def test_without_before_resend_unknown_sends_again(world: World) -> None:
    """--no-before --resend-unknown: the row is sent anew, and a refusal leaves it unknown or settles it."""
    path = world.manifest("contact_identifier_value", [["CARD-000002"]])
    world.sandbox.plan(Fault("reset-before", method="DELETE", times=1))
    world.run("identifiers delete", path, look_before=False)
    again = world.run("identifiers delete", path, look_before=False, resend_unknown=True)
    assert world.statuses(again) == {"done": 1}


def test_a_refused_look_before_rejects_the_row(world: World) -> None:
    """A firewall that dislikes one value at the look rejects that row; nothing was sent for it."""
    world.sandbox.plan(Fault("firewall", value="CARD-000004"))
    path = world.manifest("contact_identifier_value", [["CARD-000002"], ["CARD-000004"], ["CARD-000006"]])
    result = world.run("identifiers delete", path, concurrency=1)
    assert [row["_status"] for row in world.rows(result)] == ["done", "rejected", "done"]


def test_a_look_refused_with_a_code_rejects_the_row(world: World) -> None:
    """A before-look that is refused with a code of the API (1003, 99999) is a refusal of the row."""
    world.sandbox.plan(Fault("unknown-code", method="GET", path="find"))
    row = one(world, "identifiers delete", "contact_identifier_value", ["CARD-000002"])
    assert (row["_status"], row["_code"]) == ("rejected", "99999")


# --- links and updates -------------------------------------------------------------------------------


def test_link_to_the_contact_that_holds_it_is_already(world: World) -> None:
    """60014 and the look shows the same contact: already."""
    row = one(world, "identifiers link", CREATE, ["CARD-000002", world.contact(1)])
    assert row["_status"] == "already"


def test_link_of_somebody_elses_card_is_rejected(world: World) -> None:
    """60014 and the look shows another contact: rejected."""
    row = one(world, "identifiers link", CREATE, ["CARD-000002", world.contact(5)])
    assert row["_status"] == "rejected"
    assert world.contact(1) in row["_message"]


@pytest.mark.parametrize("switch", ["60011", "ok"])
def test_unlink_of_a_free_card_is_already(make_world: Callable[..., World], switch: str) -> None:
    """Both things a service may answer to an unlink of a free card end as already: the look says so first."""
    world = make_world(unlink_unlinked=switch)
    row = one(world, "identifiers unlink", "contact_identifier_value", ["CARD-000001"])
    assert row["_status"] == "already"
    assert "PUT /contact-identifiers/unlink" not in world.state["requests"]


@pytest.mark.parametrize("shape", ["null", "[]", "{}", "none", "empty"])
def test_every_answer_that_a_delete_may_give_is_done(make_world: Callable[..., World], shape: str) -> None:
    """delete: data null, [], {}, absent, or no body at all."""
    world = make_world(delete_shape=shape)
    row = one(world, "identifiers delete", "contact_identifier_value", ["CARD-000002"])
    assert (row["_status"], row["_proof"]) == ("done", "answer")


def test_find_answers_absent_inactive_and_found(world: World) -> None:
    """find: 60003 is absent, 60004 is done and inactive, a found card is done."""
    world.till("deactivate", "CARD-000001")
    path = world.manifest("contact_identifier_value", [["CARD-000001"], ["NO"], ["CARD-000002"]])
    result = world.run("identifiers find", path)
    inactive, absent, found = world.rows(result)
    assert (result.exit_code, inactive["_status"], absent["_status"], found["_status"]) == (0, "done", "absent", "done")
    assert inactive["contact_identifier_active"] == "false"
    assert inactive["contact_uuid"] == inactive["contact_identifier_name"] == ""
    assert found["contact_uuid"] == world.contact(1)


# --- once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reset-after", "reset-before", "500", "503", "1000", "200-html", "truncated", "huge"])
def test_a_once_row_in_doubt_is_unknown_and_never_repeated(world: World, kind: str) -> None:
    """giftcards create: whatever may have been applied is unknown at once, and the same command leaves it."""
    world.sandbox.plan(Fault(kind, method="POST", times=1))
    path = world.manifest("giftcard_program_uuid", [[world.sandbox.world.cards.programs[1].uuid]])
    first = world.run("giftcards create", path)
    assert world.statuses(first) == {"unknown": 1}
    posts = world.state["requests"]["POST /giftcards"]
    second = world.run("giftcards create", path)
    assert (second.exit_code, world.statuses(second)) == (1, {"unknown": 1})
    assert world.state["requests"]["POST /giftcards"] == posts == 1


DAMAGED = {"cut": b'{"data":{"val', "html": b"<html>", "empty": b"", "cut refusal": b'{"message":"Contact ident'}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("damaged", [2, 99])
def test_a_look_that_arrives_damaged_is_asked_again(world: World, damage: str, damaged: int) -> None:
    """A look that cannot be read is sent up to --attempts times; after that nothing is sent, and the row failed."""
    looks = 0

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal looks
        if not request.url.path.endswith("/find"):
            return None
        looks += 1
        status = 400 if damage == "cut refusal" else 200
        return httpx.Response(status, content=DAMAGED[damage]) if looks <= damaged else None

    world.hook = hook
    row = one(world, "identifiers delete", "contact_identifier_value", ["CARD-000002"])  # with three attempts
    assert (row["_status"], looks) == (("done", 3) if damaged == 2 else ("failed", 3))
    assert world.times("identifiers.delete") == ({"CARD-000002": 1} if damaged == 2 else {})


def _cut_refusals(world: World, path: str, times: int) -> None:
    """The service carries out the next writes to ``path``; what arrives is a refusal of which the end is missing."""
    inner = httpx.ASGITransport(app=make_app(world.sandbox))
    left = times

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal left
        if request.method == "GET" or not request.url.path.endswith(path) or not left:
            return None
        left -= 1
        await inner.handle_async_request(request)
        return httpx.Response(400, content=b'{"message":"Internal error","co')

    world.hook = hook


@pytest.mark.hostile("18.13 a row is called not carried out, and was")
def test_a_once_row_refused_in_half_an_answer_is_unknown(world: World) -> None:
    """The half that is missing may hold a code that means "perhaps carried out": not rejected, not sent again."""
    _cut_refusals(world, "/giftcards", 1)
    path = world.manifest("giftcard_program_uuid", [[world.sandbox.world.cards.programs[1].uuid]])
    first = world.run("giftcards create", path)
    assert world.statuses(first) == {"unknown": 1}
    assert world.rows(first, "errors") == []
    second = world.run("giftcards create", path)
    assert world.statuses(second) == {"unknown": 1}
    assert world.effects == 1


@pytest.mark.hostile("18.13 a row is called not carried out, and was")
def test_a_guarded_row_refused_in_half_an_answer_is_looked_up(world: World) -> None:
    """A look tells that the card was made: done, by the look, and made once."""
    _cut_refusals(world, "/contact-identifiers", 1)
    row = one(world, "identifiers create", CREATE, ["A-1", world.contact(1)])
    assert (row["_status"], row["_proof"]) == ("done", "look")
    assert world.times("identifiers.create") == {"A-1": 1}


def test_a_once_row_that_never_left_is_sent_again(world: World) -> None:
    """Connection refused: certainly not sent, so even a once row is tried again."""
    fails = 2

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal fails
        if request.method == "POST" and fails:
            fails -= 1
            raise httpx.ConnectError("refused")
        return None

    world.hook = hook
    row = one(world, "giftcards create", "giftcard_program_uuid", [world.sandbox.world.cards.programs[1].uuid])
    assert row["_status"] == "done"
    assert world.effects == 1


def test_resend_unknown_sends_once_rows_again(world: World) -> None:
    """--resend-unknown: the user takes the risk, the row is sent once more."""
    world.sandbox.plan(Fault("reset-before", method="POST", times=1))
    path = world.manifest("giftcard_program_uuid", [[world.sandbox.world.cards.programs[1].uuid]])
    world.run("giftcards create", path)
    again = world.run("giftcards create", path, resend_unknown=True)
    assert world.statuses(again) == {"done": 1}
    assert world.last(again)["_attempts"] == "2"


@pytest.mark.hostile("18.13 a row is called not carried out, and was")
def test_a_refusal_of_a_resent_once_row_leaves_it_unknown(world: World) -> None:
    """A resent once row that is refused says nothing about the first send."""
    world.sandbox.plan(Fault("reset-after", method="POST", times=1))
    path = world.manifest("giftcard_program_uuid", [[world.sandbox.world.cards.programs[1].uuid]])
    world.run("giftcards create", path)
    world.sandbox.plan(Fault("unknown-code", method="POST", times=1))
    again = world.run("giftcards create", path, resend_unknown=True)
    assert world.statuses(again) == {"unknown": 1}


# --- waits and attempts ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["429", "429-bare", "503", "503-retry-after", "503-html"])
def test_throttling_and_maintenance_use_up_no_attempt(world: World, kind: str) -> None:
    """Twenty such answers in a row, one attempt allowed: the row is done in the end, and _attempts counts one."""
    world.sandbox.plan(Fault(kind, method="POST", times=20, wait_s=30))
    path = world.manifest("contact_identifier_value", [["A-1"]])
    result = world.run("identifiers create", path, attempts=1, max_wait_s=3600.0)
    assert (world.statuses(result), world.last(result)["_attempts"]) == ({"done": 1}, "1")
    assert world.time.now >= (600 if kind in {"429", "503-retry-after"} else 10)
    assert result.summary is not None
    assert result.summary["requests"]["throttled"] == (20 if kind.startswith("429") else 0)


@pytest.mark.parametrize("kind", ["429", "503-retry-after", "429-bare", "503"])
@pytest.mark.parametrize("method", ["POST", None])
def test_a_wall_that_stands_longer_than_max_wait_halts(world: World, kind: str, method: str | None) -> None:
    """Throttling or maintenance without end stops the run after --max-wait, also where reads still work."""
    world.sandbox.plan(Fault(kind, method=method, path="contact-identifiers"))
    path = world.manifest("contact_identifier_value", [["A-1"], ["A-2"]])
    result = world.run("identifiers create", path, max_wait_s=120.0)
    assert result.exit_code == 3
    assert 60 < world.time.now < 400
    assert set(world.statuses(result)) <= {"pending", "unknown"}
    assert world.effects == 0


def test_retry_after_zero_does_not_hammer(world: World) -> None:
    """A 429 that asks for no wait at all still gets a pause, so time goes by and --max-wait ends it."""
    world.sandbox.plan(Fault("429", path="contact-identifiers", wait_s=0))
    result = world.run("identifiers create", world.manifest("contact_identifier_value", [["A-1"]]), max_wait_s=60.0)
    assert result.exit_code == 3
    assert world.state["requests_total"] < 300


def test_attempts_used_up_before_anything_left_is_failed(world: World) -> None:
    """A row of which nothing ever reached the service is failed, and taken again by the same command."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if b"A-2" in request.content:
            raise httpx.ConnectError("refused")
        return None

    world.hook = hook
    path = world.manifest("contact_identifier_value", [["A-1"], ["A-2"], ["A-3"]])
    result = world.run("identifiers create", path, attempts=3)
    assert [row["_status"] for row in world.rows(result)] == ["done", "failed", "done"]
    assert [row["contact_identifier_value"] for row in world.rows(result, "remaining")] == ["A-2"]
    world.hook = None
    assert world.statuses(world.run("identifiers create", path)) == {"done": 3}


@pytest.mark.hostile("18.13 a row is called not carried out, and was")
def test_attempts_used_up_in_doubt_and_not_there_is_unknown(world: World) -> None:
    """Sent five times without an answer, and the look shows nothing: it may still land."""
    world.sandbox.plan(Fault("reset-before", method="POST"))
    row = one(world, "identifiers create", "contact_identifier_value", ["A-1"])
    assert row["_status"] == "unknown"
    assert "may still land" in row["_message"]


def test_a_night_without_network_costs_no_row(world: World) -> None:
    """An outage of an hour: everybody pauses, one pings, and every row is done afterwards."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if 5 < world.time.now < 3605:
            raise httpx.ConnectError("Name or service not known")
        return None

    world.hook = hook
    rows = [[f"A-{n}"] for n in range(200)]
    result = world.run(
        "identifiers create", world.manifest("contact_identifier_value", rows), rate=10.0, max_wait_s=7200.0
    )
    assert (result.exit_code, audit(result.run_dir, 200)) == (0, {"done": 200})
    assert 3600 < world.time.now < 3800
    assert len(world.departures) < 700
    assert any("outage" in line for line in world.said.lines)


def test_an_outage_longer_than_max_wait_halts_and_the_same_command_goes_on(world: World) -> None:
    """--max-wait over: exit 3, nothing failed for good; later the same command finishes."""
    down = True

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if down and world.time.now > 5:
            raise httpx.ConnectError("Name or service not known")
        return None

    world.hook = hook
    path = world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(100)])
    result = world.run("identifiers create", path, rate=10.0, max_wait_s=600.0)
    assert result.exit_code == 3
    assert set(audit(result.run_dir, 100)) == {"done", "pending"}
    assert result.summary is not None
    assert result.summary["next"] == "piggy-batch the same"
    down = False
    assert audit(world.run("identifiers create", path).run_dir, 100) == {"done": 100}


def test_a_service_that_dies_of_one_row_does_not_hold_the_run_for_ever(world: World) -> None:
    """A row that takes the service down each time is given up, although each time an outage is confirmed."""
    down_until = 0.0

    async def hook(request: httpx.Request) -> httpx.Response | None:
        nonlocal down_until
        if b"POISON" in request.content and world.time.now >= down_until:
            down_until = world.time.now + 60
        if world.time.now < down_until:
            raise httpx.ReadError("gone")
        return None

    world.hook = hook
    path = world.manifest("contact_identifier_value", [["POISON"], ["A-1"]])
    result = world.run("identifiers create", path, max_wait_s=900.0, concurrency=1)
    assert [row["_status"] for row in world.rows(result)] == ["unknown", "done"]


def test_strange_text_in_an_answer_ends_as_text(world: World) -> None:
    """Lone surrogates, control characters and giant numbers in an answer cannot break journal or reports."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET" or "find" not in request.url.path:
            return None
        name = b'"\\ud800 \\u0000 \\u001b[31m"'
        if "A-1" in str(request.url):
            body = b'{"data":{"name":%s,"value":"A-1","active":true,"contact":null}}' % name
            return httpx.Response(200, content=body)
        return httpx.Response(400, content=b'{"message":%s,"code":99999999999999999999999,"status_code":400}' % name)

    world.hook = hook
    path = world.manifest("contact_identifier_value", [["A-1"], ["A-2"], ["A-3"]])
    result = world.run("identifiers find", path, concurrency=1)
    assert audit(result.run_dir, 3) == {"done": 1, "rejected": 2}


def test_a_stale_look_of_an_earlier_invocation_is_not_used(world: World) -> None:
    """A failed row keeps nothing: with --no-before a later lost answer is unknown, whatever was seen earlier."""
    path = world.manifest("contact_identifier_value", [["CARD-000002"]])

    async def refuse(request: httpx.Request) -> httpx.Response | None:
        if request.method == "DELETE":
            raise httpx.ConnectError("refused")
        return None

    world.hook = refuse
    assert world.statuses(world.run("identifiers delete", path, attempts=2)) == {"failed": 1}
    world.hook = None
    world.sandbox.plan(Fault("reset-before", method="DELETE", times=1))
    assert world.statuses(world.run("identifiers delete", path, look_before=False)) == {"unknown": 1}
    requests = world.state["requests_total"]
    assert world.statuses(world.run("identifiers delete", path)) == {"unknown": 1}
    assert world.state["requests_total"] == requests + 1


# --- halts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unauthorized", "7002", "7011", "60000"])
def test_an_answer_that_no_row_can_pass_halts_and_puts_the_row_back(world: World, kind: str) -> None:
    """401, 7002, 7011 and 60000 in mid-run: exit 3, its row pending again, the rest untouched."""
    world.sandbox.plan(Fault(kind, method="POST", after_n=5))
    path = world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(20)])
    result = world.run("identifiers create", path, concurrency=2)
    assert (result.exit_code, audit(result.run_dir, 20)) == (3, {"done": 5, "pending": 15})
    world.sandbox.clear_faults()
    assert audit(world.run("identifiers create", path).run_dir, 20) == {"done": 20}


@pytest.mark.hostile("18.13 a row is called not carried out, and was")
def test_a_redirect_halts_and_leaves_its_row_in_doubt(world: World) -> None:
    """Who redirects may have passed the request on before: exit 3, where it points is told, a look settles the row."""
    world.sandbox.plan(Fault("redirect", method="POST", after_n=5))
    path = world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(20)])
    result = world.run("identifiers create", path, concurrency=2)
    assert (result.exit_code, audit(result.run_dir, 20)) == (3, {"done": 5, "unknown": 1, "pending": 14})
    assert Fault("redirect").location in " ".join(result.notes)
    world.sandbox.clear_faults()
    assert audit(world.run("identifiers create", path).run_dir, 20) == {"done": 20}


def test_one_forbidden_row_is_rejected_and_the_run_goes_on(world: World) -> None:
    """403 for one value, and the account still answers: only that row is rejected."""
    world.sandbox.plan(Fault("forbidden", method="POST", value="A-3"))
    result = world.run("identifiers create", world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(6)]))
    assert audit(result.run_dir, 6) == {"done": 5, "rejected": 1}


def test_a_forbidden_account_halts(world: World) -> None:
    """403 for a row and then for the ping: halt, row pending."""
    world.sandbox.plan(Fault("forbidden", after_n=4))
    path = world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(9)])
    result = world.run("identifiers create", path, concurrency=1)
    assert (result.exit_code, audit(result.run_dir, 9)) == (3, {"done": 3, "pending": 6})


def test_ten_forbidden_rows_in_a_row_halt(world: World) -> None:
    """403 for every row while the account answers: halt after ten."""
    world.sandbox.plan(Fault("forbidden", method="POST"))
    path = world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(30)])
    result = world.run("identifiers create", path, concurrency=1)
    assert (result.exit_code, audit(result.run_dir, 30)) == (3, {"rejected": 9, "pending": 21})


def test_a_forbidden_row_is_not_rejected_while_the_account_cannot_be_asked(world: World) -> None:
    """403, and the ping that should tell whose fault it is gets no answer: the row is not written off."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            return httpx.Response(403, json={"message": "Forbidden"})
        if len(world.departures) > 1 and request.url.path.endswith("/clients"):
            raise httpx.ReadError("gone")
        return None

    world.hook = hook
    path = world.manifest("contact_identifier_value", [["A-1"]])
    result = world.run("identifiers create", path)
    assert (result.exit_code, audit(result.run_dir, 1)) == (3, {"pending": 1})


@pytest.mark.hostile("18.13 a row is called not carried out, and was")
def test_a_foreign_refusal_before_any_good_answer_halts(world: World) -> None:
    """404 pages from the start mean a wrong address: halt before rows are written off."""
    world.sandbox.plan(Fault("firewall-406", method="POST"))
    path = world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(5)])
    result = world.run("identifiers create", path, concurrency=1)
    assert (result.exit_code, audit(result.run_dir, 5)) == (3, {"unknown": 1, "pending": 4})
    assert "--base-url" in " ".join(result.notes)
    world.sandbox.clear_faults()
    assert audit(world.run("identifiers create", path).run_dir, 5) == {"done": 5}


def test_a_firewall_that_dislikes_one_value_costs_that_row_only(world: World) -> None:
    """A foreign refusal after good answers, and a look that shows nothing: rejected, and the run goes on."""
    world.sandbox.plan(Fault("firewall-406", method="POST", value="A-3"))
    path = world.manifest("contact_identifier_value", [[f"A-{n}"] for n in range(6)])
    result = world.run("identifiers create", path, concurrency=1)
    assert audit(result.run_dir, 6) == {"done": 5, "rejected": 1}


# --- answers that show too little --------------------------------------------------------------------


def answering(method: str, content: bytes) -> Callable[[httpx.Request], Awaitable[httpx.Response | None]]:
    """Requests of one method are answered so; all others by the service."""

    async def hook(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, content=content) if request.method == method else None

    return hook


@pytest.mark.parametrize("look_before", [True, False])
def test_an_expected_holder_is_looked_up_even_without_before(world: World, look_before: bool) -> None:
    """--no-before waives no expectation that a row states: another customer's card is not deleted."""
    path = world.manifest("contact_identifier_value,expected_contact_uuid", [["CARD-000002", world.contact(7)]])
    result = world.run("identifiers delete", path, look_before=look_before)
    assert world.statuses(result) == {"rejected": 1}
    assert world.effects == 0


def test_without_before_gone_after_a_lost_answer_is_done(world: World) -> None:
    """--no-before --resend-unknown: 60003 after a lost answer is no proof that nothing was carried out."""
    path = world.manifest("contact_identifier_value", [["CARD-000002"]])
    world.sandbox.plan(Fault("reset-after", method="DELETE", times=1))
    world.run("identifiers delete", path, look_before=False)
    again = world.run("identifiers delete", path, look_before=False, resend_unknown=True)
    assert world.statuses(again) == {"done": 1}
    assert world.effects == 1


@pytest.mark.hostile("18.8 a delete is believed whatever the answer says")
@pytest.mark.parametrize(
    "content",
    [
        b'{"code":60003,"message":"no"}',
        b'{"data":null,"code":1000}',
        b'{"errors":{"a":["b"]}}',
        b'{"data":{"value":"CARD-000004","active":true,"contact":null}}',
    ],
)
def test_a_delete_answered_with_an_error_or_another_card_is_not_believed(world: World, content: bytes) -> None:
    """A 2xx that shows an error or another card is no proof; the look shows that the card is still there."""
    world.hook = answering("DELETE", content)
    assert one(world, "identifiers delete", "contact_identifier_value", ["CARD-000002"])["_status"] == "unknown"


@pytest.mark.parametrize("uuid", [b'""', b'{"a":1}', b'["x"]', b"true", b"null"])
def test_a_giftcard_without_a_usable_name_is_unknown(world: World, uuid: bytes) -> None:
    """A new card is done only where the answer names it: what nobody can load later is not done."""
    program = world.sandbox.world.cards.programs[1].uuid
    world.hook = answering("POST", b'{"data":{"uuid":%s,"giftcard_program":{"uuid":"%s"}}}' % (uuid, program.encode()))
    assert one(world, "giftcards create", "giftcard_program_uuid", [program])["_status"] == "unknown"


@pytest.mark.parametrize("contact", [b"", b',"contact":{"email":"a@b.test"}', b',"contact":"c-1"'])
def test_a_look_that_does_not_show_the_holder_proves_nothing(world: World, contact: bytes) -> None:
    """A holder left out of the answer is not nobody: unlink is not `already` by it."""
    world.hook = answering(
        "GET", b'{"data":{"value":"CARD-000002","name":"x","active":true%s,"company":"c"}}' % contact
    )
    found = one(world, "identifiers unlink", "contact_identifier_value", ["CARD-000002"])
    assert found["_status"] == "failed"
    assert "does not show who holds it" in found["_message"]


@pytest.mark.parametrize("name", [b"[" * 976 + b"]" * 976, b'"\xed\xa0\x80"', b'"\xc3\xa9\xed\xb3\xbf"'])
def test_no_answer_can_break_the_journal(world: World, name: bytes) -> None:
    """Lists in lists in lists, and half characters as raw bytes, end as a status, not as a crash."""
    world.hook = answering("POST", b'{"data":{"value":"A-1","active":true,"contact":null,"name":%s}}' % name)
    assert one(world, "identifiers create", "contact_identifier_value", ["A-1"])["_status"] in {"done", "unknown"}


@pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
def test_a_look_that_a_cache_answers_shows_nothing(world: World) -> None:
    """The answer is lost, and what a gateway kept shows the card: whether it is there now, nobody knows."""
    world.sandbox.plan(Fault("reset-after", method="POST", times=1))
    service = httpx.ASGITransport(app=make_app(world.sandbox))

    async def cached(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/find"):
            return None
        answer = await service.handle_async_request(request)
        answer.headers["Age"] = "3"
        return answer

    world.hook = cached
    manifest = world.manifest("contact_identifier_value", ["CACHED"])
    result = world.run("identifiers create", manifest)
    assert world.statuses(result) == {"unknown": 1}
    assert "comes from a cache" in world.last(result)["_message"]
    world.hook = None
    assert world.statuses(world.run("identifiers create", manifest)) == {"done": 1}


@pytest.mark.hostile("18.15 several programs agree at different moments, or by a cache's word")
def test_an_account_that_a_cache_names_is_not_believed(world: World) -> None:
    """It may be another's: nothing is sent, and the message says what stands between."""

    async def cached(_: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, headers={"Age": "40"}, json={"data": {"id": 1, "company": "Somebody else"}})

    world.hook = cached
    with pytest.raises(HaltError, match=r"comes from a cache .*Age: 0.* nothing was sent"):
        world.run("identifiers create", world.manifest("contact_identifier_value", ["A"]))
    assert world.effects == 0
