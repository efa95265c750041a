"""Help: groups, examples, lines that fit, and suggestions for what was mistyped."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from piggy_batch.cli.groups import Command
from piggy_batch.cli.help import OPTION_GROUPS, PROGRAM_WIDE, UNGROUPED, Context, group_of, shell_lines
from piggy_batch.cli.main import cli, main
from tests.support.processes import ROOT
from tests.support.terminal import on_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 80


def commands(command: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Command]]:
    """Every group and command, with the words that lead to it."""
    assert isinstance(command, Command), path
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))


ALL = dict(commands())
named = pytest.mark.parametrize("path", ALL, ids=lambda path: " ".join(path) or "piggy-batch")


def help_of(path: tuple[str, ...]) -> str:
    """What ``--help`` prints on a terminal of 80 columns."""
    return ALL[path].get_help(Context(ALL[path], info_name=" ".join(path), terminal_width=WIDTH - 2))


@named
def test_every_option_stands_in_a_group(path: tuple[str, ...]) -> None:
    """None is left over, and those of the program come last."""
    groups = {group_of(param, ALL[path].name)[0] for param in ALL[path].params if isinstance(param, click.Option)}
    assert UNGROUPED not in groups
    headings = [line[:-1] for line in help_of(path).splitlines() if re.fullmatch(r"\S.*:", line)]
    shown = [name for name in headings if name in OPTION_GROUPS]
    assert shown == [name for name in OPTION_GROUPS if name in groups | {PROGRAM_WIDE}]


@named
def test_help_fits_a_terminal_and_breaks_no_word(path: tuple[str, ...]) -> None:
    """No line is longer than 80 columns, and every word of the help stands in it whole."""
    text = help_of(path)
    assert max(map(len, text.splitlines())) <= WIDTH
    printed = set(text.split())
    told = [ALL[path].help or "", *(p.help or "" for p in ALL[path].params if isinstance(p, click.Option))]
    assert {word for line in told for word in line.split() if word != "\b"} - printed == set()


@named
def test_a_command_ends_with_two_examples_that_can_be_typed(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each names the command or one below it, and its options are known and well-formed."""
    monkeypatch.chdir(tmp_path)
    assert len(ALL[path].examples) == 2
    shown = help_of(path).split("Examples:\n")[1].replace("\\\n", "")
    for example in ALL[path].examples:
        assert " ".join(example.command.split()) in " ".join(shown.split())
        program, *words = shlex.split(example.command.partition(" >")[0])
        assert program == "piggy-batch"
        assert tuple(words[: len(path)]) == path
        for word in words:
            if word.endswith(".parquet"):
                Path(word).touch()
        context = click.Context(cli)
        command: click.Command = cli
        while isinstance(command, click.Group):
            _, found, words = command.resolve_command(context, words)
            assert found is not None
            command = found
        assert command.make_context(command.name, words).params


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["identifers"], "identifiers"),
        (["identifiers", "creat", "cards.csv"], "create"),
        (["giftcards", "exprt"], "export"),
        (["identifiers", "create", "cards.csv", "--dryrun"], "--dry-run"),
        (["identifiers", "create", "cards.csv", "--mpa", "a=b"], "--map"),
        (["ping", "--base-ur", "x"], "--base-url"),
        (["identifiers", "create", "cards.csv", "--map", "contact_uid=wie"], "contact_uuid"),
        (["identifiers", "create", "cards.csv", "--map", "contact_uuid=wei"], "wie"),
        (["check", "cards.csv", "--for", "identifiers crate"], "identifiers create"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant(
    words: list[str], meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, options, fields and columns: exit 2 and the nearest name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIGGY_TOKEN", "none")
    Path("cards.csv").write_text("contact_identifier_value,wie\nA,\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert f"(did you mean {meant}?)" in capsys.readouterr().err


def test_yes_says_where_it_matters() -> None:
    """Its help names the commands that ask, those that send money among them."""
    text = " ".join(help_of(("identifiers", "create")).split())
    assert "These ask:" in text
    for name in ("giftcards load", "giftcards send", "identifiers delete", "migrate"):
        assert name in text.partition("These ask:")[2]


@pytest.mark.parametrize("width", [20, 40, 78])
def test_a_long_command_is_broken_as_a_shell_would_read_it(width: int) -> None:
    """An option stays with its value, and a shell reads the lines as the command that was given."""
    command = "piggy-batch identifiers create 'my cards.csv' --map contact_identifier_value=Kaart --yes --limit 20"
    lines = shell_lines(command, width)
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == shlex.split(command)
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert any("--limit 20" in line for line in lines)


@pytest.mark.process
@pytest.mark.parametrize("words", [["--help"], ["giftcards", "create", "--help"]])
def test_help_on_a_terminal_of_80_by_24(words: list[str]) -> None:
    """What a terminal of that size is sent has no line that it would have to break."""
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    code, sent = on_terminal([sys.executable, "-m", "piggy_batch", *words], ROOT, kept, columns=WIDTH)
    assert code == 0
    lines = sent.splitlines()
    assert lines[0].startswith("Usage: piggy-batch")
    assert max(map(len, lines)) <= WIDTH
