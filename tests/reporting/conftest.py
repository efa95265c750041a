"""How the tests of reporting run its commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from piggy_batch.cli.reporting import report_command, snapshots_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from reporting_world import Run


@pytest.fixture(scope="session")
def report() -> Run:
    """Run ``giftcards report`` with these arguments."""
    return lambda *arguments: CliRunner().invoke(report_command, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="session")
def snapshots() -> Run:
    """Run ``giftcards snapshots`` with these arguments."""
    return lambda *arguments: CliRunner().invoke(snapshots_command, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="session")
def figures(report: Run) -> Callable[..., dict[str, Any]]:
    """Run ``giftcards report --json`` and return its figures."""

    def run(*arguments: object) -> dict[str, Any]:
        result = report(*arguments, "--json")
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    return run
