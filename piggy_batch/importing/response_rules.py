"""What answers mean for rows: answers and lost answers in; verdicts out. Pure: no clock, no disk, no network.
What lookups show is judged in :mod:`piggy_batch.importing.lookup_rules`.

Every default is the careful one: what is not known to be harmless counts as maybe applied, and what an
answer does not show is not believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from piggy_batch.endpoints import NOBODY, Lookup, Operation, OwnerRule, ResponseFields
from piggy_batch.endpoints.cells import identity_of, kept_form, parse_cell, stands_for
from piggy_batch.endpoints.responses import (
    LEAST_ERROR,
    ResponseAction,
    Verdict,
    api_code,
    api_message,
    classify_status,
    extract_fields,
    get_path,
    is_off,
    shows_data,
)
from piggy_batch.models import Answer, Json, Kind, Lost, Repeat, Reply, Status
from piggy_batch.text import printable

_NOTHING: tuple[Json, ...] = (None, [], {})
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_NO = frozenset({"false", "0", "no"})


def judge_response(operation: Operation, values: Mapping[str, str], answer: Answer) -> Verdict:
    """What the answer to a row's own request means."""
    if isinstance(answer, Lost):
        call = ResponseAction.DOUBT if answer.sent else ResponseAction.RETRY
        return Verdict(call, answer.reason)
    common = classify_status(answer)
    if common is not None:
        return common
    if answer.status >= 400:
        return _judge_refusal(operation, answer)
    return _judge_success(operation, values, answer)


def _judge_refusal(operation: Operation, reply: Reply) -> Verdict:
    code, said = api_code(reply), api_message(reply)
    if operation.repeat is not Repeat.SAFE and shows_data(reply):
        return Verdict(
            ResponseAction.DOUBT, f"{said}; and yet the answer shows data", http_status=reply.status, code=code
        )
    if code in operation.already_codes:
        return Verdict(ResponseAction.LOOK, said, http_status=reply.status, code=code)
    if code in operation.absent_codes:
        return Verdict(ResponseAction.SETTLE, said, Status.ABSENT, http_status=reply.status, code=code)
    if code in operation.inactive_codes:
        kept = {operation.noun.active: False} if operation.noun.active else {}
        return Verdict(ResponseAction.SETTLE, said, Status.DONE, http_status=reply.status, code=code, kept=kept)
    if operation.needs_active and operation.look and code in operation.look.hidden_codes:
        said = f"{said}; {first_activate(operation)}"
    if code is not None and code in operation.advice:
        said = f"{said}; {operation.advice[code]}"
    return Verdict(ResponseAction.SETTLE, said, Status.REJECTED, http_status=reply.status, code=code)


def first_activate(operation: Operation) -> str:
    """What to do about a thing that is inactive, in words."""
    by = f" with {operation.look.activate}" if operation.look and operation.look.activate else ""
    return f"make it active first{by}"


def _judge_success(operation: Operation, values: Mapping[str, str], reply: Reply) -> Verdict:
    doubt = Verdict(ResponseAction.DOUBT, "the answer holds no usable data", http_status=reply.status)
    done = Verdict(ResponseAction.SETTLE, "", Status.DONE, http_status=reply.status)
    if operation.empty_answer_ok:
        return done if _is_empty_success(reply) else doubt
    if not isinstance(reply.body, Mapping) or "data" not in reply.body:
        return doubt
    if operation.repeat is not Repeat.SAFE and _says_no(reply.body):
        return replace(doubt, message=f"the answer shows data and says that it failed: {api_message(reply)}")
    data = reply.body["data"]
    if operation.success_texts:
        text = data.get("data") if isinstance(data, Mapping) else data
        return done if isinstance(text, str) and text in operation.success_texts else doubt
    if operation.returns_list:
        return _judge_list(operation, reply, data)
    if not isinstance(data, Mapping):
        return doubt
    if operation.echoes and get_path(data, operation.echoes[0][0]) is None:
        return doubt
    first = operation.noun.fields[0][1] if operation.noun.fields else None
    names_it = first == "uuid" and operation.repeat is Repeat.GUARDED
    must_show = operation.repeat is Repeat.ONCE or names_it or not operation.echoes
    if must_show and first and not _names(get_path(data, first)):
        return doubt
    kept = extract_fields(operation.noun, data)
    if operation.made_from and _is_same_uuid(kept.get(operation.makes or ""), values.get(operation.made_from, "")):
        return replace(doubt, message=f"the answer names as new the {operation.made_from} of the row: it is another's")
    unseen = _not_shown(operation, values, data, kept)
    differs = differences(operation, values, data)
    if differs:
        return Verdict(
            ResponseAction.SETTLE,
            f"answered, but not for what was asked: {'; '.join(differs)}",
            Status.UNKNOWN,
            http_status=reply.status,
            kept=kept,
        )
    if unseen:
        return replace(doubt, message=f"the answer does not show {' and '.join(unseen)}")
    notes = (kept_otherwise(operation, values, kept), _read_otherwise(operation, values, data))
    return replace(done, message="; ".join(note for note in notes if note), kept=kept)


