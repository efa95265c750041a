"""Imports at full size: every effect once, memory flat, twenty times ``kill -9``, every fault, every crash point."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

from piggy_batch.endpoints import CATALOGUE, find_operation
from piggy_batch.models import Repeat
from piggy_batch.sandbox import FAULT_KINDS, Fault
from tests.importing.test_crashes import MOST_STEPS, killed_at
from tests.importing.test_true_words import FATES, LATE_S, play
from tests.prove.service import Service, command, finished, killed, measured, sandbox
from tests.support.world import World, audit, working_rows

ROWS = 100_000  # sent at scale 1
DRY_ROWS = 1_000_000  # checked at scale 1
KILLS = 20
MOST_BYTES = 250 << 20


def prove(scale: float) -> dict[str, Any]:
    """Figures of every part, and ``ok`` where all hold."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for part in (_bulk, _dry_run, _kills, _faults, _words, _crashes):
            home = Path(folder) / part.__name__
            home.mkdir()
            figures.update(part(home, scale))
    figures["effects_lost"] = sum(n for name, n in figures.items() if name.endswith("_lost"))
    figures["effects_doubled"] = sum(n for name, n in figures.items() if name.endswith("_doubled"))
    figures["false_words"] = sum(n for name, n in figures.items() if name.endswith("_false_words"))
    held = figures["bulk_peak_rss_bytes"] < MOST_BYTES and figures["dry_run_peak_rss_bytes"] < MOST_BYTES
    sound = not figures["effects_lost"] and not figures["effects_doubled"] and not figures["false_words"]
    figures["ok"] = bool(held and sound and figures["counts_add_up"])
    return figures


