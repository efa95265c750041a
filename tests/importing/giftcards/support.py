"""Cards made in a world, and what reconcile makes of rows whose answers were lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from piggy_batch.importing.giftcards.reconcile import ReconcileOptions, reconcile
from piggy_batch.importing.options import RunResult
from piggy_batch.runs.generated_manifest import counted_manifest
from piggy_batch.sandbox import Fault
from tests.support.world import World, connection, in_virtual_time, read_csv

POST = {"method": "POST", "path": "giftcards"}


def program(world: World, number: int = 1) -> str:
    """The uuid of a program; 1 expires, as the sandbox's programs do unless a test says otherwise."""
    return str(world.sandbox.world.cards.programs[number].uuid)


def lose(world: World, kind: str = "reset-after", **when: Any) -> None:
    """Answers to create are lost from now on; by default after the card was made."""
    world.sandbox.plan(Fault(kind, **(POST | when)))


def made(world: World) -> list[str]:
    """The uuids of the cards that the API has made."""
    return list(world.times("giftcards.create"))


def create(world: World, count: int = 5, *, baseline: bool = True, **given: Any) -> RunResult:
    """``giftcards create --count``, in ``batch`` unless ``run_dir`` says otherwise."""
    run_dir: Path = given.pop("run_dir", world.folder / "batch")
    constants = {"giftcard_program_uuid": program(world)} | given.pop("constants", {})
    return world.run(
        "giftcards create",
        counted_manifest(run_dir, count),
        run_dir=run_dir,
        constants=constants,
        baseline=baseline,
        context=given.pop("context", {}),
        **given,
    )


def create_from(world: World, manifest: Path, *, baseline: bool = True, **given: Any) -> RunResult:
    """``giftcards create MANIFEST``."""
    return world.run("giftcards create", manifest, baseline=baseline, **given)


def settle(world: World, run: RunResult | Path, *, token: str = "sandbox", **terms: Any) -> RunResult:
    """``giftcards reconcile``, at once unless ``settle_after_s`` says otherwise."""
    run_dir = run if isinstance(run, Path) else run.run_dir
    given = {"rate": 0.0, "settle_after_s": 0.0} | terms
    return in_virtual_time(
        reconcile(run_dir, ReconcileOptions(connection=connection(given), **given), world.context(token)), world.time
    )


def candidates(result: RunResult) -> list[dict[str, str]]:
    """What is listed for a person."""
    return read_csv(result.run_dir / "candidates.csv")
