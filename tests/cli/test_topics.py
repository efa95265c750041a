"""``help TOPIC``, ``check --explain``, and Markdown as a terminal shows it."""

from __future__ import annotations

import pytest

from piggy_batch.cli.commands.help import TOPICS
from piggy_batch.cli.main import main
from piggy_batch.cli.markdown import for_terminal
from piggy_batch.manifest.doctor import CATALOGUE
from piggy_batch.manifest.doctor.finding_kinds import Rule
from piggy_batch.models import Status


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0), *capsys.readouterr()


def test_help_lists_the_topics(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with a line."""
    code, out, _ = typed(capsys, "help")
    assert (code, [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]) == (0, list(TOPICS))


def test_a_topic_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Every status stands in the topic of statuses, and nothing of the Markdown is left."""
    code, out, _ = typed(capsys, "help", "statuses")
    assert code == 0
    for status in Status:
        assert f"\n  {status.value}\n" in out
    assert not set("`|") & set(out)


def test_help_of_a_command_is_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The same as --help, at every level."""
    assert typed(capsys, "help", "giftcards", "create")[1] == typed(capsys, "giftcards", "create", "--help")[1]
    assert typed(capsys, "help", "giftcards")[1] == typed(capsys, "giftcards", "--help")[1]


@pytest.mark.parametrize(
    ("words", "meant"),
    [(["statusses"], "statuses"), (["giftcards", "creat"], "create"), (["identifers"], "identifiers")],
)
def test_an_unknown_topic_is_a_usage_error(capsys: pytest.CaptureFixture[str], words: list[str], meant: str) -> None:
    """With what may have been meant."""
    code, _, err = typed(capsys, "help", *words)
    assert code == 2
    assert f"(did you mean {meant}?)" in err


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.code)
def test_every_finding_can_be_explained(capsys: pytest.CaptureFixture[str], rule: Rule) -> None:
    """By its code in any case, and by its name: what it is, what to do, what it does to a run."""
    code, out, _ = typed(capsys, "check", "--explain", rule.code.lower())
    assert code == 0
    assert out == typed(capsys, "check", "--explain", rule.slug)[1]
    assert rule.remedy in out
    assert ("--accept" in out.splitlines()[-1]) == rule.blocking


def test_a_finding_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, with the nearest code and where all are listed."""
    code, _, err = typed(capsys, "check", "--explain", "MD1O5")
    assert code == 2
    assert "did you mean MD105?" in err
    assert "piggy-batch help findings" in err


TEXT = """\
# Title

A *first* paragraph with `code *as is*` and
**strong** words.

- one item that is long enough to be broken
- two

| a | b |
| --- | --- |
| x \\| y | z |

```sh
a  long   line that stands exactly as it is written here
```
"""


def test_markdown_for_a_terminal() -> None:
    """Wrapped between words; marks go, code stays."""
    shown = for_terminal(TEXT, 40, lambda heading: f"<{heading}>")
    assert shown == (
        "<Title>\n\n"
        "  A first paragraph with code *as is*\n  and strong words.\n\n"
        "  - one item that is long enough to be\n    broken\n  - two\n\n"
        "  a      b\n  x | y  z\n\n"
        "    a  long   line that stands exactly as it is written here\n"
    )