def _cards(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("contact_identifier_value,contact_identifier_name\n")
        file.writelines(f"{n:012d},Card {n}\n" for n in range(rows))


def _bulk(folder: Path, scale: float) -> dict[str, Any]:
    """So many cards through a sandbox process, without a rate limit."""
    rows = max(200, int(ROWS * scale))
    _cards(folder / "cards.csv", rows)
    run_dir = folder / "cards.identifiers-create"
    with sandbox() as service:
        words = command("identifiers", "create", "cards.csv", "--rate", "0", "--no-progress", "--yes")
        run = measured(folder, service, words)
        state = service.state()
        summary = finished(folder, service, words, run_dir)
    effects = state["effects"].get("identifiers.create", 0)
    return {
        "bulk_rows": rows,
        "bulk_rows_per_s": round(rows / max(0.001, summary["elapsed_s"])),
        "bulk_peak_rss_bytes": run["peak_rss_bytes"],
        "bulk_lost": rows - effects if run["exit_code"] == 0 else rows,
        "bulk_doubled": max(0, state["max_per_key"].get("identifiers.create", 0) - 1),
        "counts_add_up": summary["rows"] == rows == sum(summary["counts"].values()) == summary["counts"]["done"],
    }


def _dry_run(folder: Path, scale: float) -> dict[str, Any]:
    """So many rows checked, nothing sent."""
    rows = max(1000, int(DRY_ROWS * scale))
    _cards(folder / "cards.csv", rows)
    with sandbox() as service:
        run = measured(folder, service, command("identifiers", "create", "cards.csv", "--dry-run"))
        state = service.state()
    ok = run["exit_code"] == 0 and not state["effects"]
    peak = run["peak_rss_bytes"]
    return {"dry_run_rows": rows, "dry_run_peak_rss_bytes": peak, "dry_run_lost": 0 if ok else rows}


def _kills(folder: Path, scale: float) -> dict[str, Any]:
    """``kill -9`` at random moments, then to the end, for a guarded and for a once command."""
    rows, kills = max(200, int(20_000 * scale)), max(1, round(KILLS * min(1.0, scale * 10)))
    figures: dict[str, Any] = {"kill_rows": 2 * rows, "kills": 0, "kill_lost": 0, "kill_doubled": 0, "kill_unknown": 0}
    with sandbox() as service:
        _kill_identifiers(folder, service, rows, kills, figures)
        _kill_giftcards(folder, service, rows, kills, figures)
    return figures


def _again_and_again(folder: Path, service: Service, words: list[str], kills: int, figures: dict[str, Any]) -> None:
    rng = random.Random(kills)
    for _ in range(kills):
        figures["kills"] += killed(folder, service, words, rng, 2.0)


def _kill_identifiers(folder: Path, service: Service, rows: int, kills: int, figures: dict[str, Any]) -> None:
    _cards(folder / "cards.csv", rows)
    words = command("identifiers", "create", "cards.csv", "--rate", str(rows // (kills + 1)), "--no-progress", "--yes")
    _again_and_again(folder, service, words, kills, figures)
    summary = finished(folder, service, [*words, "--rate", "0"], folder / "cards.identifiers-create")
    state = service.state()
    good = summary["counts"]["done"] + summary["counts"]["already"]
    figures["kill_lost"] += rows - min(good, state["effects"].get("identifiers.create", 0))
    figures["kill_doubled"] += max(0, state["max_per_key"].get("identifiers.create", 0) - 1)


def _kill_giftcards(folder: Path, service: Service, rows: int, kills: int, figures: dict[str, Any]) -> None:
    programs = Service(service.url, service.token)
    uuid = _first_program(programs)
    (folder / "gifts.csv").write_text("giftcard_program_uuid,to\n" + "".join(f"{uuid},{n}\n" for n in range(rows)))
    rate = str(rows // (kills + 1))
    words = command("giftcards", "create", "gifts.csv", "--rate", rate, "--no-progress", "--yes", "--no-baseline")
    before = service.state()["giftcards"]
    _again_and_again(folder, service, words, kills, figures)
    summary = finished(folder, service, [*words, "--rate", "0"], folder / "gifts.giftcards-create")
    made = service.state()["giftcards"] - before
    done, unknown = summary["counts"]["done"], summary["counts"]["unknown"]
    figures["kill_unknown"] += unknown
    figures["kill_lost"] += rows - done - unknown + max(0, done - made)
    figures["kill_doubled"] += max(0, made - done - unknown)


def _first_program(service: Service) -> str:
    import json
    import urllib.request

    request = urllib.request.Request(
        f"{service.url}/api/v3/oauth/clients/giftcard-programs", headers={"Authorization": f"Bearer {service.token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        programs = json.load(answer)["data"]
    return str(programs[0]["uuid"])


def _faults(folder: Path, scale: float) -> dict[str, Any]:
    """Every fault on every operation; the sandbox's own count judges."""
    operations, kinds = (CATALOGUE, [*FAULT_KINDS]) if scale >= 0.1 else (CATALOGUE[:2], [*FAULT_KINDS][::4])
    lost = doubled = tried = false_words = 0
    for operation in operations:
        for kind in kinds:
            home = folder / f"{operation.slug}-{kind}"
            home.mkdir()
            world = World(home)
            fault = Fault(kind, after_n=3, times=1, size=34_000_000) if kind == "huge" else Fault(kind, 0.5, after_n=1)
            path = world.manifest(*working_rows(world, operation, 4))
            world.sandbox.plan(fault)
            result = world.run(operation, path, attempts=3, max_wait_s=300.0)
            world.sandbox.clear_faults()
            result = world.run(operation, path)
            counts = audit(result.run_dir, 4)
            tried += 1
            doubled += max(0, max(world.state["max_per_key"].values(), default=0) - 1)
            if operation.repeat is not Repeat.SAFE:
                lost += max(0, counts.get("done", 0) - world.effects)
                false_words += _false_words(world, counts)
    return {
        "fault_false_words": false_words,
        "faults_tried": len(kinds),
        "operations_tried": len(operations),
        "pairs_tried": tried,
        "fault_lost": lost,
        "fault_doubled": doubled,
    }


def _false_words(world: World, counts: dict[str, int]) -> int:
    """Rows that were carried out and are called refused, failed or pending, or the other way round."""
    done, unknown = counts.get("done", 0), counts.get("unknown", 0)
    return max(0, world.effects - done - unknown) + max(0, done - world.effects)


def _words(folder: Path, scale: float) -> dict[str, Any]:
    """Every write in two invocations of drawn losses, refusals, late and false answers, and then a sound one."""
    draws, rng = max(2, round(300 * scale)), random.Random(1)
    tried = false_words = doubled = 0
    for operation in (o for o in CATALOGUE if o.repeat is not Repeat.SAFE):
        for draw in range(draws):
            home = folder / f"{operation.slug}-{draw}"
            home.mkdir()
            world = World(home)
            path = world.manifest(*working_rows(world, operation, 2))
            for misfortunes in (rng.randrange(8), rng.randrange(8), 0):
                play(world, [(rng.choice(FATES), rng.choice(LATE_S)) for _ in range(misfortunes)])
                result = world.run(operation, path, concurrency=1, attempts=3, max_wait_s=300.0)
                tried += 1
                false_words += _false_words(world, audit(result.run_dir, 2))
            doubled += max(0, max(world.state["max_per_key"].values(), default=0) - 1)
    return {"words_tried": tried, "words_false_words": false_words, "words_doubled": doubled}


def _crashes(folder: Path, scale: float) -> dict[str, Any]:
    """A crash at every step of a row's way, for one operation of each kind."""
    names = ("identifiers find", "identifiers create", "identifiers delete", "giftcards create")
    points = lost = doubled = 0
    for operation in map(find_operation, names if scale >= 0.1 else names[1:2]):
        for at in range(1, MOST_STEPS):
            home = folder / f"{operation.slug}-{at}"
            home.mkdir()
            world = World(home)
            path = world.manifest(*working_rows(world, operation, 3))
            steps = killed_at(world, operation, path, at, 2)
            counts = audit(world.run(operation, path).run_dir, 3)
            if operation.repeat is not Repeat.SAFE:
                good = counts.get("done", 0) + counts.get("already", 0)
                lost += max(0, good - world.effects) + 3 - good - counts.get("unknown", 0)
                doubled += max(0, world.effects - 3)
            if steps < at:
                break
            points += 1
    return {"crash_points": points, "crash_lost": lost, "crash_doubled": doubled}
