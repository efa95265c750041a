"""The machine behind every command that sends: what it was asked for, where it runs, at which pace, how it is
stopped, how it ended."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from piggy_batch.client.account import FINGERPRINT
from piggy_batch.client.adaptive_rate import AdaptiveRate
from piggy_batch.client.clock import Clock, StopSignal
from piggy_batch.client.http import HttpClient, Transport
from piggy_batch.client.rate_limiter import RateLimiter
from piggy_batch.client.session import Session
from piggy_batch.client.shared_rate import SharedRate
from piggy_batch.client.telling import TellingApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from piggy_batch.client.target import Target
    from piggy_batch.importing.options import ImportOptions
    from piggy_batch.manifest.binding import Binding
    from piggy_batch.runs.journal import Journal
    from piggy_batch.runs.progress import Progress


class Listed(Protocol):
    """How a baseline ended."""

    @property
    def exit_code(self) -> int:
        """As that of an export."""

    @property
    def written(self) -> bool:
        """Whether the baseline is there."""

    @property
    def agreed(self) -> bool:
        """Whether it is proven complete."""

    @property
    def notes(self) -> tuple[str, ...]:
        """For a person."""

    @property
    def summary(self) -> dict[str, Any]:
        """As that of an export; ``requests`` says how many it took."""


class Baseline(Protocol):
    """Lists what is there before a run's first request."""

    async def __call__(self, journal: Journal, binding: Binding, options: ImportOptions, scene: RunContext) -> Listed:
        """Write the listing into the journal's directory."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Where a command runs: as whom, what is shown, who can be asked, by which clock and way."""

    target: Target
    progress: Progress
    command: str  # what to type to go on with this run
    confirm: Callable[[str], bool] | None = None  # None: nobody can be asked
    clock: Clock = field(default_factory=Clock)
    transport: Transport | None = None
    threaded: bool = True  # the journal commits in a thread of its own
    slots: Path | None = None  # where runs of one account share their pace; None: this run paces alone
    records: Path | None = None  # where once commands are written down; None: runs are seen only where they lie beside
    signals: bool = False  # Ctrl-C and SIGTERM in two stages
    pacer: RateLimiter | None = None  # shared, with its stop, by the stages of one command
    tell_plan: bool = True  # say the plan when rows are about to be sent
    baseline: Baseline | None = None  # records what is there before a run's first request
    verbose: bool = False  # tell each request


def open_courier(options: ImportOptions, scene: RunContext) -> Session:
    """A courier to the scene's service; whoever opens it closes ``courier.api`` with ``async with``."""
    pacer = scene.pacer or make_pacer(options.rate, options.reserve, scene.clock, StopSignal())
    return Session(
        api=open_api(scene, options.timeout_s, pacer),
        pacer=pacer,
        clock=scene.clock,
        stop=pacer.stop,
        max_wait_s=options.max_wait_s,
        notify=scene.progress.say,
    )


def open_api(scene: RunContext, timeout_s: float, pacer: RateLimiter) -> HttpClient:
    """The scene's service, which tells the pacer each departure; with ``verbose`` each request is told."""
    make = partial(TellingApi, tell=scene.progress.say) if scene.verbose else HttpClient
    return make(
        scene.target,
        timeout_s=timeout_s,
        transport=scene.transport,
        wall=scene.clock.wall,
        departs=pacer.departs,
    )


def make_pacer(rate: float | None, reserve: float, clock: Clock, stop: StopSignal) -> RateLimiter:
    """The pacer for ``--rate``: a number, or None for a rate that is chosen by what the service shows."""
    if rate is None:
        return RateLimiter(0.0, clock, stop, governor=AdaptiveRate(reserve=reserve))
    return RateLimiter(rate, clock, stop)


@contextmanager
def shared_pace(scene: RunContext, courier: Session, account: dict[str, Any], name: str) -> Iterator[None]:
    """Share the pace with other runs of the account on this machine while the block lasts."""
    if scene.slots is None:
        yield
        return
    book = SharedRate(scene.slots, f"{scene.target.base_url} {_meeting_point(account, scene.target)}", name)
    if not book.usable:
        courier.notify(f"{book.path} cannot be opened: other runs on this machine are not seen, this one paces alone")
    courier.pacer.share(book, courier.notify)
    try:
        yield
    finally:
        book.leave()


def _meeting_point(account: dict[str, Any], target: Target) -> str:
    """What all runs of an account call it. Where it names itself not, each run has salted its fingerprint with a
    salt of its own; the slot file's name needs one that they share, and holds only a hash of it."""
    identity = str(account["id"])
    if not identity.startswith(FINGERPRINT):
        return identity
    return hashlib.pbkdf2_hmac("sha256", target.token.encode(), target.base_url.encode(), 100_000).hex()


def rate_text(rate: float | None) -> str:
    """A rate as it is typed."""
    return "auto" if rate is None else f"{rate:g}"


def rate_words(rate: float | None, reserve: float) -> str:
    """A rate in words, for plans."""
    if rate is None:
        return f"chosen by what the service shows, {reserve:.0%} of its budget left to others"
    return f"{rate:g} a second" if rate else "no limit"
