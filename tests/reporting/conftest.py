"""How the tests of reporting run its commands."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from piggy_batch.cli.commands.report import report_command
from piggy_batch.cli.commands.snapshots import snapshots_command
from piggy_batch.cli.output import report_error
from piggy_batch.errors import PiggyBatchError
from tests.reporting.support import NOW, FixedClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.reporting.support import Run


class Program(click.Group):
    """Ends as the program does: an error that ends a run is one line and its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PiggyBatchError as error:
            ctx.exit(report_error(error, {"argv": sys.argv}))


_PROGRAM = Program(commands={"report": report_command, "snapshots": snapshots_command})


def _run(*arguments: object, now: datetime = NOW) -> Any:
    return CliRunner().invoke(
        _PROGRAM, [str(argument) for argument in arguments], obj={"clock": FixedClock(now)}, catch_exceptions=False
    )


@pytest.fixture(scope="session")
def report() -> Run:
    """Run ``giftcards report`` with these arguments."""
    return lambda *arguments, **when: _run("report", *arguments, **when)


@pytest.fixture(scope="session")
def snapshots() -> Run:
    """Run ``giftcards snapshots`` with these arguments."""
    return lambda *arguments: _run("snapshots", *arguments)


@pytest.fixture(scope="session")
def figures(report: Run) -> Callable[..., dict[str, Any]]:
    """Run ``giftcards report --json`` and return its figures."""

    def run(*arguments: object, **when: Any) -> dict[str, Any]:
        result = report(*arguments, "--json", **when)
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    return run
