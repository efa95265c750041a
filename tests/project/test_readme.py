"""README and help topics are true: generated parts are what the program says, commands can be typed.

The README's console blocks are run by ``test_walkthrough``.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from piggy_batch.cli.commands.help import TOPICS
from piggy_batch.cli.main import cli
from piggy_batch.cli.markdown import for_terminal
from tests.readme_blocks import BLOCKS, DOCUMENTS, README, generate

REPOSITORY = README.parent


def test_the_readme_is_read_to_its_end() -> None:
    """At most 200 lines."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_generated_blocks_are_what_the_program_says(path: Path) -> None:
    """`make docs-check` passes."""
    text = path.read_text(encoding="utf-8")
    assert generate(text) == text


def test_every_block_has_a_maker_and_every_maker_a_block() -> None:
    """Wherever the blocks stand."""
    found = "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    assert set(re.findall(r"<!-- generated: ([\w-]+) -->", found)) == set(BLOCKS)


def test_every_topic_has_its_text_and_the_readme_names_it() -> None:
    """And no text is left without a topic."""
    assert {path.stem for path in DOCUMENTS if path != README} == set(TOPICS)
    readme = README.read_text(encoding="utf-8")
    assert [name for name in TOPICS if name not in readme] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_the_text_can_be_typed(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in blocks of code, and options and commands named in sentences, are there."""
    monkeypatch.chdir(tmp_path)
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    typed = [match[1] for line in lines if (match := re.search(r"(?:^|[$\s(])piggy-batch ((?:[\w-]).*)", line))]
    typed += re.findall(r"`piggy-batch ([\w-][^`…]*)`", text)
    for words in typed:
        parse(shlex.split(words.rstrip(')"')))


def parse(words: list[str]) -> None:
    """A command line through click's own eyes; UsageError where it is none. Nothing is carried out."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        _, found, words = command.resolve_command(click.Context(command), words)
        assert found is not None
        command = found
    for word in words:
        if word.startswith("--") and "=" not in word:
            assert any(word in (*p.opts, *p.secondary_opts) for p in command.get_params(click.Context(command))), words


@pytest.mark.parametrize("name", TOPICS)
@pytest.mark.parametrize("width", [72, 79])
def test_topics_fit_a_terminal_and_break_no_word(name: str, width: int) -> None:
    """But for blocks of code, which stand as they are."""
    path = next(path for path in DOCUMENTS if path.stem == name)
    shown = for_terminal(path.read_text(encoding="utf-8"), width)
    code = {
        line.strip()
        for block in re.findall(r"```\w*\n(.*?)```", path.read_text(), re.DOTALL)
        for line in block.splitlines()
    }
    assert [line for line in shown.splitlines() if len(line) > width and line.strip() not in code] == []
    assert "<!--" not in shown
    assert "`" not in shown


def test_nothing_of_a_machine_is_committed() -> None:
    """No address of a package index and no path of a machine stands in a tracked text file."""
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    host = re.compile(r"https?://[^\s\"']*(pypi|artifactory|nexus|devpi)", re.IGNORECASE)
    for name in listed.stdout.splitlines():
        path = REPOSITORY / name
        if path.suffix in {".py", ".md", ".toml", ".lock", ".txt", ".sh"} or name == "Makefile":
            assert not host.search(path.read_text(encoding="utf-8")), name
