"""What a terminal shows as the next command is typed there as it stands, and goes on with what was begun."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import PROGRAM, ROOT, Service, environment, serving
from tests.support.terminal import on_terminal

pytestmark = pytest.mark.process
SHOP = "9d66eec2-10ee-41f6-af6b-2dec89025cb3"  # the sandbox's first
PROGRAM_UUID = "9ef8f507-69ae-4a62-a62f-2dec89025cb0"  # of its giftcards, the first
COMMAND = re.compile(r"(?:^|: | )(piggy-batch (?!: ).*)$")
UGLY = """Onze klanten;;;
Pas;Mail;Punten;Status
0000000101;ann@example.test;12,50;J
0000000102;bob@example.test;7,00;N
0000000103;;;J
0000000104;cas@example.test;;J
12345678;dirk@example.test;1,00;J
0000000106;kees@kaas;;J
"""


@dataclass(frozen=True)
class Typed:
    """A command typed at a terminal: exit code, and what the terminal was sent."""

    code: int
    screen: list[str]

    @property
    def commands(self) -> list[str]:
        """Every command of the program on the screen, each once."""
        found = [match[1].strip() for line in self.screen if (match := COMMAND.search(line))]
        return list(dict.fromkeys(found))

    def after(self, words: str) -> str:
        """The command behind some words, on their line or on the next."""
        text = "\n".join(self.screen)
        match = re.search(rf"{words}:?\s*(piggy-batch .*)", text)
        assert match, f"{words}: not in {text}"
        return match[1].strip()


class Terminal:
    """A folder, 80 columns, and somebody who answers every question with yes."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder = folder
        self.service = service
        self.environment = environment(folder, PIGGY_BASE_URL=service.url, NO_COLOR="1", PYTHONPATH=str(ROOT))

    def type(self, command: str) -> Typed:
        """Run a command to its end."""
        words = shlex.split(command)
        assert words[0] == "piggy-batch", command
        code, sent = on_terminal([*PROGRAM, *words[1:]], self.folder, self.environment, answer=b"y\n")
        lines = [line.rpartition("\r")[2] for line in sent.replace("\r\n", "\n").splitlines()]
        return Typed(code, lines)

    def follow(self, typed: Typed, words: str) -> Typed:
        """Type the command behind some words as long as there is one; it never ends as a mistyped one does."""
        while words in "\n".join(typed.screen):
            typed = self.type(typed.after(words))
            assert typed.code in (0, 1), typed
        return typed


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One sandbox for all."""
    with serving("--latency-ms", "0", "--contacts", "20", "--giftcards", "20") as found:
        yield found


@pytest.fixture
def terminal(service: Service, tmp_path: Path) -> Terminal:
    """In a folder whose name has a space, with a list in Dutch whose name has one too."""
    folder = tmp_path / "uit de kassa"
    folder.mkdir()
    (folder / "onze klanten.csv").write_text(UGLY, encoding="cp1252")
    return Terminal(folder, service)


def test_from_a_raw_list_to_the_signature_and_back(terminal: Terminal) -> None:
    """check, the mended list, its plan, a pilot, status, the rest, sign-off, and undo with what it prints."""
    raw = terminal.type("piggy-batch check 'onze klanten.csv' --for migrate")
    options = raw.screen[-1].strip().removeprefix("pass ")  # in one piece, however long
    told = terminal.type(f"piggy-batch check 'onze klanten.csv' --for migrate {options}")
    assert told.code == 1
    mended = terminal.type(told.after("into a new list with"))
    assert mended.code == 1  # one address is none
    plan = mended.after("its plan").replace("--shop UUID", f"--shop {SHOP}")
    planned = terminal.type(plan)
    assert planned.code == 0, planned
    start = f"{plan.replace(' --dry-run', '')} --rate 500 --limit 2"
    pilot = terminal.type(start)
    assert pilot.code == 0, pilot
    status = terminal.type("piggy-batch status 'onze klanten-mended.migrate'")
    assert status.after("go on with") == pilot.after("go on with")
    done = terminal.follow(pilot, "go on with")
    signed = terminal.type(done.after("sign off with"))
    assert signed.code == 1  # the row that was left out is not there
    assert (terminal.folder / "sign-off.html").exists()
    back = terminal.type("piggy-batch undo 'onze klanten-mended.migrate'")
    commands = [command for command in back.commands if "undo" in command]
    assert commands, back
    for command in commands:
        assert terminal.type(command).code == 0, command
    effects = terminal.service.ask("state")["effects"]
    assert effects["identifiers.delete"] == effects["identifiers.create"] == 5


def test_columns_that_would_be_left_behind_are_mapped_by_the_printed_command(terminal: Terminal) -> None:
    """A list whose card alone is mapped has not passed the check; the rest is proposed, and refused until then."""
    start = "'onze klanten.csv' --header-row 2 --map contact_identifier_value=Pas"
    told = terminal.type(f"piggy-batch check {start} --for migrate")
    assert told.code == 1
    assert terminal.type(f"piggy-batch migrate {start} --yes").code == 2
    mapped = terminal.type(told.after("this maps them"))
    assert terminal.type(mapped.after("into a new list with")).code == 1


def test_a_run_with_options_goes_on_with_all_of_them(terminal: Terminal) -> None:
    """Headers, repairs, findings accepted, rows left out, pace: the resume has them, the pilot's number it has not."""
    start = (
        "piggy-batch identifiers create 'onze klanten.csv' --header-row 2 --map contact_identifier_value=Pas "
        "--accept MD105 --set 'contact_identifier_name=Pas van ons' --rate 500 --run-dir 'een run' --limit 2"
    )
    pilot = terminal.type(start)
    assert pilot.code == 0, pilot
    again = pilot.after("go on with")
    assert again == start.removesuffix(" --limit 2")
    done = terminal.follow(pilot, "go on with")
    assert done.code == 0
    undone = terminal.type("piggy-batch undo 'een run'")
    for command in [command for command in undone.commands if "undo" in command]:
        assert terminal.type(command).code == 0, command


