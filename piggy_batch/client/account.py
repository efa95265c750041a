"""The first request of every command: whose token this is."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Protocol

from piggy_batch.client.circuit_breaker import without_files
from piggy_batch.client.retry import backoff_s
from piggy_batch.endpoints import PING
from piggy_batch.endpoints.responses import FROM_CACHE, ResponseAction, api_message, classify_status, get_path
from piggy_batch.errors import HaltError, JournalError
from piggy_batch.models import Json, Lost, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from piggy_batch.client.session import Session
    from piggy_batch.client.target import Target


PING_TRIES = 3


async def fetch_account(session: Session, target: Target, journal: FactStore | None) -> dict[str, Any]:
    """Ask whose token this is: ``{"id", "company"}``; HaltError after three tries without an answer.

    A wait that the service asks for (Retry-After) is kept, within ``--max-wait``, and is no try. ``id`` is the
    account's own uuid, else its id; where it answers neither, a salted fingerprint of the token.
    """
    tries, asked_since = 0, session.clock.now()
    while True:
        answer = await session.client.send(PING, 0, session.limiter.acquire)
        if answer is None:
            raise _left_early(session)
        session.tally.sent += 1
        if isinstance(answer, Reply):
            verdict = classify_status(answer)
            named = isinstance(answer.body, dict) and "data" in answer.body
            if verdict is None and answer.status < 400 and named:
                return _account(answer, target, journal)
            why = _refusal(answer, target)
            if verdict is None or verdict.call in (
                ResponseAction.HALT,
                ResponseAction.FORBIDDEN,
                ResponseAction.NOT_FROM_API,
            ):
                raise HaltError(why)
            wait_s = answer.wait_s or None  # no wait at all would hammer a service that says no
        elif answer.is_local:
            raise HaltError(f"{without_files(answer)}; nothing was sent")
        else:
            why, wait_s = _unreachable(answer, target), None
        if wait_s is None:  # the service did not say when to come back
            tries += 1
            if tries == PING_TRIES:
                raise HaltError(f"{why} ({PING_TRIES} tries); nothing was sent")
            wait_s = backoff_s(tries, session.rng)
        elif session.clock.now() + wait_s - asked_since > session.max_wait_s:
            limit = f"longer than --max-wait {session.max_wait_s:g} s"
            raise HaltError(f"{why}; it asks to wait {wait_s:.0f} s more, {limit}; nothing was sent")
        else:
            session.notify(f"{why}; waiting {wait_s:.0f} s, as asked")
        if await session.stop.wait(wait_s):
            raise _left_early(session)


def _left_early(session: Session) -> BaseException:
    if session.stop.reason == "interrupted":
        return KeyboardInterrupt("nothing was sent")
    return HaltError(session.halt_reason or f"stopped before anything was sent: {session.stop.reason}")


def _account(answer: Reply, target: Target, journal: FactStore | None) -> dict[str, Any]:
    data = answer.body.get("data") if isinstance(answer.body, dict) else None
    identity = get_path(data, "uuid") or get_path(data, "id")
    company = get_path(data, "company")
    if identity is None:
        identity = fingerprint(journal, target.token) if journal is not None else UNNAMED
    return {"id": str(identity), "company": str(company) if company is not None else None}


def _refusal(answer: Reply, target: Target) -> str:
    said = api_message(answer)
    if answer.from_cache:
        return (
            f"{target.base_url}: {FROM_CACHE}; have it excepted from the cache, so that no answer bears an Age (some "
            "write Age: 0 to what they have just fetched), or set --base-url to the service itself"
        )
    match answer.status:
        case 401:
            return f"{target.base_url} does not accept the token (401 {said}); check PIGGY_TOKEN or --token-file"
        case 403:
            return f"{target.base_url} forbids this token to see its account (403 {said}); check the token's rights"
        case 429:
            return f"{target.base_url} is throttled (429 {said})"
        case 503:
            return f"{target.base_url} is in maintenance (503 {said})"
        case status if 300 <= status < 400:
            return f"{target.base_url} redirects to {answer.location}; set --base-url to the right address"
        case status:
            return f"{target.base_url} answers {status} ({said}) where the account should be; check --base-url"


def _unreachable(answer: Lost, target: Target) -> str:
    if target.loopback:
        check = "check --base-url, and that what it leads to (piggy-batch sandbox?) runs on this machine"
    else:
        check = "check --base-url and the network"
    return f"{target.base_url} cannot be reached: {answer.reason}; {check}"


FINGERPRINT = "token "  # begins the id of an account that does not name itself
UNNAMED = "not named by the service"  # where nothing keeps the salt of a fingerprint
REHEARSAL = "5a4db0c5-0000-4000-a000-"  # begins the id of accounts in the sandbox that this program brings


class FactStore(Protocol):
    """Where a run keeps facts about itself."""

    def get(self, key: str) -> Json:
        """A fact; None where it was never set."""

    def set(self, key: str, value: Json) -> None:
        """Keep a fact."""


def check_account(journal: FactStore, account: dict[str, Any], here: Path) -> None:
    """Refuse a token of another account on a begun run, naming both."""
    was = journal.get("account")
    if was is None or was["id"] == account["id"]:
        return
    raise JournalError(
        f"{here} belongs to account {describe_account(was)}, the token to account {describe_account(account)}; "
        "use a token of the first, or name another --run-dir"
    )


def describe_account(account: Mapping[str, Any]) -> str:
    """An account for messages: company and id."""
    return f"{account['company']} ({account['id']})" if account.get("company") else str(account["id"])


def account_key(account: Mapping[str, Any], token: str) -> str:
    """What all runs of an account call it, under whatever address they reach it: the name it gives itself; where it
    gives none, a slow hash of the token (a fingerprint is salted anew in each run)."""
    identity = str(account["id"])
    if not identity.startswith(FINGERPRINT) and identity != UNNAMED:
        return identity
    return hashlib.pbkdf2_hmac("sha256", token.encode(), b"piggy-batch account", 100_000).hex()


def fingerprint(journal: FactStore, token: str) -> str:
    """Stands for an account that does not name itself: a slow, salted hash of the token."""
    salt = journal.get("salt")
    if salt is None:
        salt = secrets.token_hex(16)
        journal.set("salt", salt)
    return salted_fingerprint(token, salt)


def salted_fingerprint(token: str, salt: str) -> str:
    """The fingerprint that a run with that salt gives a token."""
    digest = hashlib.pbkdf2_hmac("sha256", token.encode(), bytes.fromhex(salt), 100_000).hex()
    return f"{FINGERPRINT}{digest[:16]}"
