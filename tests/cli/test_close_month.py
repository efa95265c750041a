"""The README's close of a month as it stands in samples/, by clocks on both sides of midnight, on a server in UTC."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.prove.exports import sandbox

SCRIPT = Path(__file__).parents[2] / "samples" / "close-month.sh"
PROGRAM = f"""#!{sys.executable}
import os, time
from datetime import datetime
from piggy_batch.cli.main import main
from piggy_batch.client.clock import Clock

class At(Clock):
    begun, moment = time.monotonic(), datetime.fromisoformat(os.environ["MOMENT"]).timestamp()

    def wall(self):
        return self.moment + time.monotonic() - self.begun

main(clock=At())
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A server in UTC with the program on its path, and a sandbox with 120 giftcards."""
    program = tmp_path / "bin" / "piggy-batch"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    reports = tmp_path / "reports"
    reports.mkdir()
    with sandbox(120, 0) as environment:
        yield {
            **environment,
            "PATH": f"{program.parent}{os.pathsep}{environment['PATH']}",
            "TZ": "UTC",
            "GIFTCARDS_STORE": str(tmp_path / "store"),
            "GIFTCARDS_REPORTS": str(reports),
        }


def close(server: dict[str, str], moment: str, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the script at a moment of UTC; its exit code is checked."""
    done = subprocess.run(
        ["sh", SCRIPT, *words],
        env={**server, "MOMENT": moment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def days(server: dict[str, str]) -> list[str]:
    """The days for which the store holds a snapshot, one for each snapshot."""
    return sorted(
        path.parent.name.removeprefix("date=") for path in Path(server["GIFTCARDS_STORE"]).glob("date=*/*.parquet")
    )


@pytest.mark.process
def test_month_is_closed_once_and_on_its_own_day(server: dict[str, str]) -> None:
    """Five past midnight in Amsterdam is 22:05 or 23:05 of the last day in UTC: the month's end is that of Amsterdam,
    in summer and in winter, and whoever runs the script again gets the same."""
    first = close(server, "2026-09-30T22:05:00+00:00", code=2)
    assert "no snapshot counts for 2026-08-31, its opening" in first.stderr
    assert days(server) == ["2026-09-30"]
    close(server, "2026-10-31T23:05:00+00:00")
    assert days(server) == ["2026-09-30", "2026-10-31"]
    again = close(server, "2026-11-01T08:00:00+00:00")
    assert "snapshot of 2026-10-31: there already: agreed, 120 cards in " in again.stdout
    before = close(server, "2026-11-30T22:55:00+00:00")
    assert "snapshot of 2026-10-31: there already" in before.stdout, "five to midnight: November is not over"
    after = close(server, "2026-11-30T23:05:00+00:00")
    assert "snapshot of 2026-11-30: agreed, 120 cards in " in after.stdout
    assert days(server) == ["2026-09-30", "2026-10-31", "2026-11-30"]
    reports = sorted(path.name for path in Path(server["GIFTCARDS_REPORTS"]).iterdir())
    assert reports == [f"giftcards-2026-{month}.{suffix}" for month in (10, 11) for suffix in ("html", "xlsx")]
    page = (Path(server["GIFTCARDS_REPORTS"]) / "giftcards-2026-11.html").read_text()
    assert "2026-11-30 23:59:59 CET" in page
    assert {stat.S_IMODE(path.stat().st_mode) for path in Path(server["GIFTCARDS_REPORTS"]).iterdir()} == {0o600}


@pytest.mark.process
def test_late_close_is_refused_and_says_what_can_be_done(server: dict[str, str]) -> None:
    """Two days later the balances of the month's end are gone; to use today's takes a word, and every report tells."""
    late = close(server, "2026-12-03T08:00:00+00:00", code=2)
    assert re.search(
        r"--period last-month: it ended with 2026-11-30, and 2 days later, on 2026-12-03 09:00:\d\d CET, the balances "
        r"of its end can no longer be read\. .* --date 2026-11-30",
        late.stderr,
    )
    assert days(server) == []
    early = close(server, "2026-12-03T08:00:00+00:00", "2026-12", code=2)
    assert (
        "--period 2026-12: it ends with 2026-12-31 and today is 2026-12-03; run this from 2027-01-01 on" in early.stderr
    )


@pytest.mark.process
def test_failure_of_the_snapshot_is_that_of_the_script(server: dict[str, str]) -> None:
    """With a token that is refused nothing is stored, no report is made, and the exit code says so; cron mails a line
    that tells what to do."""
    refused = close({**server, "PIGGY_TOKEN": "another"}, "2026-10-31T23:05:00+00:00", code=3)
    assert "token" in refused.stderr
    assert days(server) == []
    assert list(Path(server["GIFTCARDS_REPORTS"]).iterdir()) == []
