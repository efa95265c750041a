"""20,000 cards of 12,000 customers, migrated under faults, killed twice, tills at work meanwhile; signed off; undone.

``prove(scale)`` runs the program's own commands against a sandbox on a port. The judge is the sandbox's state: what
the account holds afterwards, what each change was counted, what it holds once the way back was taken.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

CARDS = 20_000
CUSTOMERS = 12_000
KILLS = 2
LOST = "reset-after:0.05"  # answers lost after the service has acted
RESETS = "reset-before:0.01"  # connections reset before it has
PROGRAM = [sys.executable, "-m", "piggy_batch"]
COLUMNS = ("contact_identifier_value", "email", "contact_identifier_name", "contact_identifier_active", "credits")
PATIENCE_S = 1800.0


@dataclass
class Account:
    """A sandbox on a port of its own, and its admin routes."""

    process: subprocess.Popen[str]
    url: str

    def admin(self, path: str, body: Any = None, method: str | None = None) -> str:
        """What an admin route answers."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/_sandbox/{path}", data=data, method=method)
        with urlopen(request, timeout=60) as answer:
            text: str = answer.read().decode()
        return text

    def state(self) -> Any:
        """Counts of what it holds and of every effect."""
        return json.loads(self.admin("state"))

    def rows(self, kind: str) -> list[Any]:
        """Everything of one kind."""
        return [json.loads(line) for line in self.admin(kind).splitlines()]

    def cards(self) -> dict[str, tuple[str, bool, str | None]]:
        """By value: name, whether active, and the holder's e-mail address."""
        mails = {row["uuid"]: row["email"] for row in self.rows("contacts")}
        return {
            row["value"]: (row["name"], row["active"], mails.get(row["contact_uuid"]))
            for row in self.rows("identifiers")
        }


@contextlib.contextmanager
def account(seed: int, *faults: str) -> Iterator[Account]:
    """A sandbox that misbehaves so, for as long as the block lasts."""
    words = [*PROGRAM, "sandbox", "--port", "0", "--contacts", "0", "--giftcards", "0", "--latency-ms", "0"]
    words += ["--limit-per-minute", "0", "--seed", str(seed)]
    for fault in faults:
        words += ["--fault", fault]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Account(process, process.stdout.readline().strip().partition("=")[2])
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@dataclass
class Plan:
    """The shop's list, and what the account holds before."""

    rows: list[tuple[str, str, str, str, str]]
    unlinked: list[str] = field(default_factory=list)  # cards that exist and belong to nobody
    held: dict[str, str] = field(default_factory=dict)  # cards that exist, with their customer's address
    strangers: set[str] = field(default_factory=set)  # cards that belong to somebody else than the list says

    @property
    def by_value(self) -> dict[str, tuple[str, str, str, str, str]]:
        """The rows by card."""
        return {row[0]: row for row in self.rows}


def make_plan(cards: int, customers: int, rng: random.Random) -> Plan:
    """A list as shops have it: several cards a customer, odd spellings, names, blocked cards, balances."""
    rows: list[tuple[str, str, str, str, str]] = []
    plan = Plan(rows)
    given: set[str] = set()
    for number in range(cards):
        value = f"NL-{number:08d}"
        owner = number if number < customers else rng.randrange(customers)
        email = "" if number % 25 == 24 else f"customer{owner}@example.test"
        spelled = email.title() if email and number % 7 == 0 else email
        name = f"Card of {owner}" if number % 3 == 0 else ""
        active = "false" if number % 20 == 3 else ""
        credits_ = ""
        if email and email not in given and number % 2 == 0:
            given.add(email)
            credits_ = str(1 + number % 400)
        rows.append((value, spelled, name, active, credits_))
        kind = number % 50
        if kind == 10 and email:
            plan.unlinked.append(value)
        elif kind == 20 and email:
            plan.held[value] = email
        elif kind == 30 and email:
            plan.strangers.add(value)
    rng.shuffle(rows)
    return plan


def furnish(shop: Account, plan: Plan) -> None:
    """What the account holds before the migration."""
    mails = sorted({*plan.held.values(), "stranger@example.test"})
    shop.admin("contacts", {"events": [{"action": "create", "email": mail} for mail in mails]})
    named = {row[0]: row[2] for row in plan.rows}
    events: list[dict[str, str]] = [{"action": "create", "value": value} for value in plan.unlinked]
    for value, mail in plan.held.items():
        events.append({"action": "create", "value": value, "email": mail, "name": named[value] or value})
    events += [{"action": "create", "value": v, "email": "stranger@example.test"} for v in sorted(plan.strangers)]
    shop.admin("identifiers", {"events": events})


