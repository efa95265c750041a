"""Runs of one account on one machine share one pace, without a daemon."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from piggy_batch.client.clock import Clock, StopSignal
from piggy_batch.client.rate_limiter import Rate, RateLimiter
from piggy_batch.client.shared_rate import FRESH_S, LEASE_S, SharedRate
from piggy_batch.runs.context import make_rate_limiter
from piggy_batch.runs.registry import state_dir
from tests.support.processes import TOKEN, Service, finish, manifest, serving, start
from tests.support.world import World, in_virtual_time

ACCOUNT = "http://sandbox.test account-1"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Callable[..., SharedRate]]:
    """Opens books of one account; closed at the end."""
    opened: list[SharedRate] = []

    def open_book(name: str, account: str = ACCOUNT) -> SharedRate:
        book = SharedRate(tmp_path, account, name)
        opened.append(book)
        return book

    yield open_book
    for book in opened:
        book.leave()


def leave_times(book: SharedRate, rate: float, now: float, count: int) -> list[float]:
    """When a run would send, if it waited as the pacer does."""
    found = []
    for _ in range(count):
        slot = book.reserve(rate, now)
        now = max(now, slot)
        while (earliest := book.depart(rate, now)) > now:
            now = earliest
        found.append(now)
    return found


def test_a_run_that_was_killed_is_no_neighbour(books: Callable[..., SharedRate]) -> None:
    """Its process is gone, so it is forgotten at once; in another container nobody can tell, so it ages away."""
    book = books("own")
    book.look(5.0, 100.0)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    content = json.loads(book.path.read_text())
    (entry,) = content["runs"].values()
    for key, namespace in (
        (f"{gone.pid}-killed", entry["namespace"]),
        (f"{gone.pid}-elsewhere", "pid:[1]"),
        (f"{os.getpid()}-alive", entry["namespace"]),
        ("no number", entry["namespace"]),
    ):
        content["runs"][key] = {"name": key, "rate": 1.0, "seen": 100.0, "namespace": namespace}
    book.path.write_text(json.dumps(content))
    book.look(5.0, 102.0)
    assert {n.name for n in book.neighbours} == {f"{gone.pid}-elsewhere", f"{os.getpid()}-alive", "no number"}


# --- the book ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", [(10.0, 2.0), (7.0, 7.0), (5.0, 0.0), (9.0, 3.0, 30.0)], ids=str)
def test_the_smallest_rate_holds_for_all(tmp_path: Path, rates: tuple[float, ...]) -> None:
    """All pairs of departures of all runs together, once each has seen the others."""
    times: list[float] = []

    async def one(number: int, rate: float) -> None:
        limiter = RateLimiter(rate, Clock(fine=False), StopSignal())
        limiter.share(SharedRate(tmp_path, ACCOUNT, f"run {number}"), lambda _: None)
        await asyncio.sleep(0.01 * number)
        for _ in range(12):
            assert await limiter.acquire()
            times.append(limiter.clock.now())

    async def together() -> None:
        await asyncio.gather(*(one(number, rate) for number, rate in enumerate(rates)))

    in_virtual_time(together())
    least = min(rate for rate in rates if rate)
    met = times[len(rates) :]
    for i, first in enumerate(met):
        for j in range(i + 1, len(met)):
            assert j - i <= least * (met[j] - first) + 1e-6


def test_a_run_alone_keeps_its_own_rate(books: Callable[..., SharedRate]) -> None:
    """Once the other has left."""
    fast, slow = books("fast"), books("slow")
    slow.look(2.0, 0.0)
    fast.look(10.0, 0.0)
    assert fast.shared_rate(10.0) == 2.0
    slow.leave()
    times = leave_times(fast, 10.0, 5.0, 5)
    assert times == pytest.approx([5.0, 5.1, 5.2, 5.3, 5.4])


def test_a_run_alone_writes_now_and_then_and_a_newcomer_keeps_away(books: Callable[..., SharedRate]) -> None:
    """Alone a run takes the account for a quarter of a second; whoever comes then leaves after it, and the first
    run gives way as soon as it has seen the other."""
    first, second = books("first"), books("second")
    assert leave_times(first, 20.0, 10.0, 1) == [10.0]
    stamp = first.path.read_bytes()
    assert [first.depart(20.0, at) for at in (10.05, 10.1)] == [10.05, 10.1]
    assert first.path.read_bytes() == stamp
    second.look(20.0, 10.11)
    came = second.depart(20.0, 10.12)
    assert came == pytest.approx(10.0 + LEASE_S + 1 / 20)
    assert first.holds(10.2)
    assert first.depart(20.0, 10.27) == 10.27  # the lease is over; the last departure was its own, at 10.1
    assert not first.holds(10.28)
    assert second.depart(20.0, came) == pytest.approx(10.27 + 1 / 20)


def test_a_run_that_has_ended_leaves_no_lease_behind(books: Callable[..., SharedRate]) -> None:
    """The next command waits for the last departure only."""
    first, second = books("first"), books("second")
    assert leave_times(first, 20.0, 10.0, 2) == pytest.approx([10.0, 10.05])
    first.leave()
    assert second.depart(20.0, 10.06) == pytest.approx(10.1)


def test_a_run_that_died_is_forgotten(books: Callable[..., SharedRate]) -> None:
    """After some seconds without a sign; until then its rate holds."""
    fast, dead = books("fast"), books("dead")
    dead.look(1.0, 100.0)
    fast.look(10.0, 100.0 + FRESH_S - 1)
    assert fast.shared_rate(10.0) == 1.0
    fast.look(10.0, 100.0 + FRESH_S + 1)
    assert fast.shared_rate(10.0) == 10.0
    assert fast.neighbours == ()


def test_a_run_without_a_limit_is_free_again_when_the_other_is_gone(tmp_path: Path) -> None:
    """One that was killed is forgotten in the middle of a wait."""

    async def work() -> list[float]:
        SharedRate(tmp_path, ACCOUNT, "killed").look(2.0, 0.0)
        limiter = RateLimiter(0, Clock(fine=False), StopSignal())
        limiter.share(SharedRate(tmp_path, ACCOUNT, "free"), lambda _: None)
        times = []
        for _ in range(60):
            assert await limiter.acquire()
            limiter.on_sent()
            times.append(limiter.clock.now())
        return times

    times = in_virtual_time(work())
    assert times[5] == pytest.approx(2.5)
    assert FRESH_S - 1 < times[-1] < FRESH_S + 3


def test_each_is_told_of_the_other_by_name(tmp_path: Path) -> None:
    """And of its rate, and when it has gone."""
    said: dict[str, list[str]] = {"a.create": [], "b.load": []}

    async def work() -> None:
        pacers = {}
        for name, rate in (("a.create", 10.0), ("b.load", 4.0)):
            limiter = RateLimiter(rate, Clock(fine=False), StopSignal())
            limiter.share(SharedRate(tmp_path, ACCOUNT, name), said[name].append)
            pacers[name] = limiter
        for _ in range(6):
            for limiter in pacers.values():
                await limiter.acquire()
        pacers["b.load"]._book.leave()  # type: ignore[union-attr]
        for _ in range(12):
            await pacers["a.create"].acquire()
        pacers["a.create"]._book.leave()  # type: ignore[union-attr]

    in_virtual_time(work())
    assert "this account is also worked on by b.load (rate 4)" in said["a.create"][0]
    assert "together these runs keep to the smallest rate, now 4 a second" in said["a.create"][0]
    assert "this account is also worked on by a.create (rate 10)" in said["b.load"][0]
    assert said["a.create"][-1] == "no other run works on this account any more; the whole rate is this run's"


def test_accounts_do_not_share(books: Callable[..., SharedRate]) -> None:
    """Another account, another file."""
    one, two = books("one"), books("two", "http://sandbox.test account-2")
    assert one.path != two.path
    one.look(1.0, 0.0)
    two.look(9.0, 0.0)
    assert two.neighbours == ()


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00" * 600,
        b"{",
        b"[1, 2]",
        b"null",
        b'"text"',
        b"[" * 60_000,
        b'{"runs": []}',
        b'{"runs": {"x": 1}}',
        b'{"runs": {"x": {"name": "n", "rate": "fast", "seen": 100.0}}}',
        b'{"runs": {"x": {"name": "n", "rate": -1, "seen": 100.0}}}',
        b'{"runs": {"x": {"name": "n", "rate": NaN, "seen": 100.0}}}',
        b'{"runs": {"x": {"name": 7, "rate": 1, "seen": 100.0}}}',
        b'{"runs": {"x": {"name": "n", "rate": 1}}}',
        b'{"last": "soon", "next": {}}',
        b'{"last": NaN, "next": Infinity}',
        b'{"last": 3000.0, "next": 3500.0}',
        b'{"last": true, "next": null}',
        '{"runs": "\u00e9"}'.encode("latin-1"),
        b"x" * 200_000,
    ],
)
def test_garbage_in_the_file_stops_nobody(books: Callable[..., SharedRate], garbage: bytes) -> None:
    """What makes no sense counts for nothing: no crash, no long wait; the file makes sense again."""
    book = books("one")
    book.path.write_bytes(garbage)
    times = leave_times(book, 10.0, 100.0, 5)
    assert times == pytest.approx([100.0, 100.1, 100.2, 100.3, 100.4])
    assert book.neighbours == ()
    other = books("two")
    other.look(5.0, 100.5)
    assert [n.name for n in other.neighbours] == ["one"]


def test_a_file_from_before_a_restart_of_the_machine_holds_nobody_up(books: Callable[..., SharedRate]) -> None:
    """The clock began anew: a next turn half an hour ahead is none."""
    book = books("one")
    runs = {"9-x": {"name": "ghost", "rate": 5.0, "seen": 2000.0}}
    book.path.write_text(json.dumps({"last": 1999.8, "next": 2000.2, "runs": runs}))
    assert leave_times(book, 5.0, 60.0, 2) == pytest.approx([60.0, 60.2])


def test_the_file_holds_no_token_and_is_private(books: Callable[..., SharedRate], tmp_path: Path) -> None:
    """Names and rates only; mode 0600."""
    book = books("one", f"http://sandbox.test {TOKEN}")
    book.look(5.0, 1.0)
    assert TOKEN.encode() not in book.path.read_bytes()
    assert TOKEN not in book.path.name
    assert book.path.stat().st_mode & 0o777 == 0o600


def test_a_lock_that_somebody_sits_on_holds_nobody_up(books: Callable[..., SharedRate]) -> None:
    """As a stopped process may: this run paces alone."""
    book = books("one")
    with book.path.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        begun = time.monotonic()
        assert book.reserve(5.0, 10.0) == 10.0
        assert time.monotonic() - begun < 5
    book.look(5.0, 12.0)
    assert book.usable


def test_a_link_in_the_files_place_is_not_followed(tmp_path: Path) -> None:
    """Nor is anything written through it."""
    book = SharedRate(tmp_path, ACCOUNT, "one")
    book.leave()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    book.path.unlink()
    book.path.symlink_to(victim)
    assert not SharedRate(tmp_path, ACCOUNT, "one").usable
    assert victim.read_text() == "mine"


def test_a_directory_that_is_not_there_means_pacing_alone(tmp_path: Path) -> None:
    """Said once; the run goes on at its own rate."""
    world = World(tmp_path)
    names = world.manifest("contact_identifier_value", [f"NEW-{n}" for n in range(4)])
    result = world.run(
        "identifiers create", names, rate=5.0, context={"shared_rate_dir": tmp_path / "nowhere" / "at" / "all"}
    )
    assert result.exit_code == 0
    assert any("cannot be opened: other runs on this machine are not seen" in line for line in world.said.lines)
    assert len(world.departures) == 5


def test_runs_of_an_account_without_a_name_meet_too(tmp_path: Path) -> None:
    """Each fingerprints the token with a salt of its own; the slot file is one, and its name tells nothing."""
    world = World(tmp_path, ping_fields=("company",))
    slots = tmp_path / "slots"
    slots.mkdir()
    for name in ("a", "b"):
        names = world.manifest("contact_identifier_value", [f"{name}-1"], f"{name}.csv")
        assert world.run("identifiers create", names, context={"shared_rate_dir": slots}).exit_code == 0
    assert len(list(slots.iterdir())) == 1


def test_a_rate_chosen_by_the_service_shares_too(tmp_path: Path) -> None:
    """--rate auto beside a fixed 2: together 2."""

    async def work() -> None:
        stop = StopSignal()
        auto = make_rate_limiter(Rate(auto=True), 0.2, Clock(fine=False), stop)
        fixed = RateLimiter(2.0, Clock(fine=False), stop)
        auto.share(SharedRate(tmp_path, ACCOUNT, "auto"), lambda _: None)
        fixed.share(SharedRate(tmp_path, ACCOUNT, "fixed"), lambda _: None)
        for _ in range(3):
            await fixed.acquire()
            await auto.acquire()
        assert auto.rate == fixed.rate == 2.0

    in_virtual_time(work())


# --- where the file is ---------------------------------------------------------------------------------


def test_the_state_directory_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_STATE_HOME first, then the home; private."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_dir() == tmp_path / "xdg" / "piggy-batch"
    assert state_dir().stat().st_mode & 0o777 == 0o700
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_dir() == tmp_path / ".local" / "state" / "piggy-batch"


def test_a_state_directory_that_cannot_be_written_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in its place, as read-only media would behave: the home, then the temporary directory."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_dir() == tmp_path / ".local" / "state" / "piggy-batch"


# --- real processes ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A real port; answers take 5 ms."""
    with serving("--contacts", "1", "--giftcards", "1", "--latency-ms", "5") as found:
        yield found


