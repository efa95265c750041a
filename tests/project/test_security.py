"""What must never be seen, never be driven, never be written elsewhere."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import ssl
import subprocess
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import quote

import httpx
import openpyxl
import pytest
import trustme

from piggy_batch.cli.output import json_text, show_result, shown_command
from piggy_batch.cli.progress_display import ProgressDisplay
from piggy_batch.client.http import describe_exchange
from piggy_batch.client.rate_limiter import Rate
from piggy_batch.client.target import make_target, read_token
from piggy_batch.endpoints import find_operation
from piggy_batch.errors import SetupError
from piggy_batch.importing.options import ImportOptions, RunResult
from piggy_batch.importing.runner import run
from piggy_batch.models import Lost, Reply, Request
from piggy_batch.runs.context import ConnectionOptions
from piggy_batch.sandbox import Fault, Sandbox, Settings
from tests.importing.giftcards.support import create, lose, settle
from tests.support.processes import PROGRAM, ROOT, TOKEN, Service, environment, finish, manifest, serving, start
from tests.support.world import World, in_virtual_time

EVIL = "Shop\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj\u2028\r\nnext\x00\x7f"


def is_harmless(text: str) -> bool:
    """No character that could drive a terminal, line ends aside."""
    return all(c == "\n" or unicodedata.category(c)[0] != "C" for c in text) and "\u2028" not in text


# --- the token -------------------------------------------------------------------------------------------


@pytest.mark.process
def test_the_token_is_nowhere(tmp_path: Path) -> None:
    """Everything at -v under faults: not in files, their names, stdout, stderr, or what ps shows."""
    said: list[str] = []
    lines: list[str] = []
    faults = ("500", "reset-after", "429-bare", "502-html", "truncated")
    common = ("-v", "--rate", "0", "--yes", "--no-progress", "--attempts", "2")
    cards, out = manifest(tmp_path / "cards.csv", "NEW", 15), tmp_path / "all.csv"
    with serving("--contacts", "5", "--giftcards", "30", "--latency-ms", "1") as service:
        for kind in faults:  # not the pings: every command is to get under way
            service.ask("faults", {"kind": kind, "share": 0.1, "method": "POST"})
        service.ask("faults", {"kind": "500", "share": 0.1, "path": "giftcards"})
        uuid = Sandbox(Settings()).world.cards.programs[1].uuid  # the same seed, the same program
        batch = ("--count", "10", "--set", f"giftcard_program_uuid={uuid}", "--run-dir", tmp_path / "batch")
        together = [
            ("ping", "-v"),
            ("identifiers", "create", cards, *common),
            ("giftcards", "create", *batch, *common),
            ("giftcards", "export", "--to", out, "-v", "--rate", "0", "--quick"),
        ]
        running = [start(service, tmp_path, *command) for command in together]
        while any(process.poll() is None for process in running):
            lines += [_shown_by_ps(process.pid) for process in running]
            time.sleep(0.02)
        for process in running:
            said += finish(process)[1:]
        after = [("giftcards", "reconcile", tmp_path / "batch", "-v", "--rate", "0")]
        refused = TOKEN + "-but-wrong"
        others = [start(service, tmp_path, *command) for command in after]
        others.append(start(service, tmp_path, "ping", "-v", PIGGY_TOKEN=refused))
        others.append(
            start(service, tmp_path, "identifiers", "find", cards, *common, "--limit", "2", "--timeout", "0.01")
        )
        for process in others:
            said += finish(process)[1:]
    assert any(re.search(r"POST /contact-identifiers 200 0\.\d+ s", text) for text in said)
    assert any(TOKEN[:5] not in line and "giftcards" in line for line in lines)
    assert not [text for text in (*said, *lines) if TOKEN in text]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"journal.sqlite", "run.log", "results.csv"} <= {path.name for path in files}
    spelt = (TOKEN.encode(), base64.b64encode(TOKEN.encode()))
    assert not [path for path in files if any(s in path.read_bytes() for s in spelt) or TOKEN in path.name]
    _are_private(tmp_path)


class _Echo(BaseHTTPRequestHandler):
    """Repeats all headers of the request, each time in another way; the first answer names the account."""

    protocol_version = "HTTP/1.1"
    ways = itertools.count()

    def answer(self) -> None:
        """One of the ways in which debug pages, gateways and redirects do so."""
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        echoed = "".join(f"{name}: {value}\n" for name, value in self.headers.items())
        packed = base64.encodebytes(echoed.encode()).decode()
        spelt = quote(self.headers["Authorization"], safe="")
        if self.path == "/api/v3/oauth/clients":
            self.say(200, json.dumps({"data": {"id": 7, "company": echoed}}))
            return
        answers = (
            (422, json.dumps({"message": echoed, "code": 60002, "errors": {spelt: [packed]}}), {}),
            (500, f"<html><pre>{echoed}</pre></html>", {}),
            (200, json.dumps({"data": {"uuid": packed, "name": echoed, "value": spelt}}), {}),
            (403, json.dumps({"message": packed}), {}),
            (418, "".join(f"{c}\r\n" for c in echoed), {}),
            (422, json.dumps({"message": "".join(f"\\u{ord(c):04x}" for c in echoed), "code": 60002}), {}),
            (200, echoed, {}),
            (200, json.dumps({"data": [{"uuid": spelt, "hash": echoed}], "meta": {"total": 1, "last_page": 1}}), {}),
            (302, "", {"Location": f"http://elsewhere.test/{spelt}?{self.headers['Authorization']}"}),
            (200, "", {f"bad header {self.headers['Authorization']}": "x"}),
        )
        self.say(*answers[next(self.ways) % len(answers)])

    def say(self, status: int, body: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        """One answer."""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body.encode()))} | dict(headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the server's own names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.hostile("18.10 a token that is repeated by the service is stored or shown")
@pytest.mark.process
def test_a_token_that_comes_back_is_kept_nowhere(tmp_path: Path) -> None:
    """A service that echoes the request's headers in every answer: not in files, stdout, stderr or run.log."""
    cards = manifest(tmp_path / "cards.csv", "NEW", 12)
    common = ("-v", "--rate", "0", "--yes", "--no-progress", "--attempts", "2", "--concurrency", "1")
    commands = [
        ("ping", "-v"),
        *(
            ("identifiers", verb, cards, *common, "--run-dir", tmp_path / f"{verb}-{n}")
            for verb in ("create", "find")
            for n in range(4)
        ),
        *(("giftcards", "export", "--to", tmp_path / f"{n}.csv", "-v", "--rate", "0", "--json") for n in range(4)),
        ("giftcards", "programs", "-v"),
    ]
    said: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        echo = Service(f"http://127.0.0.1:{server.server_port}", 0)
        for command in commands:
            said += finish(start(echo, tmp_path, *command))[1:]
        server.shutdown()
    assert sum("[token]" in text for text in said) > 5
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"journal.sqlite", "run.log", "results.csv", "errors.csv"} <= {path.name for path in files}
    texts = [*(text.encode() for text in said), *(path.read_bytes() for path in files)]
    in_base64 = [base64.b64encode(b"x" * n + TOKEN.encode())[4:-4] for n in range(3)]
    for spelt in (TOKEN.encode(), quote(TOKEN, safe="").encode(), *in_base64):
        for text in texts:
            assert spelt not in text
            assert spelt not in b"".join(text.split())


