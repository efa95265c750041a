"""The truth table of the judge: answers and looks in, verdicts out."""

from __future__ import annotations

from typing import Any

import pytest

from piggy_batch.endpoints import CATALOGUE, IDENTIFIER, Operation, find_operation
from piggy_batch.endpoints.responses import ResponseAction, api_code
from piggy_batch.importing.lookup_rules import (
    Match,
    decide_after_lookup,
    decide_before_send,
    matches_goal,
)
from piggy_batch.importing.observed_state import ObservedState, read_lookup
from piggy_batch.importing.response_rules import judge_response
from piggy_batch.models import Lost, Proof, Repeat, Reply, Status

CREATE, LINK = find_operation("identifiers create"), find_operation("identifiers link")
UNLINK, DELETE = find_operation("identifiers unlink"), find_operation("identifiers delete")
UPDATE = find_operation("identifiers update")
GIFTCARD = find_operation("giftcards create")
ROW = {"contact_identifier_value": "A", "contact_uuid": "c-1"}


def reply(status: int, body: Any = None, **more: Any) -> Reply:
    """An answer; a body of None is an empty one."""
    return Reply(status, body, is_json=body is not None, **more)


def coded(code: int, status: int = 400) -> Reply:
    """A refusal of the API's own."""
    return reply(status, {"message": "no", "code": code, "status_code": status})


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda o: o.slug)
@pytest.mark.parametrize(
    ("answer", "call"),
    [
        (Lost("x", sent=False), ResponseAction.RETRY),
        (Lost("x", sent=True), ResponseAction.DOUBT),
        (reply(429, {"message": "Too Many Attempts."}), ResponseAction.THROTTLED),
        (reply(503, {"message": "down"}), ResponseAction.MAINTENANCE),
        (Reply(503, None, is_json=False, text="<html>"), ResponseAction.MAINTENANCE),
        (reply(500, {"message": "Server Error"}), ResponseAction.DOUBT),
        (Reply(502, None, is_json=False, text="<html>"), ResponseAction.DOUBT),
        (reply(504), ResponseAction.DOUBT),
        (reply(408), ResponseAction.DOUBT),
        (coded(1000), ResponseAction.DOUBT),
        (coded(60001), ResponseAction.DOUBT),
        (reply(401, {"message": "Unauthenticated."}), ResponseAction.HALT),
        (coded(7002), ResponseAction.HALT),
        (coded(7011), ResponseAction.HALT),
        (coded(60000), ResponseAction.HALT),
        (reply(302, location="https://elsewhere.example"), ResponseAction.HALT),
        (reply(499, {"message": "Client Closed Request"}), ResponseAction.DOUBT),
        (Reply(460, None, is_json=False, text=""), ResponseAction.DOUBT),
        (Reply(425, None, is_json=False, text="<html>"), ResponseAction.DOUBT),
        (reply(409, {"message": "Conflict"}), ResponseAction.NOT_FROM_API),
        (Reply(421, None, is_json=False, text=""), ResponseAction.NOT_FROM_API),
        (reply(403, {"message": "no"}), ResponseAction.FORBIDDEN),
        (Reply(403, None, is_json=False, text="<html>"), ResponseAction.FORBIDDEN),
        (reply(404, {"message": "no route"}), ResponseAction.NOT_FROM_API),
        (Reply(406, None, is_json=False, text="<html>"), ResponseAction.NOT_FROM_API),
        (Reply(400, None, is_json=False, text="Bad Request"), ResponseAction.NOT_FROM_API),
        (Reply(400, None, is_json=False, text=""), ResponseAction.NOT_FROM_API),
        (Reply(400, None, is_json=False, text='"quoted'), ResponseAction.NOT_FROM_API),
        (Reply(400, None, is_json=False, text='{"message":"Internal error","co'), ResponseAction.DOUBT),
        (Reply(404, None, is_json=False, text="\ufeff \r\n\t{"), ResponseAction.DOUBT),
        (Reply(422, None, is_json=False, text='[{"message"'), ResponseAction.DOUBT),
        (Reply(401, None, is_json=False, text='{"message":"Unauth'), ResponseAction.HALT),
        (Reply(403, None, is_json=False, text='{"message":"n'), ResponseAction.FORBIDDEN),
        (Reply(429, None, is_json=False, text='{"message":"Too'), ResponseAction.THROTTLED),
        (Reply(200, None, is_json=False, text='{"data"'), ResponseAction.DOUBT),
        (Reply(200, None, is_json=False, text="<html>"), ResponseAction.DOUBT),
        (coded(99999), ResponseAction.SETTLE),
        (coded(1003), ResponseAction.SETTLE),
    ],
    ids=lambda v: str(v)[:40] if isinstance(v, Lost | Reply) else str(v),
)
def test_what_an_answer_means_does_not_depend_on_the_operation(
    operation: Operation, answer: Any, call: ResponseAction
) -> None:
    """The same for every operation; a coded refusal that nobody knows is rejected."""
    verdict = judge_response(operation, {}, answer)
    assert verdict.call is call
    if call is ResponseAction.SETTLE:
        assert verdict.status is Status.REJECTED


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda o: o.slug)
@pytest.mark.parametrize("body", [{}, {"meta": {}}, {"data": None}, {"data": []}, {"data": "?"}, [], "text"])
def test_a_success_that_shows_nothing_is_not_believed(operation: Operation, body: Any) -> None:
    """Only a delete, whose answer is not documented, and an empty list may show nothing."""
    verdict = judge_response(operation, {}, reply(200, body))
    empty = operation.empty_answer_ok and body not in ("text", {"data": "?"})
    believed = empty or (operation.returns_list and body == {"data": []})
    assert verdict.call is (ResponseAction.SETTLE if believed else ResponseAction.DOUBT)


