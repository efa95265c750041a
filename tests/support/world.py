"""The world of the tests: virtual time, a service in process, a network that can fail, and runs on all three.

Nothing here sleeps and nothing is patched: the loop's time jumps to the next timer when nothing is ready, the service
is the sandbox behind httpx's ASGI transport, and what stands between is given to the program from outside.
"""

from __future__ import annotations

import asyncio
import csv
import json
import selectors
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from piggy_batch.client.clock import Clock
from piggy_batch.client.http import HttpClient
from piggy_batch.client.rate_limiter import Rate
from piggy_batch.client.target import Target
from piggy_batch.endpoints import CATALOGUE, Operation, find_operation
from piggy_batch.importing.options import ExecutionOptions, ImportOptions, RunResult
from piggy_batch.importing.runner import run
from piggy_batch.manifest.options import ManifestOptions
from piggy_batch.models import Status
from piggy_batch.runs.context import ConnectionOptions, RunContext
from piggy_batch.sandbox import ConnectionCut, Sandbox, Settings, make_app
from tests.support.progress import RecordingProgress

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
EPOCH = 1_800_000_000.0  # the wall clock when virtual time is 0
LONGEST_S = 30 * 86400.0  # a test in which more virtual time goes by hangs
DAY = 86400.0
TOKEN = "sandbox"


MOST_REQUESTS = 8_000  # of one world; more is a loop that never ends
MOST_STEPS = 1_000_000  # of a loop while no time goes by


class HangError(BaseException):
    """Nothing is ready and no timer is set, or the timers never end: a real program would hang.

    No Exception, so that nothing on the way takes it for trouble with a request.
    """


class VirtualTime:
    """Seconds that pass only when everybody waits; shared by the loops of one test."""

    def __init__(self) -> None:
        self.now = 0.0


