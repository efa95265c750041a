"""The README's walk with a till's list, from the raw file to the signature: real commands, counted in the sandbox."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.readme_blocks import DOCUMENTS, README
from tests.support.processes import PROGRAM, TOKEN, Service, completed, serving
from tests.support.world import audit, read_csv

CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
OPEN_END = "…"
SHOP = "9d66eec2-10ee-41f6-af6b-2dec89025cb3"
CARD = "contact_identifier_value"
pytestmark = pytest.mark.process


@dataclass(frozen=True)
class Step:
    """One command of a console block and the lines it shows; … in a line, or a line of its own, stands for anything."""

    command: str
    shown: tuple[str, ...]


def steps(text: str) -> list[Step]:
    """Every command of every console block, in order."""
    found: list[Step] = []
    for block in CONSOLE.findall(text):
        for line in block.replace("\\\n", "").splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:], ()))
            else:
                found[-1] = Step(found[-1].command, (*found[-1].shown, line))
    return found


def agrees(shown: str, lines: list[str]) -> bool:
    """Whether a line of the README is among the printed ones."""
    pattern = re.compile(".*".join(map(re.escape, shown.rstrip().split(OPEN_END))))
    return any(pattern.fullmatch(line.rstrip()) for line in lines)


@dataclass(frozen=True)
class Walk:
    """A folder and a sandbox in which the README's commands have run."""

    service: Service
    folder: Path
    environment: Mapping[str, str]
    printed: Mapping[str, tuple[int, list[str]]]  # of each command: exit code, lines

    def run(self, command: str) -> tuple[int, list[str]]:
        """Run a command as it stands."""
        words = shlex.split(command)
        assert words[0] == "piggy-batch", command
        done = completed([*PROGRAM, *words[1:]], self.folder, self.environment)
        return done.returncode, (done.stdout + done.stderr).splitlines()

    def listed(self, what: str) -> list[dict[str, Any]]:
        """What the sandbox holds, a line each."""
        with urllib.request.urlopen(f"{self.service.url}/_sandbox/{what}", timeout=30) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines()]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Every command of the README, one after another, beside the samples."""
    folder = tmp_path_factory.mktemp("walk")
    shutil.copytree(README.parent / "samples", folder / "samples")
    with serving("--latency-ms", "0") as service:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PIGGY_")},
            "PIGGY_BASE_URL": service.url, "PIGGY_TOKEN": TOKEN, "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONPATH": str(README.parent),
        }  # fmt: skip
        printed: dict[str, tuple[int, list[str]]] = {}
        found = Walk(service, folder, environment, printed)
        for step in steps(README.read_text(encoding="utf-8")):
            printed[step.command] = found.run(step.command)
        yield found


def test_console_blocks_run_as_they_stand(walk: Walk) -> None:
    """Each command of the README, in its order, prints what the README shows."""
    found = steps(README.read_text(encoding="utf-8"))
    assert len(found) >= 12
    for step in found:
        code, lines = walk.printed[step.command]
        refused = any(shown.startswith("piggy-batch: ") for shown in step.shown)
        assert code in ((2,) if refused else (0, 1)), f"{step.command}: {lines}"
        for shown in step.shown:
            assert agrees(shown, lines), f"{step.command} does not print {shown!r} but {lines}"


def test_only_the_readme_has_console_blocks() -> None:
    """Those of a topic would have to be run by a test too."""
    assert [path.name for path in DOCUMENTS if "```console" in path.read_text(encoding="utf-8")] == [README.name]


def raw_rows(folder: Path) -> list[dict[str, str]]:
    """The till's list without its title and total."""
    with (folder / "samples" / "kassa-export.csv").open(encoding="cp1252", newline="") as file:
        next(file)
        return list(csv.DictReader(file, delimiter=";"))[:-1]