def _says_no(body: Mapping[str, Json]) -> bool:
    """Whether a 2xx says beside its data, or in it, that nothing came of the request, in one of the ways in which APIs
    do. What ``data`` calls a status or a code may be the thing's own."""
    worded = any(str(body.get(name)).casefold() in _FAILED for name in ("status", "result"))
    numbered = any(_is_failure(body.get(name)) for name in ("status", "statusCode", "status_code", "code"))
    return worded or numbered or _denies(body) or _denies(body["data"])


def _denies(body: Json) -> bool:
    if not isinstance(body, Mapping):
        return False
    denied = any(str(body[name]).casefold() in _NO for name in ("success", "ok") if name in body)
    return denied or bool(body.get("error") or body.get("errors"))


def _is_failure(value: Json) -> bool:
    """Whether a number in a body is an HTTP status of a failure, or an error code of the service."""
    text = str(value)
    return text.isdecimal() and int(text[:20]) >= LEAST_ERROR


def _not_shown(
    operation: Operation, values: Mapping[str, str], data: Json, shown: Mapping[str, Json]
) -> tuple[str, ...]:
    """What a row asks for, a look could show, and its answer does not: who holds the thing, and its other columns."""
    goal, owner = operation.goal, operation.noun.owner
    if goal is None or operation.look is None:
        return ()
    asks_owner = goal.owner is OwnerRule.NOBODY or wanted_owner(operation, values) is not None
    unseen = [owner] if owner is not None and asks_owner and not _mentions_owner(operation, data) else []
    return (*unseen, *(name for name in goal.columns if name in values and name not in shown))


def _is_empty_success(reply: Reply) -> bool:
    """Whether a 2xx has one of the shapes in which a success without data is known, and nothing else in it."""
    body = reply.body
    if not reply.is_json:
        return reply.text == ""
    if isinstance(body, Mapping):
        return body.keys() <= {"data", "meta"} and body.get("data") in _NOTHING and body.get("meta") in _NOTHING
    return body in _NOTHING


def _names(value: Json) -> bool:
    """Whether a value can be the name of the thing that was made: no blank, no object, no list."""
    return value is not None and value != "" and not isinstance(value, bool | Mapping | list)


def _is_same_uuid(shown: Json, given: str) -> bool:
    """Whether two UUIDs name one thing, in whatever case."""
    return str(shown).casefold() == given.casefold()


def _judge_list(operation: Operation, reply: Reply, data: Json) -> Verdict:
    if not isinstance(data, list) or not all(isinstance(item, Mapping) for item in data):
        return Verdict(ResponseAction.DOUBT, "the answer holds no list", http_status=reply.status)
    kept = {"_many": [extract_fields(operation.noun, item) for item in data]}
    return Verdict(ResponseAction.SETTLE, "", Status.DONE, http_status=reply.status, kept=kept)


def differences(operation: Operation, values: Mapping[str, str], data: Json) -> list[str]:
    """Where the answer shows something else than was asked, both quoted; fields it lacks are not judged."""
    found = []
    for path, name in (*operation.echoes, *_key_echo(operation)):
        shown, asked = get_path(data, path), values.get(name)
        if shown is None or asked is None:
            continue
        wanted = wanted_cell(operation, name, values)
        if not is_same(operation, name, shown, wanted) and not _is_read_alike(operation, shown, wanted):
            found.append(f'{name} asked "{printable(asked)}", answered "{printable(str(shown))}"')
    opened = opened_map(operation, data)
    found += open_differences(operation, values, opened) if opened is not None else []
    goal = operation.goal
    if goal is None:
        return found
    fields = extract_fields(operation.noun, data)
    found += [
        f'{name} asked "{printable(values[name])}", answered "{printable(str(fields[name]))}"'
        for name in goal.columns
        if name in fields
        and name in values
        and not is_same(operation, name, fields[name], wanted_cell(operation, name, values))
    ]
    active = operation.noun.active
    if goal.active and active is not None and is_off(fields.get(active)):
        found.append("asked for an active one, answered an inactive one")
    if goal.owner is not OwnerRule.ANY and _mentions_owner(operation, data):
        wanted, owner = wanted_owner(operation, values) or NOBODY, owner_of(operation.noun, fields) or NOBODY
        if owner != wanted:
            found.append(f'contact asked "{printable(wanted)}", answered "{printable(owner)}"')
    return found


