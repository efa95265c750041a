"""The catalogue of lists that can be exported: one value for each, from which its command and columns come.

Paths, parameters and page sizes: the vendor's documentation pages (all stated) unless a line says *captured*
(seen in a live answer) or *inferred*. Four meta shapes exist, so pages are read by which fields they have.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from piggy_batch.endpoints.responses import get_path
from piggy_batch.errors import SetupError
from piggy_batch.models import Json, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

FieldKind = Literal["text", "int", "bool", "timestamp"]


@dataclass(frozen=True, slots=True)
class Field:
    """A column of an exported file and where a list's object has its value (dotted path)."""

    name: str
    path: str
    kind: FieldKind = "text"
    keeps_type: bool = False  # text, but a number or a truth value in a format that has them


@dataclass(frozen=True, slots=True)
class UnpagedList:
    """A list that the service gives at once, without pages; each object has a ``uuid`` and a ``name``."""

    name: str  # as typed: "shops list"
    help: str
    unit: str  # what is listed: "shops"
    request: Request
    fields: tuple[Field, ...]
    single: str | None = None  # where one of them can be looked up, {uuid} in its path
    absent_codes: frozenset[int] = frozenset()  # there is none of that UUID


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of the service, read page by page.

    ``key``: paths of which the first that holds a value identifies an object. ``watch``: the path whose changes
    between two readings are reported. ``single``: where one object can be looked up, ``{key}`` in its path;
    without it, only the list itself can show an object again. ``group``: the path that a filter of the same
    name as ``group_filter`` speaks of. ``known_values``: filters whose values are looked up before anything is
    read, as the service may answer one that it does not know with an empty list.
    """

    name: str  # as typed: "giftcards export"
    help: str
    unit: str  # what is counted: "cards"
    path: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    size_param: str = "limit"
    max_size: int = 100
    query: Mapping[str, str] = field(default_factory=dict)  # sent with every page
    single: str | None = None
    gone_codes: frozenset[int] = frozenset()
    unknown_codes: Mapping[int, str] = field(
        default_factory=dict
    )  # no such filter value -> what prints those there are
    watch: str | None = None
    group: str | None = None
    group_filter: str | None = None
    known_values: Mapping[str, UnpagedList] = field(default_factory=dict)  # filter -> the list that has its values

    def page_request(self, filters: Mapping[str, str], page: int, size: int) -> Request:
        """The request for one page; pages count from 1."""
        query = {**self.query, **filters, "page": str(page), self.size_param: str(size)}
        return Request("GET", self.path, query=query)

    def single_request(self, key: str) -> Request:
        """The request for one object by its key."""
        if self.single is None:
            raise ValueError(f"{self.name}: its objects cannot be looked up")
        return Request("GET", self.single.format(key=quote(key, safe="")))

    def choose(self, names: tuple[str, ...]) -> Listing:
        """The same list with only these columns, the key's first; SetupError for unknown ones.

        A dotted name that is no column is taken as a path into the object, as text.
        """
        known = {f.name: f for f in self.fields}
        if unknown := [name for name in names if name not in known and "." not in name]:
            raise SetupError(
                f"--columns {', '.join(unknown)}: no such column; there are {', '.join(known)}, and dotted paths "
                "like current_values.firstname"
            )
        rest = [
            known.get(name) or Field(name, name, keeps_type=True)
            for name in dict.fromkeys(names)
            if name != self.fields[0].name
        ]
        return replace(self, fields=(self.fields[0], *rest))


PROGRAMS = UnpagedList(
    name="giftcards programs",
    help="The account's giftcard programs, with their UUIDs and card counts.",
    unit="giftcard programs",
    request=Request("GET", "giftcard-programs"),  # captured
    fields=(
        Field("giftcard_program_uuid", "uuid"),
        Field("giftcard_program_name", "name"),
        Field("active", "active", "bool"),
        Field("card_count", "card_count", "int"),
        Field("expiration_days", "expiration_days", "int"),
        Field("min_amount_in_cents", "min_amount_in_cents", "int"),
        Field("max_amount_in_cents", "max_amount_in_cents", "int"),
    ),
)
SHOPS = UnpagedList(
    name="shops list",
    help="The account's shops, with their UUIDs.",
    unit="shops",
    request=Request("GET", "shops"),
    fields=(
        Field("shop_uuid", "uuid"),
        Field("shop_name", "name"),
        Field("type", "type"),  # physical, web or on_site
        Field("reference", "reference"),
    ),
    single="shops/{uuid}",
    absent_codes=frozenset({1008}),
)

GIFTCARDS = Listing(
    name="giftcards export",
    help="Every giftcard into a file, with a proof that none is missing.",
    unit="cards",
    path="giftcards",
    key=("uuid",),
    fields=(
        Field("giftcard_uuid", "uuid"),
        Field("type", "type"),
        Field("hash", "hash"),
        Field("amount_in_cents", "amount_in_cents", "int"),
        Field("active", "active", "bool"),
        Field("upgradeable", "upgradeable", "bool"),
        Field("expiration_date", "expiration_date", "timestamp"),
        Field("giftcard_program_uuid", "giftcard_program.uuid"),
        Field("giftcard_program_name", "giftcard_program.name"),
    ),
    single="giftcards/{key}",
    gone_codes=frozenset({5001}),
    unknown_codes={1100: PROGRAMS.name},
    watch="amount_in_cents",
    group="giftcard_program.uuid",
    group_filter="giftcard_program_uuid",
)

CONTACTS = Listing(
    name="contacts export",
    help="Every contact into a file, with a proof that none is missing.",
    unit="contacts",
    path="contacts",
    key=("uuid",),
    fields=(
        Field("contact_uuid", "uuid"),
        Field("email", "email"),
        Field("contact_id", "id", "int"),
        Field("default_contact_identifier", "current_values.default_contact_identifier"),
        Field("credit_balance", "credit_balance.balance", "int"),
        Field("prepaid_balance_in_cents", "prepaid_balance.balance_in_cents", "int"),
        Field("tier", "tier.name"),
        Field("created_at", "current_values.created_at", "timestamp"),
    ),
    query={"sort": "created_at"},  # new contacts then come last
    single="contacts/{key}",
    gone_codes=frozenset({55031}),
    watch="credit_balance.balance",
)

TRANSACTIONS = Listing(
    name="giftcards transactions export",
    help="Giftcard transactions of a period into a file.",
    unit="transactions",
    path="giftcard-transactions",
    key=("id", "uuid"),  # old rows have no uuid (captured)
    fields=(
        Field("transaction_id", "id", "int"),
        Field("transaction_uuid", "uuid"),
        Field("type", "type"),
        Field("amount_in_cents", "amount_in_cents", "int"),
        Field("settled", "settled", "bool"),
        Field("giftcard_id", "card.id", "int"),
        Field("giftcard_uuid", "card.uuid"),
        Field("shop_id", "shop.id", "int"),
        Field("shop_uuid", "shop.uuid"),
        Field("shop_name", "shop.name"),
        Field("created_at", "created_at", "timestamp"),
    ),
    size_param="perPage",  # the SDK's limit is ignored here, and ten rows a page come back
    query={"sort": "created_at"},
    unknown_codes={1100: PROGRAMS.name, 1008: SHOPS.name},
    watch="amount_in_cents",
    known_values={"shop_uuid": SHOPS},
)

LOYALTY_TRANSACTIONS = Listing(
    name="loyalty transactions export",
    help="Loyalty transactions of a period into a file: every change to a credit balance.",
    unit="transactions",
    path="loyalty-transactions",
    key=("uuid",),
    fields=(
        Field("loyalty_transaction_uuid", "uuid"),
        Field("type", "type"),  # credit_reception, reward_reception, digital_reward_reception (the SDK's names)
        Field("credits", "credits", "int"),
        Field("unit_value", "unit_value", keeps_type=True),  # a number with a fraction
        Field("unit_name", "unit.name"),
        Field("channel", "channel"),
        Field("contact_uuid", "contact.uuid"),
        Field("contact_email", "contact.email"),
        Field("contact_identifier_value", "contact_identifier.value"),
        Field("shop_uuid", "shop.uuid"),
        Field("shop_name", "shop.name"),
        Field("reward_uuid", "reward.uuid"),  # of a reward reception no source shows the whole
        Field("reward_title", "reward.title"),
        Field("created_at", "created_at", "timestamp"),
    ),
    query={"sort": "created_at"},
    unknown_codes={55031: "contacts export --to FILE", 1008: SHOPS.name},
    watch="credits",
    known_values={"shop_uuid": SHOPS},
)

PREPAID_TRANSACTIONS = Listing(
    name="prepaid transactions export",
    help="Prepaid transactions into a file, each with the balance that it came to.",
    unit="transactions",
    path="prepaid-transactions",
    key=("uuid",),
    fields=(
        Field("prepaid_transaction_uuid", "uuid"),
        Field("amount_in_cents", "amount_in_cents", "int"),
        Field("prepaid_balance_in_cents", "prepaid_balance.balance_in_cents", "int"),
        Field("contact_uuid", "contact.uuid"),
        Field("contact_email", "contact.email"),
        Field("contact_identifier_value", "contact_identifier.value"),
        Field("shop_uuid", "shop.uuid"),
        Field("shop_name", "shop.name"),
        Field("created_at", "created_at", "timestamp"),
    ),
    max_size=30,  # and no order or period can be asked for
    unknown_codes={55031: "contacts export --to FILE", 1008: SHOPS.name},
    watch="amount_in_cents",
    known_values={"shop_uuid": SHOPS},
)


def key_of(listing: Listing, item: Json) -> str | None:
    """What identifies an object, as text whatever its shape; None where it has nothing that does."""
    for path in listing.key:
        value = get_path(item, path)
        if value is None or isinstance(value, bool | dict | list) or value == "":
            continue
        return str(value)
    return None