@pytest.mark.hostile("18.21 controls of direction, an open token file or a secret in the wrong option")
@pytest.mark.parametrize(
    "words",
    [
        ("--base-url", f"https://{TOKEN}@api.piggy.eu"),
        ("--base-url", f"https://api.piggy.eu/{TOKEN}"),
        ("--base-url", f"https://api.piggy.eu?token={TOKEN}"),
        ("--base-url", f"https://{TOKEN}"),
        ("--base-url", f"http://{TOKEN}/"),
        ("--base-url", TOKEN),
        ("--base-url", "https://another-Secret@api.piggy.eu"),
        ("--base-url", "another-Secret"),
        ("--base-url", "http://another-Secret"),
        ("--token-file", TOKEN),
        ("--token-file", "another-Secret"),
        ("--token-file", "another-Secret" * 400),
    ],
)
@pytest.mark.process
def test_a_secret_in_the_wrong_option_is_not_repeated(tmp_path: Path, words: tuple[str, str]) -> None:
    """One line that says what belongs there; what was typed stands in the shell's history already, and nowhere else."""
    command = [*PROGRAM, "ping", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert TOKEN not in done.stderr
    assert "another-Secret" not in done.stderr
    assert words[0] in done.stderr


@pytest.mark.hostile("18.17 a small file or answer takes all memory or time")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"x" * 100_000, "more than any token"),
        (b"\xff\xfe", "not text"),
        (b" \n", "is empty"),
        (b'"quoted-token-1"', "quotes"),
    ],
)
def test_a_token_file_is_read_up_to_a_bound(tmp_path: Path, content: bytes, told: str) -> None:
    """One that is no token's is named as what it is."""
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(SetupError, match=told):
        make_target("https://api.piggy.eu", read_token(path))
    with pytest.raises(SetupError, match="more than any token"):
        read_token(Path("/dev/zero"))


