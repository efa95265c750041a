"""The truth table of the judge: answers and looks in, verdicts out."""

from __future__ import annotations

from typing import Any

import pytest

from piggy_batch.endpoints import CATALOGUE, IDENTIFIER, Operation, find_operation
from piggy_batch.endpoints.responses import ResponseAction, api_code
from piggy_batch.importing.lookup_rules import (
    Match,
    ObservedState,
    decide_after_lookup,
    decide_before_send,
    matches_goal,
    read_lookup,
)
from piggy_batch.importing.response_rules import judge_response
from piggy_batch.models import Lost, Proof, Repeat, Reply, Status

CREATE, LINK = find_operation("identifiers create"), find_operation("identifiers link")
UNLINK, DELETE = find_operation("identifiers unlink"), find_operation("identifiers delete")
UPDATE = find_operation("identifiers update")
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
    believed = operation.empty_answer_ok or (operation.returns_list and body == {"data": []})
    assert verdict.call is (ResponseAction.SETTLE if believed else ResponseAction.DOUBT)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"value": "A", "contact": {"uuid": "c-1"}}, Status.DONE),
        ({"value": "A"}, Status.DONE),
        ({"value": "a", "contact": {"uuid": "c-1"}}, Status.UNKNOWN),
        ({"value": "A", "contact": {"uuid": "c-2"}}, Status.UNKNOWN),
        ({"value": "A", "contact": None}, Status.UNKNOWN),
        ({"value": "A", "name": "other", "contact": {"uuid": "c-1"}}, Status.UNKNOWN),
    ],
)
def test_a_success_is_believed_only_for_what_it_shows(data: Any, status: Status) -> None:
    """Value, contact and name must be those asked, where the answer has them."""
    verdict = judge_response(CREATE, ROW | {"contact_identifier_name": "mine"}, reply(200, {"data": data}))
    assert (verdict.call, verdict.status) == (ResponseAction.SETTLE, status)


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
    ],
)
def test_codes_are_small_whole_numbers(code: Any, found: int | None) -> None:
    """As number or as digits; what else stands there is no code."""
    assert api_code(reply(400, {"code": code})) == found


SEEN = {
    "absent": ObservedState(IDENTIFIER, exists=False),
    "free": ObservedState(IDENTIFIER, exists=True, value="A", fields={"contact_identifier_active": True}),
    "ours": ObservedState(IDENTIFIER, exists=True, value="A", fields={"contact_uuid": "c-1"}),
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
    (CREATE, "free", None, J, J),
    (CREATE, "theirs", None, J, J),
    (CREATE, "hidden", None, J, J),
    (CREATE, "hidden, not with us", None, J, J),
    (CREATE, "other case", None, J, U),
    (LINK, "ours", None, A, D),
    (LINK, "free", None, R, R),
    (LINK, "theirs", None, J, J),
    (LINK, "absent", None, J, J),
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
