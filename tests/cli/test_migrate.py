"""The commands migrate, undo, status and contacts as a user types them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import httpx
import pytest

from piggy_batch.cli.main import main
from piggy_batch.cli.output import summary_lines
from piggy_batch.importing.status import describe_run, status_lines
from tests.importing.migration.support import HEADER, Shop
from tests.support.processes import PROGRAM, completed, environment, serving

SHOP = "9d66eec2-10ee-41f6-af6b-2dec89025cb3"  # the sandbox's first


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_template(capsys: pytest.CaptureFixture[str]) -> None:
    """The header row of a migration's manifest."""
    code, out, _ = run(capsys, "migrate", "--template")
    assert (code, out) == (
        0,
        "contact_identifier_value,email,contact_identifier_name,contact_identifier_active,credits\n",
    )


def test_help_names_stages_and_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads only the help knows what happens in which order."""
    _, out, _ = run(capsys, "migrate", "--help")
    places = [out.index(name) for name in ("find-or-create", "identifiers create", "link", "update", "credits create")]
    assert places == sorted(places)
    assert "contact_identifier_value *" in out
    assert "--credits-again" in out


@pytest.mark.parametrize("name", ["find", "find-or-create", "create", "identifiers", "export"])
def test_contacts_commands(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Every command of the group has a help text."""
    code, out, _ = run(capsys, "contacts", name, "--help")
    assert code == 0
    assert "Usage:" in out


def test_no_command_for_a_stage(capsys: pytest.CaptureFixture[str]) -> None:
    """Giving credits is a stage of a migration, no command of its own."""
    code, _, err = run(capsys, "credits", "create")
    assert code == 2
    assert "No such command" in err


def test_undo_prints_commands_alone_on_stdout(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Each a shell line with the run's own service; what cannot be undone goes to stderr, exit 1."""
    result = shop.migrate(shop.manifest(["A-1", "ann@example.test"]))
    code, out, err = run(capsys, "undo", str(result.run_dir))
    assert code == 1
    path = result.run_dir.resolve() / "undo-1-identifiers-delete.csv"
    assert out == f"piggy-batch --base-url http://sandbox.test identifiers delete {path} --rate 0\n"
    assert "cannot be undone: contacts found or made" in err


def test_undo_as_json(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for programs."""
    path = shop.world.manifest("contact_identifier_value", ["Z-1"])
    result = shop.world.run("identifiers create", path)
    code, out, _ = run(capsys, "undo", str(result.run_dir), "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["whole"], found["by_hand"], found["cannot_be_undone"]) == (True, None, [])
    assert found["files"][0]["rows"] == 1


def test_status_in_the_middle_of_a_stage(shop: Shop) -> None:
    """Where the rows stand by now, and what each stage has done."""
    seen: list[list[str]] = []

    async def hook(request: httpx.Request) -> None:
        if request.method == "POST" and shop.requests("POST /contact-identifiers") == 3:
            seen.append(status_lines(describe_run(shop.folder / "cards.migrate")))

    shop.world.hook = hook
    shop.migrate(shop.manifest(*[[f"A-{n}", f"a{n}@example.test"] for n in range(6)]), concurrency=1)
    (lines,) = seen
    assert lines[0] == "migrate: running"
    assert [" ".join(line.split()) for line in lines[3:]] == [
        "pending 2",
        "done 3",
        "unknown 1",
        "stage contacts find-or-create: 6 rows, done 6",
        "stage identifiers create: 6 rows, pending 2, done 3, in flight 1",
    ]


def test_the_last_line_tells_this_invocations_requests_apart(shop: Shop) -> None:
    """Two invocations: the requests of all, and those of the second, stages included."""
    path = shop.manifest(*[[f"A-{n}", f"a{n}@example.test"] for n in range(4)])
    first = shop.migrate(path, limit=1)
    before = shop.world.state["requests_total"]
    second = shop.migrate(path)
    assert first.summary is not None
    assert second.summary is not None
    assert first.summary["requests_now"] == first.summary["requests"]
    now, every = shop.world.state["requests_total"] - before, shop.world.state["requests_total"]
    assert (second.summary["requests_now"]["sent"], second.summary["requests"]["sent"]) == (now, every)
    assert (
        f"{every} requests (0 retried, 0 throttled), {now} of them by this one of 2 invocations"
        in (summary_lines(second)[0])
    )


def test_cards_that_a_later_stage_links_are_no_rejected_rows_in_the_bar(shop: Shop) -> None:
    """The bar counts them by what they are, and --max-errors does not count them."""
    for number in range(3):
        shop.world.till("create", f"A-{number}")
    result = shop.migrate(shop.manifest(*[[f"A-{n}", f"a{n}@example.test"] for n in range(3)]), max_errors=1)
    assert result.exit_code == 0
    assert (shop.world.said.counts["exists unlinked"], shop.world.said.counts["rejected"]) == (3, 0)


def test_undo_of_nothing(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that changed nothing says so and ends with 0."""
    shop.world.till("create", "C-1")
    result = shop.world.run("identifiers create", shop.world.manifest("contact_identifier_value", ["C-1"]))
    code, out, err = run(capsys, "undo", str(result.run_dir))
    assert (code, out) == (0, "")
    assert "nothing to undo" in err


def test_status_shows_the_stages(shop: Shop) -> None:
    """What each stage has done so far, also while the migration runs."""
    result = shop.migrate(shop.manifest(["A-1", "ann@example.test"]), limit=1)
    lines = status_lines(describe_run(result.run_dir))
    assert lines[0] == "migrate: ended with exit code 0"
    assert "  stage contacts find-or-create: 1 row, done 1" in lines
    assert "  stage identifiers create: 1 row, done 1" in lines


def printed(said: str, words: str) -> list[str]:
    """The command that the program has printed after some words, as a person would paste it."""
    (found,) = re.findall(rf"{words}: (piggy-batch .*)", said)
    return [*PROGRAM, *shlex.split(found)[1:]]


@pytest.mark.process
def test_credits_in_doubt_are_taken_to_a_sign_off_by_the_printed_commands(tmp_path: Path) -> None:
    """Whoever pastes what each command prints comes to a green sign-off, against the same service, without giving
    credits twice; in a folder whose name has a space, for a list with headers and amounts of its own."""
    folder = tmp_path / "till export"
    folder.mkdir()
    header = HEADER.replace("contact_identifier_value", "Pas").replace("credits", "Saldo")
    rows = 'A-1,ann@example.test,,,"10,5"\nA-2,bob@example.test,,,7\n'
    (folder / "cards.csv").write_text(f"{header}\n{rows}")
    with serving("--contacts", "3") as service:
        environ = environment(tmp_path)
        service.ask("faults", {"kind": "reset-after", "path": "credit-receptions", "times": 1})
        words = [
            "migrate",
            str(folder / "cards.csv"),
            "--map",
            "contact_identifier_value=Pas",
            "--map",
            "credits=Saldo",
        ]
        words += ["--shop", SHOP, "--round", "credits=down", "--rate", "0", "--yes", "--base-url", service.url]
        lost = completed([*PROGRAM, *words], folder, environ)
        assert lost.returncode == 1, lost.stderr
        settled = completed(printed(lost.stderr, "credit receptions"), folder, environ)
        assert "1 row in doubt had been given their credits" in settled.stderr
        assert settled.returncode == 0, settled.stderr
        signed = completed(printed(settled.stderr, "sign off with"), folder, environ)
        assert signed.returncode == 0, signed.stderr
        assert "All 2 cards are as the manifest says" in (folder / "sign-off.html").read_text()
        given = service.ask("state")["effects"]["credits.create"]
    assert given == 2
