"""What exports promise, measured: speed, truth while the list changes, and survival of kills.

``prove(scale)`` returns figures and raises where a promise is broken. At scale 1: 100,000 cards at 50 ms a request,
10 in flight at least 6 times as fast as one; 2,000 seeds of a list that changes while it is read, no ``agreed`` that
is wrong, the sandbox's own books being the judge; ten kills of a real process, and the same file.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from piggy_batch.client.rate_limiter import Rate
from piggy_batch.endpoints.exportable_lists import GIFTCARDS
from piggy_batch.exporting.completeness import ReadOptions
from piggy_batch.exporting.export import export
from piggy_batch.exporting.options import ExportOptions, ExportResult
from piggy_batch.runs.context import ConnectionOptions
from piggy_batch.sandbox import Fault
from tests.support.world import Wire, World, in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL_CARDS = 100_000
FULL_SEEDS = 2_000
KILLS = 10
LEAST_RATIO = 6.0
_LISTS = ("short-page", "duplicate-row", "repeat-page", "no-meta", "string-meta", "500", "reset-after", "truncated")


# --- a list that changes while it is read ------------------------------------------------------------


@dataclass(slots=True)
class Judge:
    """Changes the account at random moments and keeps what existed when the service counted."""

    world: World
    rng: random.Random
    events: int  # so many changes at most
    likely: float  # of a change before or after each answer
    programs: tuple[int, ...] = ()  # whose cards are counted, none = all
    counted: dict[float, frozenset[str]] = field(default_factory=dict)  # wall time of the answer -> what existed
    throughout: frozenset[str] = frozenset()
    settled: set[int] = field(default_factory=set)  # cards that came or moved, and are left alone from then on

    def __post_init__(self) -> None:
        """Everything there at the start may have been there throughout."""
        self.throughout = self.existing()

    def existing(self) -> frozenset[str]:
        """The cards that exist now."""
        cards = self.world.sandbox.world.cards
        numbers = [n for program in self.programs for n in cards._of[program]] if self.programs else cards.order
        return frozenset(cards.get(number).uuid for number in numbers)  # type: ignore[union-attr]

    def disturb(self) -> None:
        """Perhaps a change: one card deleted, one made, both, or one that moves to another program."""
        if not self.events or self.rng.random() >= self.likely:
            return
        self.events -= 1
        cards = self.world.sandbox.world.cards
        kind = self.rng.choice(("both", "both", "delete", "add", "move", "pay"))
        if kind in ("both", "delete") and len(cards.order):
            number = self.rng.choice(cards.order)
            if len(self.programs) < 2 or number not in self.settled:  # to come and go at once is excluded as well
                cards.remove(cards.get(number))  # type: ignore[arg-type]
        if kind in ("both", "add"):
            self.settled.add(cards.add(self.rng.choice(list(cards.programs)), self.world.wall()).number)
        if kind == "move" and len(cards.order):
            number = self.rng.choice(cards.order)
            if number not in self.settled:  # moving away and back is what the argument excludes
                self.settled.add(number)
                cards.reprogram(cards.get(number), self.rng.choice(list(cards.programs)))  # type: ignore[arg-type]
        if kind == "pay" and len(cards.order):
            card = cards.get(self.rng.choice(cards.order))
            cards.put(card, card.cents + 100)  # type: ignore[arg-type,union-attr]
        self.throughout &= self.existing()


class Disturbed(Wire):
    """A connection on which other things happen before and after each answer."""

    def __init__(self, judge: Judge) -> None:
        super().__init__(judge.world)
        self._judge = judge

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        judge = self._judge
        await asyncio.sleep(judge.rng.random() / 10)
        judge.disturb()
        existed = judge.existing()
        response = await super().handle_async_request(request)
        judge.throughout &= judge.existing()  # the sandbox's own churn comes right after an answer
        judge.disturb()
        await asyncio.sleep(judge.rng.random() / 10)
        if request.url.params.get("limit") == "1":
            judge.counted[judge.world.wall()] = existed
        return response


def changing(folder: Path, seed: int) -> tuple[ExportResult, Judge]:
    """One export of an account that changes at random, with lists that lie at random; its kind is the seed's."""
    rng = random.Random(seed)
    size = rng.choice((1, 3, 10, 17))
    cards = rng.choice((0, 1, size, 40, 90))
    share = rng.choice((0, 0, 0.05, 0.2))
    faults = tuple(Fault(kind, share, path="giftcards") for kind in rng.sample(_LISTS, 2)) if share else ()
    chosen = rng.choice(((), (), (1,), (2,), (1, 2), (3, 1, 2)))
    world = World(
        folder,
        giftcards=cards,
        contacts=0,
        identifiers=0,
        seed=seed,
        ties=rng.choice((1, 8, 30)),
        shuffle=rng.random() < 0.4,
        over_limit=rng.choice(("1003", "clamp")),
        churn=1 if rng.random() < 0.05 and len(chosen) < 2 else 0,
        faults=faults,
    )
    judge = Judge(
        world, rng, events=rng.choice((0, 1, 2, 4, 8, 1000)), likely=rng.choice((0.02, 0.1, 0.3)), programs=chosen
    )
    programs = world.sandbox.world.cards.programs
    filters = tuple({"giftcard_program_uuid": programs[program].uuid} for program in chosen) or ({},)
    terms = ReadOptions(page_size=size, concurrency=rng.choice((1, 2, 8)), max_passes=rng.choice((2, 4, 6)))
    options = ExportOptions(
        folder / "cards.csv", filters=filters, connection=ConnectionOptions(Rate(0.0)), reading=terms
    )
    context = replace(world.context(), transport=lambda: Disturbed(judge))
    done = in_virtual_time(export(GIFTCARDS, options, context), world.time)
    return done, judge


