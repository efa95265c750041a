"""What an answer is: error code, class of status, and the action that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from piggy_batch.models import Json, Proof, Reply, Status
from piggy_batch.text import printable

if TYPE_CHECKING:
    from piggy_batch.endpoints import ResponseFields

# 7002 account inactive, 7011 no access to this account, 60000 usage limit reached (stated)
HALT_CODES = frozenset({7002, 7011, 60000})
# 1000 internal error, 60001 "creating in progress" (stated): either may still be carried out
DOUBT_CODES = frozenset({1000, 60001})
# request timeout, too early, and what proxies say when the client or the server behind them took too long
GAVE_UP = frozenset({408, 425, 460, 499})
# the success and "made" that the service is known to answer, and one without a body; others, such as 202 (accepted, to
# be done later), 203 (changed on the way) and 206 (a part), do not say that the request was carried out
SUCCESS = frozenset({200, 201, 204})
FROM_CACHE = "the answer comes from a cache on the way (its headers say so, as Age) and says nothing of now"
FIRST_CODE = 1000  # the service's own codes have four digits and more; below are HTTP's, as gateways repeat them
LEAST_ERROR = 400  # in a body: an HTTP status of a failure, or an error code of the service
LARGEST_CODE = 2**53  # a larger number is no error code, and not every reader of JSON keeps it


class ResponseAction(StrEnum):
    """What the caller does next with the row. Whether a refusal may have been carried out all the same is told by
    :attr:`Verdict.harmless`."""

    SETTLE = "settle"  # the outcome is final for this run
    RETRY = "retry"  # surely not applied: back off and send again
    DOUBT = "doubt"  # may have been applied: look, repeat if that is harmless, or stop in doubt
    LOOK = "look"  # "is so already": believe it only after a look
    THROTTLED = "throttled"  # not applied; everybody pauses; costs no attempt
    MAINTENANCE = "maintenance"  # may have been applied; everybody pauses; costs no attempt
    FORBIDDEN = "forbidden"  # 403: the token, or only this row? A ping tells
    NOT_FROM_API = "foreign"  # a refusal that is not the API's own
    HALT = "halt"  # no row can succeed until a person acts


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means for its row."""

    call: ResponseAction
    message: str = ""
    status: Status | None = None  # with SETTLE
    proof: Proof = Proof.ANSWER
    http_status: int | None = None
    code: int | None = None
    kept: Mapping[str, Json] = field(default_factory=dict)  # result columns
    wait_s: float | None = None
    harmless: bool = True  # of a halt or a refusal: known not to have been carried out


def get_path(data: Json, path: str) -> Json:
    """The value at a dotted path; None where any part is missing."""
    for part in path.split("."):
        if not isinstance(data, dict):  # what JSON objects become; a check for Mapping takes four times as long
            return None
        data = data.get(part)
    return data


def extract_fields(noun: ResponseFields, data: Json) -> dict[str, Json]:
    """The result columns that an answer's object has."""
    kept = {}
    for name, path in noun.fields:
        value = get_path(data, path)
        if value is not None:
            kept[name] = value
    return kept


def api_code(reply: Reply) -> int | None:
    """The API's own error code; None where the body is not the API's error JSON."""
    code = reply.body.get("code") if isinstance(reply.body, Mapping) else None
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code[:20])
    if isinstance(code, bool) or not isinstance(code, int) or not FIRST_CODE <= code <= LARGEST_CODE:
        return None
    return code


def shows_data(reply: Reply) -> bool:
    """Whether an answer shows a thing, whatever else it says."""
    return isinstance(reply.body, Mapping) and reply.body.get("data") not in (None, [], {}, "", False)


def is_off(value: Json) -> bool:
    """Whether a flag is shown as false, in one of the ways in which services write that."""
    return str(value).casefold() in ("false", "0")


def api_message(reply: Reply) -> str:
    """The service's words, field errors included, safe to print."""
    if isinstance(reply.body, Mapping):
        words = reply.body.get("message")
        bag = reply.body.get("errors")
        parts = [str(words)] if words else []
        if isinstance(bag, Mapping):
            for name, texts in bag.items():
                listed = texts if isinstance(texts, list) else [texts]
                parts.append(f"{name}: {' '.join(str(t) for t in listed)}")
        if parts:
            return printable(" | ".join(parts))
    shown = " ".join(reply.text.split())
    return f"HTTP {reply.status}" + (f": {printable(shown[:80])}" if shown else "")


def classify_status(reply: Reply) -> Verdict | None:
    """What holds for every request, looks and pages included; None: an answer to be read.

    Harmless is only what the service is known to refuse before it acts. A redirect, and a 4xx without a code of the
    service, may come from something between that has passed the request on before.
    """
    status, code, said = reply.status, api_code(reply), api_message(reply)
    doubtful = shows_data(reply) or code in DOUBT_CODES
    if status == 429 and not doubtful:
        return Verdict(ResponseAction.THROTTLED, said, http_status=status, code=code, wait_s=reply.wait_s)
    if status == 503:
        return Verdict(ResponseAction.MAINTENANCE, said, http_status=status, code=code, wait_s=reply.wait_s)
    if status == 401 or code in HALT_CODES:
        harmless = 400 <= status < 500 and not doubtful
        said = f"{said} ({code or status})"
        return Verdict(ResponseAction.HALT, said, http_status=status, code=code, harmless=harmless)
    if 300 <= status < 400:
        where = printable(reply.location or "nowhere")
        return Verdict(
            ResponseAction.HALT,
            f"the service redirects to {where}; set --base-url to the right address",
            http_status=status,
            harmless=False,
        )
    if status == 403:
        harmless = _is_own_refusal(reply) and not doubtful
        return Verdict(ResponseAction.FORBIDDEN, said, http_status=status, code=code, harmless=harmless)
    if reply.from_cache:
        return Verdict(ResponseAction.DOUBT, FROM_CACHE, http_status=status, code=code)
    if status < 300 and status not in SUCCESS:
        return Verdict(ResponseAction.DOUBT, f"HTTP {status} does not say what was done", http_status=status, code=code)
    if status >= 500 or status in GAVE_UP or code in DOUBT_CODES or is_truncated(reply):
        return Verdict(ResponseAction.DOUBT, said, http_status=status, code=code)
    if status >= 400 and code is None:
        return Verdict(ResponseAction.NOT_FROM_API, said, http_status=status, harmless=False)
    return None


def _is_own_refusal(reply: Reply) -> bool:
    """Whether the service itself refuses a request that the token has no right to, which it does before it acts; a
    firewall's page may stand in the place of the answer to a request that was carried out."""
    return isinstance(reply.body, Mapping) and isinstance(reply.body.get("message"), str) and "data" not in reply.body


def is_truncated(reply: Reply) -> bool:
    """Whether JSON did not arrive whole: what is missing of a refusal may be a code that is none, see DOUBT_CODES."""
    return not reply.is_json and reply.text.lstrip("\ufeff \t\r\n").startswith(("{", "["))
