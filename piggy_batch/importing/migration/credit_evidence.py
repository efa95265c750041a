"""What the service shows of a contact's credits: every change that it lists, and the balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piggy_batch.endpoints.exportable_lists import LOYALTY_TRANSACTIONS
from piggy_batch.endpoints.requests import fill
from piggy_batch.endpoints.responses import get_path
from piggy_batch.exporting.completeness import ReadOptions
from piggy_batch.exporting.page_reader import PageReader, StoppedError
from piggy_batch.exporting.pages import Page, refusal_of
from piggy_batch.importing.migration.credit_rules import CreditChange, CreditEvidence
from piggy_batch.models import Json, Lost, Request
from piggy_batch.text import parse_moment

if TYPE_CHECKING:
    from piggy_batch.client.session import Session
    from piggy_batch.importing.verification.balances import Customer

PAGE_SIZE = 100
_PLACES = {field.name: place for place, field in enumerate(LOYALTY_TRANSACTIONS.fields)}


async def read_credit_evidence(customer: Customer, contact: str, session: Session, slot: int) -> CreditEvidence:
    """What the migration knows of a contact, and what the service shows now. StoppedError where the run stops."""
    begun_at = session.clock.wall()
    changes = await _changes(contact, session, slot)
    answer = await session.read(Request("GET", fill("contacts/{uuid}/credit-balance", {"uuid": contact})), slot, 3)
    if answer is None:
        raise StoppedError
    now = None if isinstance(answer, Lost) or refusal_of(answer) is not None else get_path(answer.body, "data.balance")
    return CreditEvidence(
        before=customer.before,
        read_at=customer.read_at,
        given=customer.given,
        known=frozenset(customer.receptions),
        now=_whole(now),
        changes=changes,
        begun_at=begun_at,
    )


async def _changes(contact: str, session: Session, slot: int) -> tuple[CreditChange, ...] | None:
    """Every change to the balance of a contact; None where the service does not show as many as it counts."""
    reader = PageReader(LOYALTY_TRANSACTIONS, {"contact_uuid": contact}, session, ReadOptions())
    found: dict[str, CreditChange] = {}
    number, total = 1, None
    while True:
        page = await reader.page(number, PAGE_SIZE, slot)
        if not isinstance(page, Page) or page.flaw is not None or page.last_page is None:
            return None
        if total is not None and page.total != total:
            return None  # it changes under the reading
        total = page.total
        for key, _, values, _ in page.items:
            found[key] = _change(key, values, contact)
        if number >= page.last_page:
            return tuple(found.values()) if len(found) == total else None
        number += 1


def _change(key: str, values: list[Json], contact: str) -> CreditChange:
    """One row of the list. Where it names another contact, the filter was not obeyed and nothing is to be concluded."""
    shown = {name: values[place] for name, place in _PLACES.items()}
    moment = parse_moment(str(shown["created_at"]))
    return CreditChange(
        uuid=key,
        credits=_whole(shown["credits"]) if shown["contact_uuid"] in (None, contact) else None,
        shop=shown["shop_uuid"],
        made_at=moment.timestamp() if moment else None,
        given=shown["type"] in (None, "credit_reception"),
    )


def _whole(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