@pytest.mark.hostile("18.8 a delete is believed whatever the answer says")
@pytest.mark.parametrize(
    ("body", "believed"),
    [
        (None, True),
        ([], True),
        ({}, True),
        ({"data": None}, True),
        ({"data": [], "meta": []}, True),
        ({"data": {}, "meta": {}}, True),
        ({"meta": {}}, True),
        ({"success": False}, False),
        ({"success": True}, False),
        ({"data": False}, False),
        ({"data": True}, False),
        ({"data": 0}, False),
        ({"data": {"deleted": False}}, False),
        ({"data": None, "status": "error"}, False),
        ({"data": None, "meta": {"queued": True}}, False),
        ({"message": "Deleted."}, False),
        (False, False),
        ("OK", False),
    ],
)
def test_a_delete_is_believed_in_its_known_shapes_only(body: Any, believed: bool) -> None:
    """Nothing, or nothing as data; whatever else a 2xx says needs a look."""
    answer = Reply(200, body, is_json=True)
    verdict = judge_response(DELETE, {"contact_identifier_value": "A"}, answer)
    assert verdict.call is (ResponseAction.SETTLE if believed else ResponseAction.DOUBT)


@pytest.mark.hostile("18.7 one thing is believed for two rows")
@pytest.mark.parametrize("name", ["giftcards reverse", "prepaid reverse"])
@pytest.mark.parametrize(("uuid", "believed"), [("T-2", True), ("T-1", False), ("t-1", False)])
def test_a_transaction_is_not_its_own_reversal(name: str, uuid: str, believed: bool) -> None:
    """The answer to the load, kept by something between and given again to the reversal, shows none."""
    operation = find_operation(name)
    values = {operation.key: "T-1"}
    data = {"uuid": uuid, "amount_in_cents": 500, "card": {"uuid": "g-1"}}
    verdict = judge_response(operation, values, reply(200, {"data": data}))
    assert (verdict.status is Status.DONE, verdict.call is ResponseAction.DOUBT) == (believed, not believed)


@pytest.mark.hostile("18.8 a delete is believed whatever the answer says")
def test_a_delete_without_a_body_is_believed_and_one_with_a_page_is_not() -> None:
    """No byte at all is a known shape; text that is no JSON is none."""
    assert judge_response(DELETE, {}, Reply(204, None, is_json=False)).status is Status.DONE
    assert judge_response(DELETE, {}, Reply(200, None, is_json=False, text="<html>")).call is ResponseAction.DOUBT


@pytest.mark.hostile("18.13 a row is called not carried out, and was")
@pytest.mark.parametrize(
    ("answer", "harmless"),
    [
        (reply(401, {"message": "Unauthenticated."}), True),
        (coded(60000), True),
        (reply(302, location="https://elsewhere.example"), False),
        (reply(403, {"message": "This action is unauthorized."}), True),
        (Reply(403, None, is_json=False, text="<html>"), False),
        (reply(403, {"data": {"uuid": "g-1"}, "message": "?"}), False),
        (reply(404, {"message": "no route"}), False),
        (Reply(406, None, is_json=False, text="<html>"), False),
        (reply(409, {"message": "Conflict"}), False),
    ],
)
def test_which_refusals_are_known_to_be_harmless(answer: Reply, harmless: bool) -> None:
    """Only what the service itself refuses before it acts; whatever stands between may have passed the request on."""
    assert judge_response(CREATE, {}, answer).harmless is harmless