class Tills:
    """Shops at work: customers take cards of nobody, and staff renames cards, while the migration runs."""

    def __init__(self, shop: Account, plan: Plan, rng: random.Random) -> None:
        self._shop = shop
        self._rows = plan.by_value
        self._rng = rng
        self.touched: dict[str, str] = {}  # card -> what was done

    def work(self, most: int) -> None:
        """Touch some of the cards that are there now."""
        there = self._shop.rows("identifiers")
        self._rng.shuffle(there)
        events: list[dict[str, Any]] = []
        for card in there:
            value = card["value"]
            if len(events) >= most:
                break
            if value in self.touched or not card["active"]:
                continue
            if card["contact_uuid"] is None and not self._rows[value][1]:
                events.append({"action": "link", "value": value, "email": "stranger@example.test"})
            elif len(events) % 2:
                events.append({"action": "rename", "value": value, "name": "Renamed at the till"})
            else:
                continue
            self.touched[value] = str(events[-1]["action"])
        for card in there:  # where there are too few cards of nobody, renaming is enough
            if len(events) >= most:
                break
            if card["value"] not in self.touched and card["active"]:
                events.append({"action": "rename", "value": card["value"], "name": "Renamed at the till"})
                self.touched[card["value"]] = "rename"
        self._shop.admin("identifiers", {"events": events})


class Shop:
    """The person at the keyboard."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self._environment = os.environ | {
            "PIGGY_BASE_URL": url,
            "PIGGY_TOKEN": "sandbox",
            "XDG_STATE_HOME": str(folder / "state"),
        }

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        with (self.folder / "console.txt").open("ab") as console:
            return subprocess.Popen(
                [*PROGRAM, *words], env=self._environment, cwd=self.folder, stdout=console, stderr=console
            )

    def run(self, *words: str) -> int:
        """Run a command to its end; its exit code."""
        return self.start(*words).wait(timeout=PATIENCE_S)

    def lines(self, *words: str) -> list[str]:
        """What a command prints on stdout."""
        done = subprocess.run(
            [*PROGRAM, *words], env=self._environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        return done.stdout.splitlines()


def read(path: Path) -> list[dict[str, str]]:
    """A report; nothing where there is none."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[tuple[str, str, str, str, str]]) -> None:
    """A manifest."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def migrate(desk: Shop, shop: Account, tills: Tills, command: list[str], rows: int) -> int:
    """The migration, killed at a third and two thirds of the cards, with tills at work; its exit code."""
    for kill in range(1, KILLS + 1):
        process = desk.start(*command)
        while process.poll() is None:
            made = shop.state()["effects"].get("identifiers.create", 0)
            if made >= rows * kill / (KILLS + 1):
                tills.work(max(2, rows // 100))
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.02)
        process.wait(timeout=PATIENCE_S)
    process = desk.start(*command)
    busy = 0
    while process.poll() is None:
        time.sleep(0.05)
        if busy < 3:
            busy += 1
            tills.work(max(2, rows // 200))
    return process.returncode


def expected(row: tuple[str, str, str, str, str]) -> tuple[str, bool, str | None]:
    """What the account must hold for a row: name, whether active, and the holder's e-mail in lower case."""
    value, email, name, active, _ = row
    return (name or value, active != "false", email.strip().lower() or None)


def folded(card: tuple[str, bool, str | None]) -> tuple[str, bool, str | None]:
    """A card as held, its holder's address in lower case."""
    return (card[0], card[1], card[2].lower() if card[2] else None)


def prove(scale: float) -> dict[str, float | int | bool | str]:
    """Migrate, sign off, go back; figures, and whether everything holds."""
    cards, customers = max(60, int(CARDS * scale)), max(36, int(CUSTOMERS * scale))
    rng = random.Random(6)
    plan = make_plan(cards, customers, rng)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as place, account(6, LOST, RESETS) as shop:
        folder = Path(place)
        desk, tills = Shop(folder, shop.url), Tills(shop, plan, rng)
        furnish(shop, plan)
        before = shop.cards()
        write(folder / "cards.csv", plan.rows)
        uuid = json.loads(_shops(shop))["data"][0]["uuid"]
        pace = ["--yes", "--rate", "0", "--concurrency", "16", "--no-progress"]
        command = ["migrate", "cards.csv", "--shop", uuid, *pace]
        code = migrate(desk, shop, tills, command, cards)
        migrated_s = time.perf_counter() - begun
        results = {row["contact_identifier_value"]: row for row in read(folder / "cards.migrate" / "results.csv")}
        after, state = shop.cards(), shop.state()
        good = {
            value for value, row in results.items() if row["_create_status"] in ("done", "already", "exists unlinked")
        }
        wrong = [v for v, row in plan.by_value.items() if folded(after.get(v, ("", False, ""))) != expected(row)]
        excused = plan.strangers | set(tills.touched)
        reported = {v for v, row in results.items() if row["_status"] in ("rejected", "unknown", "failed")}
        figures: dict[str, float | int | bool | str] = {
            "cards": cards,
            "customers": customers,
            "kills": KILLS,
            "exit_code": code,
            "requests": state["requests_total"],
            "faults": sum(state["faults_struck"].values()),
            "touched_by_tills": len(tills.touched),
            "of_somebody_else": len(plan.strangers),
            "rows_not_as_listed": len(wrong),
            "unexplained": len([v for v in wrong if v not in excused]),
            "rows_in_results": len(results),
            "migrate_s": round(migrated_s, 1),
        }
        holds = [not figures["unexplained"], len(results) == cards, plan.strangers <= reported]
        holds += [_credits_hold(shop, plan, results, figures), len(good) > 0.9 * cards]
        holds += [state["max_per_key"].get("identifiers.create", 0) == 1]
        holds += [_verified(desk, plan, wrong, figures)]
        holds += [_undone(desk, shop, before, tills.touched, figures)]
        if not all(holds):
            figures["console"] = (folder / "console.txt").read_text(encoding="utf-8")[-2000:]
    figures["wall_s"] = round(time.perf_counter() - begun, 1)
    figures["ok"] = all(holds)
    return figures