def most_in_a_second(times: list[float]) -> int:
    """The most arrivals in any second."""
    return max(sum(first <= at < first + 1.0 for at in times) for first in times)


@pytest.mark.process
def test_two_processes_keep_to_the_smaller_rate_together(service: Service, tmp_path: Path) -> None:
    """60 and 15 a second, judged by when requests came; one of them has no HOME; each is told of the other."""
    routes = ("POST /contact-identifiers", "GET /contact-identifiers/find")
    slow_list, fast_list = manifest(tmp_path / "slow.csv", "SLOW", 40), manifest(tmp_path / "fast.csv", "FAST", 40)
    slow = start(service, tmp_path, "identifiers", "create", slow_list, "--rate", "15")
    fast = start(service, tmp_path, "identifiers", "find", fast_list, "--rate", "60", HOME=None)
    (slow_code, _, slow_said), (fast_code, _, fast_said) = finish(slow), finish(fast)
    assert (slow_code, fast_code) == (0, 0)
    assert "fast.identifiers-find (rate 60)" in slow_said
    assert "slow.identifiers-create (rate 15)" in fast_said
    assert "keep to the smallest rate, now 15 a second" in (tmp_path / "fast.identifiers-find/run.log").read_text()
    ways = [service.arrivals(route)[-40:] for route in routes]
    begun, ended = max(times[0] for times in ways), min(times[-1] for times in ways)
    both = sorted(at for times in ways for at in times if begun < at < ended)
    assert len(both) > 10
    assert most_in_a_second(both) <= 15 + 2
    state = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert state
    assert TOKEN.encode() not in state