def _shown_by_ps(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _are_private(folder: Path) -> None:
    """Files 0600 and directories 0700, but for what the test itself has put there."""
    for path in folder.rglob("*"):
        if path.name != "cards.csv" and path.parent != folder / "state" and path != folder / "state":
            mode = path.stat().st_mode & 0o777
            assert mode == (0o700 if path.is_dir() else 0o600), f"{path} has {mode:o}"


def test_a_line_for_a_request_names_nobody() -> None:
    """-v tells method, path, status and seconds: no query, no uuid, no value."""
    read = Reply(status=200, body={}, is_json=True)
    uuid = "0811d64f-7d71-4e98-a981-2dec89025cc3"
    assert describe_exchange(Request("GET", ""), read, 0.0123) == "GET / 200 0.012 s"
    find = Request("GET", "contact-identifiers/find", query={"contact_identifier_value": "SECRET"})
    assert describe_exchange(find, read, 1.0) == "GET /contact-identifiers/find 200 1.000 s"
    send = Request("POST", f"giftcards/{uuid}/send-by-email", body={"contact_uuid": uuid})
    assert (
        describe_exchange(send, Lost("ReadTimeout", sent=True), 30)
        == "POST /giftcards/…/send-by-email ReadTimeout 30.000 s"
    )
    for odd in ("Ann", "12345678", "ab%2fcd", "é", ""):
        assert "…" in describe_exchange(Request("GET", f"giftcards/{odd}"), read, 0.0)


def test_every_request_of_a_run_is_told_once(world: World) -> None:
    """Pings, rows and looks; as many lines as the service saw."""
    world.sandbox.plan(Fault("reset-after", method="POST", times=2))
    names = world.manifest("contact_identifier_value", [f"NEW-{n}" for n in range(6)])
    world.run("identifiers create", names, context={"verbose": True})
    told = [line for line in world.said.lines if re.match(r"(GET|POST) /", line)]
    assert len(told) == world.state["requests_total"]
    assert sum("RemoteProtocolError" in line for line in told) == 2
    assert not [line for line in told if "NEW-" in line]


# --- the terminal ------------------------------------------------------------------------------------------


def shown(
    world: World, capsys: pytest.CaptureFixture[str], verb: str, file: Path, **given: Any
) -> tuple[str, RunResult]:
    """What a run prints, as a table and as JSON."""
    options = ImportOptions(connection=ConnectionOptions(Rate(0.0)), yes=True, **given)
    with ProgressDisplay("rows", bar=False) as display:
        context = replace(world.context(), progress=display, command=f"piggy-batch {verb} {file}", verbose=True)
        result = in_virtual_time(run(find_operation(verb), file, options, context), world.time)
    show_result(result, as_json=False)
    show_result(result, as_json=True)
    captured = capsys.readouterr()
    return captured.out + captured.err, result


def test_text_from_the_service_cannot_drive_the_terminal(
    make_world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    """Company, refusals, HTML pages, redirects: escaped, and still to be read."""
    world = make_world(company=EVIL)

    async def hook(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        value = json.loads(request.content)["contact_identifier_value"]
        if value == "JSON":
            body = {"code": 1003, "message": EVIL, "status_code": 400, "errors": {EVIL: [EVIL]}}
            return httpx.Response(400, json=body)
        if value == "PAGE":
            return httpx.Response(502, text=f"<html>{EVIL}")
        data = {"value": value, "name": EVIL, "active": True, "contact": {"uuid": EVIL, "email": EVIL}}
        return httpx.Response(200, json={"data": data, "meta": []})

    world.hook = hook
    names = world.manifest("contact_identifier_value", ["JSON", "PAGE", "OTHER"])
    text, result = shown(world, capsys, "identifiers create", names)
    assert is_harmless(text)
    assert "Shop\\x1b]0;owned" in text
    assert is_harmless((result.run_dir / "run.log").read_text())


def test_text_from_the_manifest_cannot_drive_the_terminal(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells, headers, and the file's own name."""
    evil = EVIL.replace("\x00", "").replace("\r\n", " ")
    path = world.folder / "cards\x1b[2J\x9b.csv"
    path.write_text(f'giftcard_uuid,"{evil}"\n"{evil}","{evil}"\n"{evil}",x\n')
    text, _ = shown(world, capsys, "giftcards get", path)
    assert is_harmless(text)
    assert "row 1 (line 2)" in text
    good = world.folder / "good\x1b[2J.csv"
    good.write_text(f'hash,"{evil}"\nABC,"{evil}"\n')
    text, result = shown(world, capsys, "giftcards find", good)
    assert is_harmless(text)
    assert result.exit_code == 0


def test_json_stays_json_and_holds_no_control_character() -> None:
    """Escaped as JSON escapes, read back the same; other letters as they are."""
    data = {"a": EVIL, "b": ["é€😀", "\U000e0001"], "c": {EVIL: None}}
    text = json_text(data)
    assert is_harmless(text)
    assert json.loads(text) == data
    assert "é€😀" in text


def test_a_command_with_control_characters_is_shown_escaped() -> None:
    """Others as they are, to be copied."""
    assert shown_command("piggy-batch ping 'été.csv'") == "piggy-batch ping 'été.csv'"
    assert is_harmless(shown_command("piggy-batch check 'a\x1b[2J.csv'"))


# --- workbooks -------------------------------------------------------------------------------------------


def test_nothing_becomes_a_formula_in_a_workbook(make_world: Callable[..., World]) -> None:
    """Own cells, answers and messages that begin like one are text, in results and in candidates."""
    world = make_world()
    world.sandbox.outside_event("giftcard", action="rename-program", program=1, name="=HYPERLINK(1)")
    risky = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A1", "http://example.test", "{=1}", "\t=1", "1E5", "007"]
    rows = [(world.sandbox.world.cards.programs[1].uuid, text) for text in risky]
    names = world.manifest("giftcard_program_uuid,=note", rows)
    lose(world, times=2)
    result = world.run("giftcards create", names, format="xlsx", baseline=True)
    world.sandbox.clear_faults()
    settle(world, result)
    files = list(result.run_dir.glob("*.xlsx"))
    assert {path.stem for path in files} == {"results", "unknown"}
    seen: set[object] = set()
    for path in files:
        book = openpyxl.load_workbook(path)
        for sheet in book:
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type in ("s", "n", "d", "b")
                    assert cell.data_type == "s" or cell.value is None or cell.column > 2, "a manifest's own cells"
                    assert cell.hyperlink is None
                    seen.add(cell.value)
        book.close()
    assert set(risky) <= seen
    assert "=HYPERLINK(1)" in seen


# --- paths -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["..csv", "...csv", "-rf.csv", "a b;c&d.csv", "$(x).csv", "%2e%2e%2fx.csv", "x\n.csv"])
def test_a_manifests_name_cannot_write_elsewhere(world: World, name: str) -> None:
    """Everything stands in one directory beside it."""
    inner = world.folder / "inner"
    inner.mkdir()
    names = world.manifest("contact_identifier_value", ["NEW-1"], f"inner/{name}")
    result = world.run("identifiers create", names)
    assert result.exit_code == 0
    assert result.run_dir.parent == inner
    assert {path.name for path in inner.iterdir()} == {name, result.run_dir.name}
    assert [path.name for path in world.folder.iterdir()] == ["inner"]


def test_a_sheets_name_cannot_write_elsewhere(world: World) -> None:
    """A sheet called like a path is only a name."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "..~..~evil"
    sheet.append(["contact_identifier_value"])
    sheet.append(["NEW-1"])
    path = world.folder / "cards.xlsx"
    book.save(path)
    book.close()
    result = world.run("identifiers create", path, sheet="..~..~evil")
    assert result.exit_code == 0
    assert {found.name for found in world.folder.iterdir()} == {"cards.xlsx", result.run_dir.name}


@pytest.mark.hostile("18.11 a report takes the place of what the run did not write")
def test_a_link_in_the_run_directory_is_not_followed(world: World) -> None:
    """Reports that somebody has turned into links elsewhere: they and their targets stay as they are."""
    victim = world.folder / "victim"
    victim.write_text("mine")
    run_dir = world.folder / "batch"
    run_dir.mkdir(mode=0o700)
    names = ("results.csv", "summary.json", "baseline.csv", "candidates.csv", "unknown.csv")
    for name in names:
        (run_dir / name).symlink_to(victim)
    lose(world, times=1)
    result = create(world, 2)
    settle(world, result)
    assert victim.read_text() == "mine"
    assert all((run_dir / name).is_symlink() for name in names)
    assert (run_dir / "results-2.csv").is_file()


def test_files_of_a_batch_are_private(world: World) -> None:
    """Baseline, candidates, manifest and reports: 0600, whatever the umask; the directory 0700."""
    lose(world, times=1)
    result = create(world, 2)
    world.sandbox.clear_faults()
    settle(world, result)
    assert result.run_dir.stat().st_mode & 0o777 == 0o700
    names = {path.name for path in result.run_dir.iterdir()}
    assert {"baseline.csv", "candidates.csv", "manifest.csv", "results.csv", "unknown.csv"} <= names
    for path in result.run_dir.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path.name


# --- proxies ---------------------------------------------------------------------------------------------


class Proxy:
    """A proxy on loopback that answers for the service itself, behind TLS; keeps what it was told in clear."""

    def __init__(self, certificate: trustme.LeafCert) -> None:
        self.heads: list[str] = []
        self.inside: list[str] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self._context)
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        self._ended = asyncio.Event()
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        server.close()
        await asyncio.sleep(0.05)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(self._context)
            while True:
                self.inside.append((await reader.readuntil(b"\r\n\r\n")).decode())
                body = json.dumps({"data": {"company": "Behind a proxy", "uuid": "p-1"}, "meta": []})
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    """A proxy, and its certificates in ``ca.pem``."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with Proxy(authority.issue_cert("api.example.test")) as found:
        yield found


@pytest.mark.process
def test_a_proxy_from_the_environment_is_used_and_shown(proxy: Proxy, tmp_path: Path) -> None:
    """The plan names it, without its password; the token goes through it only inside TLS."""
    names = manifest(tmp_path / "m.csv", "X", 1)
    where = ("--base-url", "https://api.example.test", "--ca-file", tmp_path / "ca.pem")
    environ = environment(
        tmp_path, HTTPS_PROXY=f"http://user:pa55word@127.0.0.1:{proxy.port}", NO_PROXY=None, https_proxy=None
    )
    command = [*PROGRAM, *map(str, ("identifiers", "find", names, "--dry-run", "-v", *where))]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert f"proxy: http://127.0.0.1:{proxy.port}" in done.stdout
    assert "Behind a proxy" in done.stdout
    assert "pa55word" not in done.stdout + done.stderr
    assert proxy.heads[0].startswith("CONNECT api.example.test:443 HTTP/1.1\r\n")
    assert TOKEN not in "".join(proxy.heads)
    assert f"Bearer {TOKEN}" in proxy.inside[0]