def test_what_check_proposes_is_what_the_readme_types(walk: Walk) -> None:
    """From the raw list to the mended one nothing has to be guessed: the options stand in what was printed."""
    raw, mending = [command for command in walk.printed if " check " in command]
    _, refused = walk.printed[raw]
    options = refused[-1].partition(": pass ")[2]
    _, told = walk.run(f"{raw} {options}")
    proposed = next(line for line in told if "into a new list with: " in line).partition("with: ")[2]
    assert sorted(shlex.split(proposed)[:-1]) == sorted(shlex.split(mending)[:-1])
    assert walk.run(proposed)[0] == 1  # as some rows are a person's to mend
    assert read_csv(walk.folder / shlex.split(proposed)[-1]) == read_csv(walk.folder / "kassa.csv")


def test_the_account_holds_what_the_list_says(walk: Walk) -> None:
    """Every valid card once, with its owner and state; every balance given once, decimals rounded down."""
    held = {card["value"]: card for card in walk.listed("identifiers")}
    people = {contact["uuid"]: contact for contact in walk.listed("contacts")}
    balances: Counter[str] = Counter()
    sent = [row for row in read_csv(walk.folder / "kassa.csv") if not row["_problem"]]
    assert len(sent) == 2991
    for row in sent:
        card = held.pop(row[CARD])
        assert len(row[CARD]) == 10
        owner = people[card["contact_uuid"]]["email"] if card["contact_uuid"] else ""
        assert (owner, card["active"]) == (row["email"], row["contact_identifier_active"] == "true")
        balances[row["email"]] += int(row["credits"] or 0)
    assert held == {}
    assert {p["email"]: p["credits"] for p in people.values() if p["email"] in balances} == {
        email: cents for email, cents in balances.items() if email
    }
    for before, after in zip(raw_rows(walk.folder), read_csv(walk.folder / "kassa.csv"), strict=True):
        assert after["_problem"] or int(after["credits"] or 0) == int(
            before["Spaarpunten"].partition(",")[0].replace(".", "") or 0
        )
    effects = walk.service.ask("state")["effects"]
    assert effects["identifiers.create"] == 2991
    assert effects["credits.create"] == sum(int(row["credits"] or 0) > 0 for row in sent)
    assert audit(walk.folder / "kassa.migrate", 3000) == {"invalid": 9, "done": 2991}


def test_the_rest_is_mended_by_hand_and_signed_off(walk: Walk) -> None:
    """What the page names goes in, corrected, as a list of its own, and the printed command signs that off."""
    page = (walk.folder / "sign-off.html").read_text(encoding="utf-8")
    assert "7 of 3,000 cards are missing or differ from the manifest." in page
    errors = read_csv(walk.folder / "kassa.migrate" / "errors.csv")
    assert len(errors) == 9  # two of the cards listed twice are right all the same: one of their rows names no owner
    by_hand = {"jan@bakker": "jan@bakker.example", "piet.nl": "piet@example.test"}
    corrected = []
    for row in errors:
        if "the same as in row" in row["_message"] or not row[CARD]:
            continue  # the first of two rows stays; of a card without a number nothing can be known
        row["email"] = by_hand.get(row["email"], row["email"])
        row["credits"] = row["credits"] if row["email"] else ""
        row[CARD] = {"8,33278E+08": "0833278111"}.get(row[CARD], row[CARD])  # read from the card
        corrected.append({name: cell for name, cell in row.items() if not name.startswith("_")})
    with (walk.folder / "rest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(corrected[0]))
        writer.writeheader()
        writer.writerows(corrected)
    assert len(corrected) == 5
    code, lines = walk.run(f"piggy-batch migrate rest.csv --after kassa.migrate --shop {SHOP} --rate 0 --yes")
    assert code == 0, lines
    (command,) = [line.partition("sign off with: ")[2] for line in lines if line.startswith("sign off with: ")]
    assert walk.run(command)[0] == 0
    page = (walk.folder / "sign-off.html").read_text(encoding="utf-8")
    assert "All 5 cards are as the manifest says." in page
    assert walk.run(f"{command} --lang nl")[0] == 0
    page = (walk.folder / "sign-off.html").read_text(encoding="utf-8")
    assert "Alle 5 kaarten zijn zoals de lijst zegt." in page
    assert walk.run("piggy-batch check rest.csv --for migrate --html check.html --lang nl")[0] == 0
    assert "Er is niets verkeerds gevonden." in (walk.folder / "check.html").read_text(encoding="utf-8")
    assert len(walk.listed("identifiers")) == 2996
