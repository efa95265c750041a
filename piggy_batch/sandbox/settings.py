"""The switches of the sandbox: sizes, pace, identity, faults, and what the known facts leave open."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from piggy_batch.sandbox.faults import Fault


@dataclass(frozen=True, slots=True)
class Churn:
    """A change right after the ``after_page_request``-th giftcard list request (1 = the first) was answered.

    ``delete``: uuids of cards that go. ``add``: so many cards appear, in program number ``program``, 0 cents.
    """

    after_page_request: int
    delete: tuple[str, ...] = ()
    add: int = 0
    program: int = 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that a sandbox can be told. Frozen; what may change in mid-run has a method on ``Sandbox``.

    World
        ``giftcards``, ``contacts``, ``identifiers``, ``transactions``, ``programs``, ``shops``: how many to
        start with (identifiers are ``CARD-000001``…, every second one linked; transactions are history and move
        no balance, the oldest tenth of them without uuids, as captured). ``seed``: the same seed, the same
        world. ``ties``: so many neighbours share one ``created_at``. ``bare_uuids``: uuids of digits only, as
        captured. ``state``: a file that is loaded when it exists, and written on stop and every
        ``save_every_s`` seconds when changed; what it holds wins over the sizes given here, and seed, programs,
        shops, ties and account must be the same. ``reincrementable_programs``: so many of the last programs
        hold re-incrementable cards (1114). ``programs_closed_to``: shop number (1 = the first) -> program
        numbers that the shop may not use (7015). ``attributes``: names of the account's own contact
        attributes, texts, beside those that every account has.
    Identity
        ``token``; ``company``, ``account_uuid``; ``ping_fields``: which of company, id, uuid the ping shows;
        ``other_tokens``: token -> (company, account uuid), each account with a world of its own, empty at the
        start, or the main one if the uuid is the same (a rotated token); ``no_contacts_tokens``: tokens of the
        main account that get 403 on contacts; ``expires_after``: the main token is refused (401) after so many
        requests; ``expires_at``: token -> time on the clock from which it is refused; ``client_id`` (a whole
        number, as the SDK sends it) and ``client_secret`` for ``POST /oauth/token``.
    Pace
        ``latency_ms``: per request, half of it before and half after the change is made;
        ``limit_per_minute``: of the throttle, 0 = none (and no throttle headers); ``clock``: seconds since
        1970; ``sleep``: an async sleep.
    Faults
        ``faults``: see ``FAULT_KINDS``; ``hang_s``: how long ``timeout`` faults hold a connection at most;
        ``hard_reset``: cuts on a socket are TCP resets instead of orderly closes.
    Lists
        ``churn``: so many cards deleted and as many added after every giftcard page read; ``shuffle``:
        neighbours with one ``created_at`` come in another order on every request; ``total_skew``: added to
        every reported total; ``total_drift``: added again with every giftcard page read.
    Open facts (the default is the likelier)
        ``unlink_unlinked``: refuse with 60011, or do nothing and succeed. ``over_limit``: a page size or
        number out of bounds is refused with 1003, or clamped. ``transactions_page_param``: which parameter
        sets the page size of the transaction list; the other is ignored. ``transactions_need_filter``: a list
        without hash, program or shop is 1003 (DUMP; LDOC makes all optional). ``send_shape``: the answer of
        send-by-email, bare text (live, MAG) or nested (SEED). ``email_required``: emails that exist, None =
        any ``email_uuid`` does, () = the account has no usable e-mail and every send is 1003.
        ``update_missing``: update of an unknown identifier, 60003 or 1003. ``fold_case``: identifier values
        that differ only in case are one. ``trim_values``: spaces around every text that arrives are lost,
        names included, as the framework does by default. ``hash_case``: a giftcard hash matches exactly, or
        whatever its case. ``longest_value``: characters of an identifier's value, more is 1003.
        ``delete_linked``: delete of a linked identifier works, or is refused with 60014. ``delete_shape``:
        what a delete answers as data; ``none`` leaves the key out, ``empty`` sends no body. ``link_email``:
        the contact in an identifier shows its e-mail (SEED) or only the uuid (POST, captured).
        ``top_up_once``: a digital card can be increased once, then it is not upgradeable (stated on the page
        of giftcard transactions; physical ones can be increased again). ``unknown_attribute``: an update that
        names an attribute that the account has not is 1003, or ignores it. ``attributes_shown``: a contact
        shows the list of its attributes, or an empty one (deprecated, LDOC). ``contact_quota``: contacts beyond
        so many are 60000. ``contact_delete_delay_s``: how long a deletion is queued. ``unsubscribed``: e-mail
        addresses that are not subscribed (send-by-email: 1003). ``unauthorized_body``: of a 401; the bodies of
        403, 429 and 503 are faults. ``default_unit``: without one, a credit reception by ``unit_value`` is
        55046. ``max_credits``: per reception, above it 1015. Of contacts/batch no source shows an answer, so
        that there is no such endpoint here.
    """

    token: str = "sandbox"  # noqa: S105 - a local stand-in's token guards nothing
    giftcards: int = 0
    contacts: int = 0
    identifiers: int = 0
    transactions: int = 0
    programs: int = 3
    shops: int = 3
    seed: int = 1
    ties: int = 8
    bare_uuids: bool = False
    state: Path | None = None
    save_every_s: float = 3.0
    reincrementable_programs: int = 0
    programs_closed_to: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    company: str = "Sandbox Shop"
    account_uuid: str = "5a4db0c5-0000-4000-a000-000000000001"
    ping_fields: tuple[str, ...] = ("company", "id", "uuid")
    other_tokens: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    no_contacts_tokens: frozenset[str] = frozenset()
    expires_after: int | None = None
    expires_at: Mapping[str, float] = field(default_factory=dict)
    client_id: int = 1
    client_secret: str = "sandbox-secret"  # noqa: S105 - a local stand-in's secret guards nothing
    latency_ms: float = 0
    limit_per_minute: int = 5000
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    faults: tuple[Fault, ...] = ()
    hang_s: float = 3600.0
    hard_reset: bool = False
    churn: int = 0
    shuffle: bool = False
    total_skew: int = 0
    total_drift: int = 0
    unlink_unlinked: Literal["60011", "ok"] = "60011"
    over_limit: Literal["1003", "clamp"] = "1003"
    transactions_page_param: Literal["perPage", "limit"] = "perPage"
    transactions_need_filter: bool = False
    send_shape: Literal["bare", "nested"] = "bare"
    email_required: tuple[str, ...] | None = None
    update_missing: Literal["60003", "1003"] = "60003"
    fold_case: bool = False
    trim_values: bool = False
    hash_case: Literal["exact", "fold"] = "exact"
    longest_value: int = 255
    delete_linked: Literal["ok", "refused"] = "ok"
    delete_shape: Literal["null", "[]", "{}", "none", "empty"] = "null"
    link_email: bool = True
    top_up_once: bool = True
    unknown_attribute: Literal["1003", "ignore"] = "1003"
    attributes_shown: bool = True
    contact_quota: int | None = None
    contact_delete_delay_s: float = 0
    unsubscribed: frozenset[str] = frozenset()
    unauthorized_body: Literal["laravel", "oauth", "empty"] = "laravel"
    default_unit: bool = True
    max_credits: int | None = None