@pytest.mark.hostile("18.13 a row is called not carried out, and was")
@pytest.mark.parametrize("operation", [CREATE, GIFTCARD, DELETE])
@pytest.mark.parametrize(
    ("status", "more"),
    [
        (400, {"code": 1003, "data": {"uuid": "g-1"}}),
        (404, {"code": 404}),
        (409, {"code": 409}),
        (400, {"code": 504, "message": "gateway timeout"}),
        (422, {"code": 0}),
        (500, {"code": 60000}),
        (200, {"code": 60000, "data": {"uuid": "g-1"}}),
        (401, {"data": {"uuid": "g-1"}}),
        (429, {"data": {"uuid": "g-1"}}),
        (429, {"code": 1000}),
        (401, {"code": 60001}),
        (403, {"code": 1000}),
    ],
)
def test_a_refusal_that_may_be_somebody_elses_proves_nothing(
    operation: Operation, status: int, more: dict[str, Any]
) -> None:
    """One that shows a thing, bears the code of a gateway, or comes as a success or an error of the server."""
    verdict = judge_response(operation, {}, reply(status, {"message": "no", **more}))
    assert verdict.status is not Status.REJECTED
    assert verdict.call is ResponseAction.DOUBT or not verdict.harmless, verdict


@pytest.mark.hostile("18.8 a delete is believed whatever the answer says")
@pytest.mark.parametrize(
    "beside",
    [
        {"success": False},
        {"error": "no"},
        {"errors": {"x": ["no"]}},
        {"status": "error"},
        {"status": "Failed"},
        {"code": 1003, "message": "no"},
        {"code": "422"},
        {"ok": False},
        {"success": "false"},
        {"success": 0},
        {"status": 500},
        {"statusCode": 409},
        {"status_code": 400},
        {"result": "error"},
    ],
)
def test_a_success_that_says_no_beside_its_data_is_not_believed(beside: dict[str, Any]) -> None:
    """Whatever it shows; lists of no errors and words of success say nothing against it."""
    values = {"giftcard_program_uuid": "p-1"}
    data = {"uuid": "g-1", "giftcard_program": {"uuid": "p-1"}}
    assert judge_response(GIFTCARD, values, reply(200, {"data": data, **beside})).call is ResponseAction.DOUBT
    for inside in ({"success": False}, {"error": "no"}, {"errors": ["no"]}):
        answer = reply(200, {"data": {**data, **inside}})
        assert judge_response(GIFTCARD, values, answer).call is ResponseAction.DOUBT
    data |= {"status": "failed", "code": "123456"}  # the thing's own words
    fine = {"data": data, "errors": [], "error": None, "success": True, "status": "ok", "code": 200, "result": 1003}
    assert judge_response(GIFTCARD, values, reply(200, fine)).status is Status.DONE


@pytest.mark.parametrize(
    ("asked", "kept", "status"),
    [
        ("Gold card ", "Gold card", Status.DONE),
        (" Gold\u00a0", "Gold", Status.DONE),
        ("Cafe\u0301", "Caf\u00e9", Status.DONE),
        ("Gold card", "gold card", Status.UNKNOWN),
        ("Gold  card", "Gold card", Status.UNKNOWN),
    ],
)
def test_a_name_is_judged_as_the_service_may_keep_it(asked: str, kept: str, status: Status) -> None:
    """Outer space and Unicode form may differ, and a note quotes both; anything else is another name."""
    row = ROW | {"contact_identifier_name": asked}
    shown = {"value": "A", "name": kept, "contact": {"uuid": "c-1"}}
    verdict = judge_response(CREATE, row, reply(200, {"data": shown}))
    assert verdict.status is status
    if status is Status.DONE:
        assert f'is kept as "{kept}"' in verdict.message
    seen = read_lookup(CREATE.look, row, reply(200, {"data": shown})) if CREATE.look else None
    assert isinstance(seen, ObservedState)
    looked = [decide_after_lookup(CREATE, row, seen, doubt=doubt, before=None) for doubt in (False, True)]
    assert [verdict.status for verdict in looked] == (
        [Status.ALREADY, Status.DONE] if status is Status.DONE else [Status.REJECTED, Status.UNKNOWN]
    )