class _Jumping(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time
        self._steps = 0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise HangError("the loop turns, and no time goes by")
        if ready or timeout == 0:
            return ready
        self._steps = 0
        if timeout is None:
            raise HangError("nothing is ready and no timer is set")
        self._time.now += timeout
        if self._time.now > LONGEST_S:
            raise HangError(f"still waiting after {LONGEST_S / 86400:g} days")
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer."""

    def __init__(self, time: VirtualTime) -> None:
        self._virtual = time
        super().__init__(_Jumping(time))

    def time(self) -> float:
        return self._virtual.now


def in_virtual_time(work: Coroutine[Any, Any, T], time: VirtualTime | None = None) -> T:
    """Run a coroutine to its end on a virtual loop."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(time or VirtualTime())) as runner:
        return runner.run(work)


class WorldClock(Clock):
    """The program's clock on a virtual loop; ``wall`` moves with it."""

    def __init__(self, world: World) -> None:
        super().__init__(fine=False)
        self._world = world

    def wall(self) -> float:
        return self._world.wall()


Hook = Callable[[httpx.Request], Awaitable[httpx.Response | None]]


class Wire(httpx.AsyncBaseTransport):
    """A connection into the sandbox. ``hook`` may fail or answer in the service's place."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._inner = httpx.ASGITransport(app=make_app(world.sandbox))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        world = self._world
        world.departures.append(asyncio.get_running_loop().time())
        if len(world.departures) > MOST_REQUESTS:
            raise HangError(f"more than {MOST_REQUESTS} requests")
        if world.hook is not None:
            answer = await world.hook(request)
            if answer is not None:
                return answer
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionCut as cut:
            raise httpx.RemoteProtocolError(str(cut)) from cut


class World:
    """One sandbox, one folder, one virtual time; ``run`` is one invocation of a row command."""

    def __init__(self, folder: Path, **switches: Any) -> None:
        self.folder = folder
        self.time = VirtualTime()
        self.url = "http://sandbox.test"  # the address under which the program knows the service
        self.shift = 0.0  # seconds by which the machine's wall clock jumps
        self.hook: Hook | None = None
        self.departures: list[float] = []
        self.said = RecordingProgress()
        defaults: dict[str, Any] = {
            "contacts": 40,
            "identifiers": 40,
            "giftcards": 100,
            "limit_per_minute": 0,
            "clock": lambda: EPOCH + self.time.now,
            "top_up_once": False,
        }
        self.sandbox = Sandbox(Settings(**(defaults | switches)))

    # --- the service's side

    def wall(self) -> float:
        """The machine's wall clock."""
        return EPOCH + self.time.now + self.shift

    @property
    def state(self) -> Any:
        """What the sandbox counts."""
        return self.sandbox.state()

    @property
    def effects(self) -> int:
        """How many changes the API has made."""
        return sum(self.sandbox.world.effects.totals.values())

    def times(self, kind: str) -> dict[str, int]:
        """How often each key was changed so."""
        return dict(self.sandbox.world.effects.keys.get(kind, {}))

    def contact(self, number: int) -> str:
        """The uuid of a seeded contact, 1 = the first."""
        return self.sandbox.world.people.contacts[number].uuid

    def identifier(self, value: str) -> Any:
        """What the service holds under a value; None where nothing."""
        return self.sandbox.world.people.identifier(value)

    def card(self, number: int) -> Any:
        """A seeded giftcard, 1 = the first."""
        return self.sandbox.world.cards.get(number)

    def loadable(self, number: int) -> Any:
        """A seeded giftcard on which money can be put, 1 = the first."""
        cards = (card for card in map(self.card, range(1, 101)) if card is not None)
        fit = [
            c for c in cards if c.upgradeable and c.active and c.cents == 0 and (c.expires or EPOCH * 2) > EPOCH + DAY
        ]
        return fit[number - 1]

    def loaded(self, number: int) -> str:
        """The uuid of a transaction that has put money on a giftcard of its own."""
        card = self.loadable(1)
        return str(self.sandbox.world.move(card, 1, 500 + number, EPOCH).uuid)

    def paid(self, number: int) -> str:
        """The uuid of a transaction that has given a contact prepaid money."""
        contact = self.sandbox.world.people.contacts[number]
        return self.sandbox.world.prepaid.move(contact, 1, 500 + number, EPOCH, None).uuid

    def till(self, action: str, value: str, **more: Any) -> None:
        """Somebody else does something to an identifier."""
        self.sandbox.outside_event("identifier", action=action, value=value, **more)

    # --- the program's side

    def manifest(self, header: str, rows: Iterable[Sequence[str] | str], name: str = "cards.csv") -> Path:
        """Write a CSV manifest."""
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header.split(","))
            writer.writerows([row] if isinstance(row, str) else row for row in rows)
        return path

    def target(self, token: str = TOKEN) -> Target:
        """This world's service."""
        return Target(self.url, token)

    def client(self, **options: Any) -> HttpClient:
        """The program's api into this world."""
        return HttpClient(self.target(), transport=lambda: Wire(self), **options)

    def context(self, token: str = TOKEN, **more: Any) -> RunContext:
        """Where a run takes place: inline journal, virtual clock."""
        return RunContext(
            target=self.target(token),
            progress=self.said,
            command="piggy-batch the same",
            clock=WorldClock(self),
            transport=lambda: Wire(self),
            threaded=False,
            **more,
        )

    async def run_async(
        self, operation: Operation | str, manifest: Path, *, token: str = TOKEN, context: Any = None, **given: Any
    ) -> RunResult:
        """As :meth:`run`, on a loop that runs already."""
        found = find_operation(operation) if isinstance(operation, str) else operation
        execution = {f.name: given.pop(f.name) for f in fields(ExecutionOptions) if f.name in given}
        reading = {f.name: given.pop(f.name) for f in fields(ManifestOptions) if f.name in given}
        given = {"rate": 0.0, "yes": True} | given
        options = ImportOptions(
            connection=connection(given),
            execution=ExecutionOptions(**execution),
            reading=ManifestOptions(**reading),
            **given,
        )
        return await run(found, manifest, options, self.context(token, **(context or {})))

    def run(self, operation: Operation | str, manifest: Path, **given: Any) -> RunResult:
        """One invocation; ``given`` are fields of Options, Terms and Reading. No rate and no question by default."""
        return in_virtual_time(self.run_async(operation, manifest, **given), self.time)

    # --- what a run left behind

    def statuses(self, result: RunResult) -> dict[str, int]:
        """Rows by status, from the results file; statuses without rows are left out."""
        return dict(Counter(row["_status"] for row in self.rows(result)))

    def rows(self, result: RunResult, pile: str = "results") -> list[dict[str, str]]:
        """The rows of a CSV report; none where the file is not there."""
        return read_csv(result.run_dir / f"{pile}.csv")

    def last(self, result: RunResult) -> dict[str, str]:
        """The only row of the results."""
        (row,) = self.rows(result)
        return row