def _key_echo(operation: Operation) -> tuple[tuple[str, str], ...]:
    """Where an answer may name the row's thing, though none of ``echoes`` says that it must."""
    look = operation.look
    return () if look is None or operation.echoes else ((look.key_path, look.key),)


def opened_map(of: Operation | Lookup, data: Json) -> Mapping[str, Json] | None:
    """The flat map in which an answer shows the values of open columns; None where it shows none."""
    path = of.open_columns.shown_in if of.open_columns is not None else None
    shown = get_path(data, path) if path is not None else None
    return shown if isinstance(shown, Mapping) and shown else None


def open_differences(operation: Operation, values: Mapping[str, str], shown: Mapping[str, Json]) -> list[str]:
    """Where other values are shown for open columns than were asked, or none: the account then has nothing of that
    name, and the service has passed over it."""
    free = operation.open_columns
    found = []
    for column, asked in values.items():
        if free is None or not free.has(column):
            continue
        name = free.sent_name(column)
        if name not in shown:
            found.append(f"{column} asked, and the answer shows nothing of that name")
        elif not stands_for(asked, shown[name]):
            answered = "nothing" if shown[name] is None else f'"{printable(str(shown[name]))}"'
            found.append(f'{column} asked "{printable(asked)}", answered {answered}')
    return found


def _is_read_alike(operation: Operation, shown: Json, wanted: Json) -> bool:
    """Whether a read shows what was asked but for case and form: a service may look things up so, and nothing
    has changed by it. A write must name its thing to the letter."""
    return operation.repeat is Repeat.SAFE and _folded(shown) == _folded(wanted)


def _folded(value: Json) -> str:
    return kept_form(str(value)).casefold()


def _read_otherwise(operation: Operation, values: Mapping[str, str], data: Json) -> str:
    """What a read shows in another case or form than was asked; "" where nothing."""
    if operation.repeat is not Repeat.SAFE:
        return ""
    shown = ((name, values.get(name), get_path(data, path)) for path, name in operation.echoes)
    return "; ".join(
        f'{name} "{printable(asked)}" is shown as "{printable(str(found))}"'
        for name, asked, found in shown
        if asked is not None
        and found is not None
        and not is_same(operation, name, found, wanted_cell(operation, name, values))
    )


def _mentions_owner(operation: Operation, data: Json) -> bool:
    """Whether an answer tells who holds the thing, or that nobody does."""
    owner = operation.noun.owner
    return owner is not None and isinstance(data, Mapping) and operation.noun.path(owner).partition(".")[0] in data


def owner_of(noun: ResponseFields, fields: Mapping[str, Json]) -> str | None:
    """The UUID, among result columns, of who holds the thing; None: nobody, or not shown."""
    uuid = fields.get(noun.owner) if noun.owner else None
    return None if uuid is None else str(uuid)


def wanted_owner(operation: Operation, values: Mapping[str, str]) -> str | None:
    """Whom a row asks to hold the thing; None: nobody."""
    goal, owner = operation.goal, operation.noun.owner
    return values.get(owner) if goal is not None and owner is not None and goal.owner is OwnerRule.ROW else None


def wanted_cell(operation: Operation, name: str, values: Mapping[str, str]) -> Json:
    """What the row asks a column to be."""
    return parse_cell(_kind(operation, name), values[name])


def is_same(operation: Operation, name: str, shown: Json, wanted: Json) -> bool:
    """Whether two values of a column stand for the same: names as the service may keep them, addresses as it
    compares them, everything else to the letter."""
    if type(shown) is type(wanted) and shown == wanted:
        return True
    match _kind(operation, name):
        case Kind.EMAIL:
            return identity_of(str(shown)) == identity_of(str(wanted))
        case Kind.NAME:
            return isinstance(shown, str) and kept_form(shown) == kept_form(str(wanted))
        case Kind.FLAG:
            return False
        case _:
            return str(shown) == str(wanted)


def kept_otherwise(operation: Operation, values: Mapping[str, str], fields: Mapping[str, Json]) -> str:
    """What the service keeps in another form than was asked, though it stands for the same; "" where nothing."""
    columns = operation.goal.columns if operation.goal else ()
    return "; ".join(
        f'{name} "{printable(values[name])}" is kept as "{printable(str(fields[name]))}"'
        for name in columns
        if name in values and name in fields and fields[name] != wanted_cell(operation, name, values)
    )


def _kind(operation: Operation, name: str) -> Kind:
    column = operation.column(name)
    return column.kind if column else Kind.TEXT