def check(done: ExportResult, judge: Judge) -> None:
    """Assert what an export promises, whatever happened."""
    if not done.written:
        assert done.exit_code == 3, done.notes
        assert not done.path.exists()
        return
    with done.path.open(encoding="utf-8", newline="") as file:
        uuids = [row["giftcard_uuid"] for row in csv.DictReader(file)]
    held = frozenset(uuids)
    assert len(uuids) == len(held) == done.summary["cards"], "a card stands in the file twice"
    assert done.exit_code == (0 if done.agreed else 1)
    if not done.agreed:
        return
    assert done.summary["cards"] == done.summary["total"]
    assert judge.throughout <= held, f"{len(judge.throughout - held)} cards that existed throughout are missing"
    moment = datetime.fromisoformat(done.summary["moment"]).timestamp()  # its milliseconds are cut off
    existed = [then for at, then in judge.counted.items() if -0.0001 < at - moment < 0.0011]
    assert held in existed, "agreed, but not what existed at the moment"


def truth(seeds: int, first: int = 0) -> dict[str, Any]:
    """Export under so many seeds of change; figures, or AssertionError naming the seed."""
    verdicts: Counter[str] = Counter()
    disturbed = 0
    for seed in range(first, first + seeds):
        with tempfile.TemporaryDirectory() as folder:
            done, judge = changing(Path(folder), seed)
            try:
                check(done, judge)
            except (AssertionError, OSError) as error:
                raise AssertionError(f"seed {seed}: {error!r}; {done.summary}") from error
            verdicts[done.summary["verdict"]] += 1
            changed = judge.existing() != judge.throughout or done.summary["vanished"]
            disturbed += bool(changed and done.agreed)
    return {"seeds": seeds, "verdicts": dict(verdicts), "agreed_though_disturbed": disturbed, "wrong": 0}


# --- real processes ----------------------------------------------------------------------------------


@contextmanager
def sandbox(cards: int, latency_ms: int) -> Iterator[dict[str, str]]:
    """A sandbox in a process of its own; the environment that leads to it."""
    command = [sys.executable, "-m", "piggy_batch", "sandbox", "--port", "0", "--giftcards", str(cards)]
    command += ["--contacts", "0", "--latency-ms", str(latency_ms), "--limit-per-minute", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = dict(process.stdout.readline().strip().split("=", 1) for _ in range(2))
        yield os.environ | said | {"PIGGY_STATE_DIR": tempfile.gettempdir()}
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)