def connection(given: dict[str, Any]) -> ConnectionOptions:
    """Takes the options of the connection out of ``given``; a rate is a number, 0 for no limit, None for auto."""
    if "rate" in given and not isinstance(given["rate"], Rate):
        given["rate"] = Rate(auto=True) if given["rate"] is None else Rate(given["rate"])
    return ConnectionOptions(**{f.name: given.pop(f.name) for f in fields(ConnectionOptions) if f.name in given})


def read_csv(path: Path) -> list[dict[str, str]]:
    """A report as dictionaries, whatever stands between its cells; none where the file is not there."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        return list(csv.DictReader(file, delimiter=max(",;\t|", key=header.count)))


PILE_OF = {
    "invalid": "errors",
    "rejected": "errors",
    "pending": "remaining",
    "failed": "remaining",
    "unknown": "unknown",
}


def audit(run_dir: Path, rows: int) -> dict[str, int]:
    """Assert that a run directory accounts for every row exactly once; the counts by status."""
    summary = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    results = read_csv(run_dir / "results.csv")
    ends = {int(row["_row"]): row["_status"] for row in results}  # a listing has several result rows for one row
    assert list(ends) == list(range(1, rows + 1))
    counts = Counter(ends.values())
    assert set(counts) <= {status.value for status in Status}
    assert {k: n for k, n in summary["counts"].items() if n} == dict(counts)
    assert summary["rows"] == rows == sum(counts.values())
    for pile in ("errors", "remaining", "unknown"):
        held = [int(row["_row"]) for row in read_csv(run_dir / f"{pile}.csv")]
        assert held == [int(row["_row"]) for row in results if PILE_OF.get(row["_status"]) == pile]
    return dict(counts)


# --- a manifest that works, for any operation of the catalogue ---------------------------------------


def cell(world: World, operation: Operation, column: str, number: int) -> str:
    """What a row that will work holds in a column; ``number`` counts from 1.

    Seeded identifiers with even numbers are linked, those with odd numbers are not.
    """
    makes = operation.verb in ("create", "find-or-create")
    unlinked = f"CARD-{2 * number - 1:06d}"
    linked = f"CARD-{2 * number:06d}"
    known: dict[str, Callable[[], str]] = {
        "contact_identifier_value": lambda: (
            f"NEW-{number:05d}" if makes else unlinked if operation.verb == "link" else linked
        ),
        "contact_identifier_name": lambda: f"Card of guest {number}",
        "contact_identifier_active": lambda: "true",
        "contact_uuid": lambda: world.contact(number),
        "expected_contact_uuid": lambda: world.identifier(linked).contact,
        "giftcard_uuid": lambda: world.loadable(number).uuid,
        "giftcard_transaction_uuid": lambda: world.loaded(number),
        "prepaid_transaction_uuid": lambda: world.paid(number),
        "giftcard_program_uuid": lambda: world.sandbox.world.cards.programs[1].uuid,
        "hash": lambda: world.card(number).hash,
        "type": lambda: "1",
        "amount_in_cents": lambda: str(100 + number),
        "credits": lambda: str(10 + number),
        "shop_uuid": lambda: world.sandbox.world.ledger.shops[1].uuid,
        "email_uuid": lambda: "mail-1",
        "attributes.firstname": lambda: f"Guest {number}",
        "email": lambda: f"guest{number}@example.test" if makes else f"customer{number}@example.test",
    }
    return known[column]()


def working_rows(world: World, operation: Operation, count: int) -> tuple[str, list[list[str]]]:
    """Header and rows of a manifest of which every row will work."""
    needed = (*operation.at_least_one[:1], *operation.one_of[:1])
    columns = [c.name for c in operation.columns if c.required or c.name in needed]
    free = operation.open_columns
    if free is not None and free.required:
        columns.append(f"{free.prefix}firstname")
    return ",".join(columns), [[cell(world, operation, c, n) for c in columns] for n in range(1, count + 1)]


def writes(operation: Operation) -> bool:
    """Whether a row of it changes something."""
    return operation.repeat.value != "safe"


WRITES = [op for op in CATALOGUE if writes(op)]