def test_a_name_that_differs_in_form_only_is_sent_and_not_taken_as_done_before() -> None:
    """update: only the answer tells whether the service keeps the outer space, so the look before does not settle."""
    row = {"contact_identifier_value": "A", "contact_identifier_name": "Gold "}
    state = ObservedState(IDENTIFIER, exists=True, value="A", fields={"contact_identifier_name": "Gold"})
    assert decide_before_send(UPDATE, row, state) is None
    assert decide_after_lookup(UPDATE, row, state, doubt=True, before=state).call is ResponseAction.RETRY


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"value": "A", "name": "mine", "contact": {"uuid": "c-1"}}, Status.DONE),
        ({"value": "A", "name": "mine"}, None),
        ({"value": "A", "contact": {"uuid": "c-1"}}, None),
        ({"value": "A"}, None),
        ({"value": "a", "contact": {"uuid": "c-1"}}, Status.UNKNOWN),
        ({"value": "A", "contact": {"uuid": "c-2"}}, Status.UNKNOWN),
        ({"value": "A", "contact": None}, Status.UNKNOWN),
        ({"value": "A", "name": "other", "contact": {"uuid": "c-1"}}, Status.UNKNOWN),
    ],
)
def test_a_success_is_believed_only_for_what_it_shows(data: Any, status: Status | None) -> None:
    """Value, contact and name must be those asked; where the answer lacks one of them, a look has to show it."""
    verdict = judge_response(CREATE, ROW | {"contact_identifier_name": "mine"}, reply(200, {"data": data}))
    assert (verdict.call, verdict.status) == (ResponseAction.SETTLE if status else ResponseAction.DOUBT, status)


@pytest.mark.parametrize(
    ("name", "asked", "less", "more"),
    [
        ("identifiers link", {"contact_uuid": "c-1"}, {}, {"contact": {"uuid": "c-1"}}),
        ("identifiers unlink", {}, {}, {"contact": None}),
        ("identifiers update", {"contact_identifier_name": "x"}, {"active": True}, {"name": "x"}),
        ("identifiers update", {"contact_identifier_active": "false"}, {"name": "x"}, {"active": False}),
        ("contacts find-or-create", {"email": "a@b.test"}, {"email": "a@b.test"}, {"uuid": "c-1"}),
    ],
)
def test_what_was_asked_for_must_be_shown(
    name: str, asked: dict[str, str], less: dict[str, Any], more: dict[str, Any]
) -> None:
    """An answer that names the thing, and not what was to become of it, needs a look."""
    operation, values = find_operation(name), {"contact_identifier_value": "A", **asked}
    shown = {"value": "A", **less}
    assert judge_response(operation, values, reply(200, {"data": shown})).call is ResponseAction.DOUBT
    assert judge_response(operation, values, reply(200, {"data": shown | more})).status is Status.DONE


@pytest.mark.parametrize("active", [False, 0, "0", "false"])
def test_a_thing_that_is_switched_off_is_inactive_however_that_is_written(active: Any) -> None:
    """In the answer to the row, and in a look: a card that nobody can use is not the one asked for."""
    shown = {"value": "A", "active": active, "contact": {"uuid": "c-1"}}
    assert judge_response(CREATE, ROW, reply(200, {"data": shown})).status is Status.UNKNOWN
    assert CREATE.look is not None
    seen = read_lookup(CREATE.look, ROW, reply(200, {"data": shown}))
    assert isinstance(seen, ObservedState)
    assert decide_after_lookup(CREATE, ROW, seen, doubt=True, before=None).status is Status.UNKNOWN


def test_a_look_that_is_refused_and_shows_the_thing_says_nothing() -> None:
    """Neither that it is there nor that it is not."""
    assert CREATE.look is not None
    answer = reply(400, {"code": 60003, "message": "no", "data": {"value": "A", "contact": None}})
    seen = read_lookup(CREATE.look, ROW, answer)
    assert not isinstance(seen, ObservedState)
    assert seen.call is ResponseAction.DOUBT


def test_a_new_contact_of_another_address_is_not_the_one_asked_for() -> None:
    """The answer need not show the address; where it shows one, it must be the row's."""
    operation, asked = find_operation("contacts create"), {"email": "New@x.test"}
    for shown, status in (({}, Status.DONE), ({"email": "new@x.test"}, Status.DONE), ({"email": "a@b.c"}, "unknown")):
        answer = reply(200, {"data": {"uuid": "c-1", **shown}})
        assert judge_response(operation, asked, answer).status == status