def _shops(shop: Account) -> str:
    """The account's shops; asked again where a fault struck."""
    request = Request(f"{shop.url}/api/v3/oauth/clients/shops", headers={"Authorization": "Bearer sandbox"})
    while True:
        with contextlib.suppress(OSError), urlopen(request, timeout=60) as answer:
            text: str = answer.read().decode()
            return text


def _credits_hold(
    shop: Account, plan: Plan, results: dict[str, dict[str, str]], figures: dict[str, float | int | bool | str]
) -> bool:
    """No balance twice; every one that is called done is there; none that was not listed."""
    listed = {row[1].strip().lower(): (row[0], int(row[4])) for row in plan.rows if row[4]}
    held = {row["email"].lower(): row["credits"] for row in shop.rows("contacts")}
    twice = [mail for mail, got in held.items() if got not in (0, listed.get(mail, ("", 0))[1])]
    statuses = {mail: results[value]["_credits_status"] for mail, (value, _) in listed.items()}
    lost = [mail for mail, (_, number) in listed.items() if statuses[mail] == "done" and held.get(mail) != number]
    figures["credits_given"] = sum(1 for got in held.values() if got)
    figures["credits_in_doubt"] = sum(1 for status in statuses.values() if status == "unknown")
    figures["credits_twice"] = len(twice)
    most = int(shop.state()["max_per_key"].get("credits.create", 0))
    return not twice and not lost and most <= 1


def _verified(desk: Shop, plan: Plan, wrong: list[str], figures: dict[str, float | int | bool | str]) -> bool:
    """The list without what differs verifies with exit 0; a list that says all of every card names exactly those."""
    differ = set(wrong)
    write(desk.folder / "agreed.csv", [row for row in plan.rows if row[0] not in differ])
    options = ["--rate", "0", "--concurrency", "16", "--no-progress"]
    figures["verify_exit_code"] = desk.run("identifiers", "verify", "agreed.csv", "--report", "sign-off.html", *options)
    with (desk.folder / "exact.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS[:4], "contact_uuid"])
        for value, email, name, active, _ in plan.rows:
            writer.writerow([value, email, name or value, active or "true", "" if email else "none"])
    desk.run("identifiers", "verify", "exact.csv", *options)
    named = {row["contact_identifier_value"] for row in read(desk.folder / "exact.identifiers-verify" / "errors.csv")}
    figures["verify_named"] = len(named)
    page = (desk.folder / "sign-off.html").read_text(encoding="utf-8")
    signed = "are as the manifest says" in page or "Nothing differs" in page
    return figures["verify_exit_code"] == 0 and signed and named == differ


def _undone(
    desk: Shop,
    shop: Account,
    before: dict[str, tuple[str, bool, str | None]],
    touched: dict[str, str],
    figures: dict[str, float | int | bool | str],
) -> bool:
    """The printed commands, carried out, bring every card back but those that are listed or were touched; what
    customers took at a till since is left alone."""
    commands = desk.lines("undo", "cards.migrate")
    figures["undo_commands"] = len(commands)
    for line in commands:
        desk.run(*shlex.split(line)[1:], "--yes", "--rate", "0", "--concurrency", "16", "--no-progress")
    by_hand = {row["contact_identifier_value"] for row in read(desk.folder / "cards.migrate" / "undo-by-hand.csv")}
    after = shop.cards()
    left = {value for value in before.keys() | after.keys() if before.get(value) != after.get(value)}
    figures["undo_listed"] = len(by_hand)
    figures["undo_left"] = len(left)
    figures["undo_unexplained"] = len(left - by_hand - touched.keys())
    taken = [value for value, action in touched.items() if action == "link"]
    figures["taken_at_tills"] = len(taken)
    figures["taken_at_tills_left_alone"] = sum(
        after.get(v, ("", False, ""))[2] == "stranger@example.test" for v in taken
    )
    spared = figures["taken_at_tills_left_alone"] == figures["taken_at_tills"]
    return bool(commands) and spared and not figures["undo_unexplained"]


if __name__ == "__main__":
    print(json.dumps(prove(float(sys.argv[1]) if len(sys.argv) > 1 else 0.01), indent=2))
