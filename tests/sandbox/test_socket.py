"""The sandbox as a process on a port: starting, faults on a real connection, stopping."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.process
START = "import sys, pathlib; from piggy_batch.sandbox import *; serve(Settings({}), 0)"
VALUE = "contact_identifier_value"


class Served:
    """A sandbox process and a client of it."""

    def __init__(self, switches: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", START.format(switches)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().strip() for _ in range(2)]
        self.url = self.lines[0].removeprefix("PIGGY_BASE_URL=")

    def client(self, **more: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.lines[1].removeprefix('PIGGY_TOKEN=')}"}
        return httpx.Client(base_url=f"{self.url}/api/v3/oauth/clients", headers=headers, **more)

    def state(self) -> Any:
        return httpx.get(f"{self.url}/_sandbox/state").json()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors


@pytest.fixture
def served() -> Iterator[Callable[..., Served]]:
    """Starts sandboxes; whatever still runs at the end is stopped."""
    started: list[Served] = []

    def start(switches: str = "") -> Served:
        started.append(Served(switches))
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture(scope="module")
def shared() -> Iterator[Served]:
    """One sandbox for all faults; in the end it must have stopped cleanly and printed no error."""
    one = Served("hang_s=0.3")
    yield one
    assert one.stop() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_stops_cleanly(served: Any, number: signal.Signals) -> None:
    """Two lines once it answers; exit 0 and nothing on stderr after a signal, also with a request hanging."""
    one = served("token='t-1', faults=(Fault('timeout', method='POST'),)")
    assert one.lines == [f"PIGGY_BASE_URL={one.url}", "PIGGY_TOKEN=t-1"]
    with one.client() as client:
        assert client.get("").json()["data"]["company"] == "Sandbox Shop"
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(client.post, "/contacts")
            while one.state()["in_flight"] == 0:
                pass
            assert one.stop(number) == (0, "")
            assert isinstance(hanging.exception(5), httpx.RemoteProtocolError)


def test_state_survives_a_restart(served: Any, tmp_path: Path) -> None:
    """The file is written on the way out and read on the way in."""
    switches = f"state=pathlib.Path({str(tmp_path / 'world.json')!r})"
    one = served(switches)
    with one.client() as client:
        client.post("/contact-identifiers", json={VALUE: "A"})
    assert one.stop() == (0, "")
    assert json.loads((tmp_path / "world.json").read_text())["version"] == 1
    assert served(switches).state()["identifiers"] == 1


def test_changes_are_saved_while_it_runs(served: Any, tmp_path: Path) -> None:
    """Killed without a goodbye, the file holds what was changed before."""
    file = tmp_path / "world.json"
    one = served(f"save_every_s=0.05, state=pathlib.Path({str(file)!r})")
    with one.client() as client:
        client.post("/contact-identifiers", json={VALUE: "A"})
    for _ in range(200):
        if file.exists():
            break
        time.sleep(0.02)
    one.stop(signal.SIGKILL)
    assert json.loads(file.read_text())["worlds"]


def test_a_taken_port_is_an_error(served: Any) -> None:
    """serve raises, nothing is announced."""
    port = served().url.rsplit(":", 1)[1]
    code = f"from piggy_batch.sandbox import *; serve(Settings(), {port})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=10)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "OSError" in done.stderr


@pytest.mark.parametrize(
    ("kind", "error", "applied"),
    [
        ("timeout", httpx.ReadTimeout, False),
        ("timeout-after", httpx.ReadTimeout, True),
        ("reset-before", httpx.RemoteProtocolError, False),
        ("reset-after", httpx.RemoteProtocolError, True),
        ("reset-body", httpx.RemoteProtocolError, True),
        ("header-bomb", httpx.RemoteProtocolError, True),
        ("trickle", httpx.ReadTimeout, True),
    ],
)
def test_faults_of_the_connection(shared: Served, kind: str, error: type[Exception], applied: bool) -> None:
    """The client sees the connection fail, and the effect is there or not as promised."""
    before = shared.state()["effects"].get("identifiers.create", 0)
    httpx.post(f"{shared.url}/_sandbox/faults", json={"kind": kind, "times": 1, "method": "POST"})
    with shared.client(timeout=0.15) as client, pytest.raises(error):
        client.post("/contact-identifiers", json={VALUE: f"v-{kind}"})
    assert shared.state()["effects"].get("identifiers.create", 0) - before == applied
    with shared.client() as client:
        assert client.get("").status_code == 200


def test_a_hang_is_bounded(shared: Served) -> None:
    """After hang_s the connection is closed without an answer."""
    httpx.post(f"{shared.url}/_sandbox/faults", json={"kind": "timeout", "times": 1})
    with shared.client(timeout=5) as client, pytest.raises(httpx.RemoteProtocolError):
        client.get("")


def test_a_huge_body_arrives_whole(shared: Served) -> None:
    """As long as it was asked for."""
    httpx.post(f"{shared.url}/_sandbox/faults", json={"kind": "huge", "times": 1, "size": 3_000_000})
    with shared.client() as client:
        assert len(client.get("").content) == 3_000_000


def test_hard_resets_reach_the_client_as_such(served: Any) -> None:
    """With the switch the connection is reset, not closed in order."""
    one = served("hard_reset=True, faults=(Fault('reset-after', times=1),)")
    with one.client() as client, pytest.raises(httpx.ReadError):
        client.get("")
    assert one.stop() == (0, "")


def test_fifty_at_once(shared: Served) -> None:
    """Many connections at once: every request answered, every effect once."""

    def work(number: int) -> int:
        return client.post("/contact-identifiers", json={VALUE: f"many-{number}"}).status_code

    with shared.client(timeout=30) as client, ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(work, range(200)))
    assert statuses == [200] * 200
    assert shared.state()["max_per_key"]["identifiers.create"] == 1


def test_odd_requests_do_no_harm(shared: Served) -> None:
    """A path with escapes, no path, a body that lies about its type: JSON answers, no traceback."""
    with shared.client() as client:
        assert client.get("/giftcards/%2e%2e%2Fx%00").status_code == 400
        assert client.get("/giftcards//x").status_code == 404
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        assert client.post("/contact-identifiers", content=b"\xff\x00", headers=headers).status_code == 400
        headers = {"Content-Type": "multipart/form-data"}
        assert client.post("/contact-identifiers", content=b"x", headers=headers).status_code == 400
        headers = {"Content-Type": "application/json"}
        assert client.post("/contact-identifiers", content=b"{", headers=headers).status_code == 400