@pytest.mark.parametrize("operation", CATALOGUE, ids=lambda o: o.slug)
@pytest.mark.parametrize("status", [202, 203, 206, 207, 208, 226, 299])
def test_a_success_of_another_kind_does_not_say_what_was_done(operation: Operation, status: int) -> None:
    """Accepted for later, changed on the way, a part of it: whatever it shows, a look has to tell, or nobody can."""
    for body in (None, {"data": None}, {"data": []}, {"data": "Email successfully sent"}):
        assert judge_response(operation, {}, reply(status, body)).call is ResponseAction.DOUBT


@pytest.mark.parametrize("shown", ["abc", "ABC", " abc ", "Abc"])
@pytest.mark.parametrize("name", ["giftcards find", "identifiers find", "giftcards get"])
def test_a_read_is_done_though_the_service_shows_another_case(name: str, shown: str) -> None:
    """It has changed nothing; what it found differs in case or outer space only, and the row says so."""
    operation = find_operation(name)
    path, column = operation.echoes[0]
    verdict = judge_response(operation, {column: "abc"}, reply(200, {"data": {path: shown}}))
    assert verdict.status is Status.DONE
    assert verdict.message == ("" if shown == "abc" else f'{column} "abc" is shown as "{shown}"')
    other = judge_response(operation, {column: "abc"}, reply(200, {"data": {path: "abd"}}))
    assert other.status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (60003, 60003),
        ("60003", 60003),
        (True, None),
        ("x", None),
        (None, None),
        (10**30, None),
        ("9" * 40, None),
        (1.5, None),
        (0, None),
        (504, None),
        ("404", None),
    ],
)
def test_codes_are_small_whole_numbers(code: Any, found: int | None) -> None:
    """As number or as digits; what else stands there is no code."""
    assert api_code(reply(400, {"code": code})) == found


SEEN = {
    "absent": ObservedState(IDENTIFIER, exists=False),
    "free": ObservedState(IDENTIFIER, exists=True, value="A", fields={"contact_identifier_active": True}),
    "ours": ObservedState(IDENTIFIER, exists=True, value="A", fields={"contact_uuid": "c-1"}),
    "ours, inactive": ObservedState(
        IDENTIFIER, exists=True, value="A", fields={"contact_uuid": "c-1", "contact_identifier_active": False}
    ),
    "theirs": ObservedState(IDENTIFIER, exists=True, value="A", fields={"contact_uuid": "c-9"}),
    "hidden": ObservedState(IDENTIFIER, exists=True, hidden=True, value="A"),
    "hidden, not with us": ObservedState(IDENTIFIER, exists=True, hidden=True, value="A", not_with="c-1"),
    "other case": ObservedState(IDENTIFIER, exists=True, value="a", fields={"contact_uuid": "c-1"}),
}
R, D, A, U, J = ResponseAction.RETRY, Status.DONE, Status.ALREADY, Status.UNKNOWN, Status.REJECTED
TABLE: list[tuple[Operation, str, str | None, Any, Any]] = [
    # operation, what the look shows, what it showed before, without doubt, in doubt
    (CREATE, "absent", None, R, R),
    (CREATE, "ours", None, A, D),
    (CREATE, "ours, inactive", None, J, U),
    (CREATE, "free", None, J, U),
    (CREATE, "theirs", None, J, U),
    (CREATE, "hidden", None, J, U),
    (CREATE, "hidden, not with us", None, J, U),
    (CREATE, "other case", None, J, U),
    (LINK, "ours", None, A, D),
    (LINK, "free", None, R, R),
    (LINK, "ours, inactive", None, J, U),
    (LINK, "theirs", None, J, U),
    (LINK, "absent", None, J, U),
    (UNLINK, "free", "ours", A, D),
    (UNLINK, "ours", "ours", R, R),
    (UNLINK, "theirs", "ours", J, U),
    (UNLINK, "absent", "ours", J, U),
    (DELETE, "absent", "ours", A, D),
    (DELETE, "ours", "ours", R, R),
    (DELETE, "theirs", "ours", J, U),
    (DELETE, "hidden", "hidden", R, R),
]