def test_lost_answers_are_reconciled_by_the_printed_command(terminal: Terminal) -> None:
    """giftcards create: what nobody knows is settled, and what is left to do goes on."""
    terminal.service.ask("faults", {"kind": "reset-after", "path": "giftcards", "method": "POST", "times": 1})
    lost = terminal.type(
        f"piggy-batch giftcards create --count 4 --run-dir made --set giftcard_program_uuid={PROGRAM_UUID} --rate 500"
    )
    assert lost.code == 1, lost
    command = next(command for command in lost.commands if "reconcile" in command)
    settled = terminal.type(command)
    assert settled.code in (0, 1), settled
    for command in settled.commands:
        assert terminal.type(command).code in (0, 1), command


def test_an_export_that_was_cut_short_goes_on(terminal: Terminal) -> None:
    """Of an export that halts, the command that is printed reads the rest."""
    terminal.service.ask("faults", {"kind": "unauthorized", "path": "giftcards", "times": 1})
    halted = terminal.type("piggy-batch giftcards export --to 'alle kaarten.csv' --rate 500 --page-size 5")
    assert halted.code == 3, halted
    done = terminal.follow(halted, "go on with")
    assert done.code == 0
    assert (terminal.folder / "alle kaarten.csv").exists()


def test_the_first_close_of_a_month_goes_on_with_what_is_printed(terminal: Terminal) -> None:
    """No snapshot is of the month's begin or end: the printed commands let today's stand for both, and the report's
    notices are broken between words."""
    snapshot = terminal.type("piggy-batch giftcards snapshot --store 'mijn winkel' --rate 0")
    assert snapshot.code == 0, snapshot
    report = "piggy-batch giftcards report --store 'mijn winkel' --period last-month"
    for role in ("opening", "closing"):
        refused = terminal.type(report)
        assert refused.code == 2
        assert f"its {role}" in " ".join(refused.screen)
        assert terminal.type(refused.after("every report will\\s+say")).code == 0
    made = terminal.type(report)
    assert made.code == 0, made
    notices = made.screen[: made.screen.index("")]
    assert sum(line.startswith("! ") for line in notices) == 2
    assert max(map(len, notices[1:])) < 80
