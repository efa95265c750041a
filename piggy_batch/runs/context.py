"""Where a command runs that sends, and how it talks to the service: connection, pace, and what is told meanwhile."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from piggy_batch.client.account import account_key
from piggy_batch.client.adaptive_rate import AdaptiveRate
from piggy_batch.client.clock import Clock, StopSignal
from piggy_batch.client.http import HttpClient, TransportFactory, describe_exchange
from piggy_batch.client.rate_limiter import DEFAULT_RATE, Rate, RateLimiter
from piggy_batch.client.session import Session
from piggy_batch.client.shared_rate import SharedRate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from piggy_batch.client.target import Target
    from piggy_batch.models import Answer, Request
    from piggy_batch.runs.progress import ProgressReporter
    from piggy_batch.runs.stopper import Stopper


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How every command that sends talks to the service."""

    rate: Rate = DEFAULT_RATE
    reserve: float = 0.2  # share of the announced budget that a chosen rate leaves to others
    timeout_s: float = 30.0  # for one whole request, answer included
    max_wait_s: float = 1800.0  # how long throttling, maintenance or an outage may keep everybody waiting


@dataclass(frozen=True, slots=True)
class RunContext:
    """Where a command runs: as whom, what is shown, who can be asked, by which clock and way."""

    target: Target
    progress: ProgressReporter
    command: str  # what to type to go on with this run
    program: tuple[str, ...] = ("piggy-batch",)  # how another command begins that meets the same account
    confirm: Callable[[str], bool] | None = None  # None: nobody can be asked
    clock: Clock = field(default_factory=Clock)
    transport: TransportFactory | None = None
    threaded: bool = True  # the journal commits in a thread of its own
    shared_rate_dir: Path | None = None  # where runs of one account share their pace; None: this run paces alone
    registry_dir: Path | None = (
        None  # where once commands are written down; None: runs are seen only where they lie beside
    )
    signals: bool = False  # Ctrl-C and SIGTERM in two stages, where this is the main thread
    stopper: Stopper | None = None  # by which another thread ends the command softly
    limiter: RateLimiter | None = None  # shared, with its stop, by the stages of one command
    on_begin: Callable[[str], None] | None = None  # told the name of a once run before it sends for the first time
    tell_plan: bool = True  # say the plan when rows are about to be sent
    verbose: bool = False  # tell each request


def open_session(options: ConnectionOptions, context: RunContext) -> Session:
    """A session with the context's service; whoever opens it closes ``session.client`` with ``async with``."""
    limiter = context.limiter or make_rate_limiter(options.rate, options.reserve, context.clock, StopSignal())
    return Session(
        client=open_client(context, options.timeout_s, limiter),
        limiter=limiter,
        clock=context.clock,
        stop=limiter.stop,
        max_wait_s=options.max_wait_s,
        notify=context.progress.say,
        on_wait=context.progress.waits,
    )


def open_client(context: RunContext, timeout_s: float, limiter: RateLimiter) -> HttpClient:
    """The context's service, which tells the limiter each departure; with ``verbose`` a line for each request."""

    def tell(request: Request, answer: Answer, elapsed_s: float) -> None:
        if context.verbose:
            context.progress.say(describe_exchange(request, answer, elapsed_s))

    return HttpClient(
        context.target,
        timeout_s=timeout_s,
        transport=context.transport,
        wall=context.clock.wall,
        on_sent=limiter.on_sent,
        on_response=tell,
        on_stall=lambda seconds: context.progress.say(
            f"this program stood still for {seconds:.0f} s or more (stopped, or the machine slept); it goes on, and "
            "what came meanwhile counts"
        ),
    )


def make_rate_limiter(rate: Rate, reserve: float, clock: Clock, stop: StopSignal) -> RateLimiter:
    """What keeps the rate: a fixed one, or one that follows what the service shows."""
    if rate.auto:
        return RateLimiter(0.0, clock, stop, adaptive_rate=AdaptiveRate(reserve=reserve))
    return RateLimiter(rate.per_second, clock, stop)


@contextmanager
def shared_pace(context: RunContext, session: Session, account: dict[str, Any], name: str) -> Iterator[None]:
    """Share the pace with other runs of the account on this machine while the block lasts."""
    if context.shared_rate_dir is None:
        yield
        return
    shared = SharedRate(context.shared_rate_dir, account_key(account, context.target.token), name)
    if not shared.usable:
        session.notify(f"{shared.path} cannot be opened: other runs on this machine are not seen, this one paces alone")
    session.limiter.share(shared, session.notify)
    try:
        yield
    finally:
        shared.leave()