@pytest.mark.parametrize("doubt", [False, True])
@pytest.mark.parametrize("case", TABLE, ids=lambda c: f"{c[0].slug} {c[1]} after {c[2]}")
def test_what_a_look_settles(case: tuple[Operation, str, str | None, Any, Any], doubt: bool) -> None:
    """As asked: already, or done in doubt; as before: repeat; otherwise refused, or in doubt unknown."""
    operation, shows, showed, plain, doubted = case
    before = SEEN[showed] if showed else None
    verdict = decide_after_lookup(operation, ROW, SEEN[shows], doubt=doubt, before=before)
    wanted = doubted if doubt else plain
    assert (verdict.call if wanted is R else verdict.status) == wanted
    assert verdict.call in (ResponseAction.RETRY, ResponseAction.SETTLE)
    if verdict.call is ResponseAction.SETTLE:
        assert verdict.proof is Proof.LOOK


def test_a_create_for_nobody_found_with_somebody_is_unknown_only_in_doubt() -> None:
    """It may be this row's card, linked since; without doubt it is somebody else's."""
    row = {"contact_identifier_value": "A"}
    assert decide_after_lookup(CREATE, row, SEEN["theirs"], doubt=True, before=None).status is Status.UNKNOWN
    assert decide_after_lookup(CREATE, row, SEEN["theirs"], doubt=False, before=None).status is Status.REJECTED


@pytest.mark.parametrize(
    ("operation", "shows", "expected", "status"),
    [
        (DELETE, "absent", None, Status.REJECTED),
        (DELETE, "ours", None, None),
        (DELETE, "ours", "c-1", None),
        (DELETE, "ours", "c-2", Status.REJECTED),
        (DELETE, "free", "none", None),
        (DELETE, "ours", "none", Status.REJECTED),
        (DELETE, "hidden", "c-1", Status.REJECTED),
        (UNLINK, "free", None, Status.ALREADY),
        (UNLINK, "hidden", None, Status.REJECTED),
        (UNLINK, "other case", None, Status.REJECTED),
        (UPDATE, "hidden", None, None),
    ],
)
def test_what_a_look_before_settles(operation: Operation, shows: str, expected: str | None, status: Any) -> None:
    """None: go on and send."""
    row = {"contact_identifier_value": "A", "contact_identifier_name": "new"}
    verdict = decide_before_send(
        operation, row | ({"expected_contact_uuid": expected} if expected else {}), SEEN[shows]
    )
    assert (verdict.status if verdict else None) == status


@pytest.mark.parametrize(
    ("expected", "name", "status"),
    [
        ("Gold", "Gold", None),
        ("Gold ", "Gold", None),
        ("Gold", "gold", Status.REJECTED),
        ("Gold", None, Status.REJECTED),
    ],
)
def test_an_expected_name_that_does_not_stand_there_stops_the_row(expected: str, name: str | None, status: Any) -> None:
    """None: go on and send; a name that is not shown cannot be confirmed."""
    fields = {"contact_identifier_name": name} if name else {}
    row = {"contact_identifier_value": "A", "expected_contact_identifier_name": expected}
    verdict = decide_before_send(DELETE, row, ObservedState(IDENTIFIER, exists=True, value="A", fields=fields))
    assert (verdict.status if verdict else None) == status


@pytest.mark.parametrize(("code", "kind"), [(60003, ObservedState), (60004, ObservedState), (1003, Status.REJECTED)])
def test_what_a_look_answers(code: int, kind: Any) -> None:
    """Absent and hidden are states; any other refusal refuses the look."""
    assert CREATE.look is not None
    found = read_lookup(CREATE.look, ROW, coded(code))
    assert isinstance(found, ObservedState) if kind is ObservedState else getattr(found, "status", None) is kind


def test_what_is_hidden_may_fit() -> None:
    """Of an inactive card only its state is known."""
    row = {"contact_identifier_value": "A", "contact_identifier_active": "false"}
    assert matches_goal(UPDATE, row, SEEN["hidden"]) is Match.YES
    assert matches_goal(UPDATE, row | {"contact_identifier_active": "true"}, SEEN["hidden"]) is Match.NO
    assert matches_goal(UPDATE, row | {"contact_identifier_name": "x"}, SEEN["hidden"]) is Match.HIDDEN


def test_every_once_operation_must_show_what_it_made() -> None:
    """A once operation's answer names the new thing, or a text that means success."""
    for operation in CATALOGUE:
        assert operation.repeat is not Repeat.ONCE or operation.success_texts or operation.noun.fields