@pytest.mark.process
def test_three_processes_and_the_death_of_one(service: Service, tmp_path: Path) -> None:
    """20 a second among three; one is killed, the others go on, and everything is done once."""
    before = len(service.arrivals("POST /contact-identifiers"))
    runs = [
        start(
            service,
            tmp_path,
            *("identifiers", "create", manifest(tmp_path / f"{name}.csv", f"THREE{name}", 35), "--rate", "20"),
        )
        for name in "abc"
    ]
    deadline = time.monotonic() + 30
    while len(service.arrivals("POST /contact-identifiers")) < before + 20:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    runs[2].kill()
    finish(runs[2])
    ended = [finish(run) for run in runs[:2]]
    assert [code for code, _, _ in ended] == [0, 0]
    times = service.arrivals("POST /contact-identifiers")[before:]
    assert 70 <= len(times) <= 105
    met = times[5:]
    assert most_in_a_second(met) <= 20 + 3
    assert "this account is also worked on by " in ended[0][2] + ended[1][2]
    assert service.ask("state")["max_per_key"]["identifiers.create"] == 1


@pytest.mark.process
@pytest.mark.skipif(os.getuid() == 0, reason="nothing is read-only to the superuser")
def test_a_read_only_state_directory_is_survived(service: Service, tmp_path: Path) -> None:
    """The run goes on, alone or in another directory of the user's."""
    (tmp_path / "state").mkdir(mode=0o500)
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    code, _, said = finish(
        start(service, tmp_path, "identifiers", "create", manifest(tmp_path / "m.csv", "RO", 2), HOME=str(home))
    )
    assert code == 0, said