def command(to: Path, *more: str) -> list[str]:
    """An export's command line."""
    words = ["giftcards", "export", "--to", str(to), "--rate", "0", "--quiet", *more]
    return [sys.executable, "-m", "piggy_batch", *words]


def state(environment: dict[str, str]) -> Any:
    """What the sandbox counts."""
    return httpx.get(f"{environment['PIGGY_BASE_URL']}/_sandbox/state", trust_env=False).json()


def speed(cards: int, latency_ms: int = 50) -> dict[str, Any]:
    """How much faster ten in flight are than one, quick, in the same run."""
    found: dict[str, Any] = {"cards": cards, "latency_ms": latency_ms}
    with tempfile.TemporaryDirectory() as folder, sandbox(cards, latency_ms) as environment:
        for flight in (10, 1):
            to = Path(folder, f"{flight}.parquet")
            begun = time.perf_counter()
            process = subprocess.Popen(command(to, "--quick", "--concurrency", str(flight)), env=environment)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            found[f"whole_s_{flight}"] = round(time.perf_counter() - begun, 2)
            summary = json.loads(Path(f"{to}.summary.json").read_text())
            assert process.returncode == 0, summary
            assert summary["cards"] == cards
            found[f"s_{flight}"] = summary["elapsed_s"]
            found[f"cpu_s_{flight}"] = round(used.ru_utime + used.ru_stime, 2)
            found[f"peak_mb_{flight}"] = round(used.ru_maxrss / 1024)
    found["ratio"] = round(found["s_1"] / found["s_10"], 2)
    found["cards_per_s"] = round(cards / found["s_10"])
    return found


def kills(cards: int, times: int = KILLS, latency_ms: int = 20) -> dict[str, Any]:
    """Kill an export so many times on its way; its file is that of an undisturbed one."""
    with tempfile.TemporaryDirectory() as folder, sandbox(cards, latency_ms) as environment:
        whole, torn = Path(folder, "whole.csv"), Path(folder, "torn.csv")
        subprocess.run(command(whole), env=environment, check=True, stdout=subprocess.DEVNULL)
        before = state(environment)["requests"]["GET /giftcards"]
        rng, killed, landed = random.Random(1), 0, 0
        pages = Path(f"{torn}.export", "pages.sqlite-wal")
        while killed < times:
            grown = _size(pages)
            process = subprocess.Popen(command(torn, "--concurrency", "4"), env=environment, stdout=subprocess.DEVNULL)
            while process.poll() is None and _size(pages) in (None, grown):
                time.sleep(0.005)
            time.sleep(rng.random() * 0.1)
            if process.poll() is not None:
                raise AssertionError(f"it ended after {killed} kills; take more cards")
            process.kill()
            process.wait()
            killed += 1
            assert not torn.exists()
        subprocess.run(command(torn), env=environment, check=True, stdout=subprocess.DEVNULL)
        landed = state(environment)["requests"]["GET /giftcards"] - before
        rows = [_without_times(path) for path in (whole, torn)]
        assert rows[0] == rows[1], "the file differs from an undisturbed one"
        needed = 2 * -(-cards // 100) + 1
        assert landed <= needed + killed * (4 + 1), f"{landed} page requests where {needed} suffice"
        leftover = [path.name for path in Path(folder).iterdir() if path.name.endswith(".part")]
        assert not leftover
    return {"cards": cards, "kills": killed, "page_requests": landed, "undisturbed": needed, "same": True}


def _size(path: Path) -> int | None:
    """The size of a file that may come and go."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _without_times(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row["read_at"]
    return rows


def prove(scale: float = 1.0) -> dict[str, Any]:
    """All figures; AssertionError where a promise is broken."""
    fast = speed(max(2_000, round(FULL_CARDS * scale)))
    if scale >= 1:
        assert fast["ratio"] >= LEAST_RATIO, fast
    return {
        "speed": fast,
        "truth": truth(max(100, round(FULL_SEEDS * scale))),
        "kills": kills(max(4_000, round(40_000 * scale))),
    }


if __name__ == "__main__":
    print(json.dumps(prove(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0), indent=2))
