"""Profiles: what belongs to one account by a name; options and environment win, tokens stay out of sight."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from piggy_batch.cli.groups import Command
from piggy_batch.cli.main import cli, main
from piggy_batch.client.profiles import EXAMPLE, profiles_path, read_profiles
from piggy_batch.library.account import Account
from tests.support.processes import ROOT, TOKEN, serving

PROFILE = """\
[shop-a]
base_url = "http://127.0.0.1:9"
token_file = "shop-a.token"
rate = 20
shop = "9d66eec2-10ee-41f6-af6b-2dec89025cb3"
currency = "SEK"
timezone = "Europe/Stockholm"
[shop-a.accounts]
outstanding = "2210"
redeemed = "8010"
[shop-a.currencies]
p-1 = "GBP"
"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration directory of the test's own; the environment says nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("PIGGY_TOKEN", "PIGGY_BASE_URL", "PIGGY_TOKEN_FILE", "PIGGY_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config" / "piggy-batch"


def write(text: str, mode: int = 0o600) -> Path:
    """The file of profiles."""
    path = profiles_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0), *capsys.readouterr()


def values_of(*words: str) -> tuple[dict[str, object], dict[str, object]]:
    """What a command line comes to: the command's parameters, and what its program-wide options leave behind."""
    left = list(words)
    context = cli.make_context("piggy-batch", left, obj={})
    rest = [*context._protected_args, *context.args]
    while isinstance(context.command, click.Group):
        name, command, rest = context.command.resolve_command(context, rest)
        assert isinstance(command, Command)
        context = command.make_context(name, rest, parent=context)
        rest = [*context._protected_args, *context.args]
    return context.params, context.obj


# --- what wins -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [True, False])
def test_a_profile_gives_the_defaults_of_the_options(before: bool) -> None:
    """Rate, shop, currency, time zone, address and token file, wherever --profile stands."""
    write(PROFILE)
    profile = ("--profile", "shop-a")

    def values(*words: str) -> tuple[dict[str, object], dict[str, object]]:
        return values_of(*((*profile, *words) if before else (*words, *profile)))

    params, left = values("migrate", "cards.csv")
    assert str(params["rate"]) == "20"
    assert params["shop"] == "9d66eec2-10ee-41f6-af6b-2dec89025cb3"
    assert left["base_url"] == "http://127.0.0.1:9"
    assert left["token_file"] == profiles_path().parent / "shop-a.token"
    params, _ = values("giftcards", "report", "--store", "snapshots")
    assert (params["currencies"], params["timezone_name"]) == (("SEK", "p-1=GBP"), "Europe/Stockholm")
    assert params["accounts"] == (("outstanding", "2210"), ("redeemed", "8010"))


def test_one_account_of_the_ledger_can_be_another_for_once() -> None:
    """What is typed wins name by name; the accounts and currencies of the profile beside it stay."""
    write(PROFILE)
    words = ("--profile", "shop-a", "giftcards", "report", "--store", "snapshots")
    params, _ = values_of(*words, "--account", "redeemed=8020", "--account", "expired=8090", "--currency", "p-2=USD")
    assert params["accounts"] == (("outstanding", "2210"), ("redeemed", "8020"), ("expired", "8090"))
    assert params["currencies"] == ("SEK", "p-1=GBP", "p-2=USD")
    params, _ = values_of(*words, "--currency", "EUR", "--currency", "p-1=USD")
    assert params["currencies"] == ("EUR", "p-1=USD")
    params, _ = values_of("giftcards", "report", "--store", "snapshots", "--account", "redeemed=8020")
    assert params["accounts"] == (("redeemed", "8020"),)


def test_options_win_over_the_environment_and_that_over_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in its turn, also where an option stands before the command and the environment names it too."""
    write(PROFILE)
    monkeypatch.setenv("PIGGY_BATCH_RATE", "7")
    monkeypatch.setenv("PIGGY_BASE_URL", "http://127.0.0.1:7")
    params, left = values_of("identifiers", "create", "cards.csv", "--profile", "shop-a")
    assert (str(params["rate"]), left["base_url"]) == ("7", "http://127.0.0.1:7")
    words = ("--base-url", "http://127.0.0.1:8", "identifiers", "create", "cards.csv", "--profile", "shop-a")
    params, left = values_of(*words, "--rate", "3")
    assert (str(params["rate"]), left["base_url"]) == ("3", "http://127.0.0.1:8")


def test_the_environment_may_name_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """PIGGY_PROFILE for a session; --profile wins."""
    write(PROFILE + "[shop-b]\nrate = 3\n")
    monkeypatch.setenv("PIGGY_PROFILE", "shop-a")
    assert str(values_of("identifiers", "create", "c.csv")[0]["rate"]) == "20"
    assert str(values_of("--profile", "shop-b", "identifiers", "create", "c.csv")[0]["rate"]) == "3"


@pytest.mark.parametrize("command", ["giftcards export", "giftcards transactions export", "sandbox", "undo"])
def test_a_profile_chooses_nothing_that_it_was_not_asked_for(command: str) -> None:
    """Its shop is no filter of lists, and commands without such an option are left alone."""
    write(PROFILE)
    words = {"undo": ["run"], "sandbox": []}.get(command, ["--to", "x.csv"])
    plain, _ = values_of(*command.split(), *words)
    chosen, _ = values_of(*command.split(), *words, "--profile", "shop-a")
    changed = {name for name in plain if str(plain[name]) != str(chosen[name])}
    assert changed <= {"rate", "timezone_name"}


# --- the token -----------------------------------------------------------------------------------------


def ping(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Whose token it is, with a profile."""
    return typed(capsys, "ping", "--profile", "shop-a", *words)


@pytest.mark.process
def test_the_token_comes_from_the_profiles_file_and_the_environment_wins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file beside the profiles; PIGGY_TOKEN instead of it is told."""
    with serving() as service:
        write(f'[shop-a]\nbase_url = "{service.url}"\ntoken_file = "shop-a.token"\n')
        token = profiles_path().parent / "shop-a.token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        code, out, err = ping(capsys)
        assert (code, err) == (0, "")
        assert "Sandbox Shop" in out
        monkeypatch.setenv("PIGGY_TOKEN", "another")
        code, _, err = ping(capsys)
        assert code == 3
        assert "the token is that of PIGGY_TOKEN" in err
        assert "the address is" not in err
        assert ping(capsys, "--token-file", str(token))[0] == 0


def test_python_functions_tell_which_address_wins(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As the command does; an address that was given needs no note."""
    write('[shop-a]\nbase_url = "http://127.0.0.1:9"\n')
    monkeypatch.setenv("PIGGY_TOKEN", TOKEN)
    monkeypatch.setenv("PIGGY_BASE_URL", "http://127.0.0.1:7")
    assert Account(profile="shop-a", base_url="http://127.0.0.1:5").target().base_url == "http://127.0.0.1:5"
    assert not [told for told in caplog.messages if "address" in told]
    assert Account(profile="shop-a").target().base_url == "http://127.0.0.1:7"
    (told,) = [told for told in caplog.messages if "address" in told]
    assert "the address is that of PIGGY_BASE_URL, http://127.0.0.1:7, which wins over the profile shop-a" in told


@pytest.mark.process
def test_an_address_of_the_environment_that_wins_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for one shop and is led to another hears it; what was typed needs no note."""
    with serving() as service:
        write('[shop-a]\nbase_url = "http://127.0.0.1:9"\n')
        monkeypatch.setenv("PIGGY_TOKEN", TOKEN)
        monkeypatch.setenv("PIGGY_BASE_URL", service.url)
        code, _, err = ping(capsys)
        assert code == 0
        told = " ".join(err.split())
        assert f"the address is that of PIGGY_BASE_URL, {service.url}, which wins over the profile shop-a" in told
        assert "the address is" not in ping(capsys, "--base-url", service.url)[2]
        monkeypatch.setenv("PIGGY_BASE_URL", service.url.replace("//", "//ann:hunter2@"))
        code, _, err = ping(capsys)
        assert (code, "hunter2" in err, "the address is" in err) == (2, False, False)


def test_a_rate_without_limit_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """0 is a value like any other."""
    write("[shop-a]\nrate = 0\n")
    assert "  rate      0\n" in typed(capsys, "profiles")[1]


@pytest.mark.process
def test_a_token_in_the_clear_only_for_who_insists(capsys: pytest.CaptureFixture[str]) -> None:
    """Refused, with what to do; with token_in_clear it is used, and shown nowhere."""
    with serving() as service:
        start = f'[shop-a]\nbase_url = "{service.url}"\ntoken = "{TOKEN}"\n'
        write(start)
        code, out, err = ping(capsys)
        assert code == 2
        assert "token_in_clear = true" in err
        write(start + "token_in_clear = true\n")
        assert ping(capsys)[0] == 0
        shown = typed(capsys, "profiles")[1] + typed(capsys, "profiles", "--json")[1]
        assert "in this file" in shown
        assert TOKEN not in shown + out + err
        assert TOKEN not in repr(read_profiles())


@pytest.mark.process
@pytest.mark.parametrize("known", [True, False])
def test_a_token_from_the_keyring(tmp_path: Path, known: bool) -> None:
    """Asked for under piggy-batch and the name; where it is not there, the command that puts it there is told."""
    (tmp_path / "site").mkdir()
    answer = TOKEN if known else ""
    (tmp_path / "site" / "keyring.py").write_text(
        f"def get_password(service, name):\n    assert (service, name) == ('piggy-batch', 'a')\n    return {answer!r}\n"
    )
    with serving() as service:
        write(f'[shop-a]\nbase_url = "{service.url}"\nkeyring = "a"\n')
        run = subprocess.run(
            [sys.executable, "-m", "piggy_batch", "ping", "--profile", "shop-a"],
            env=os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert run.returncode == (0 if known else 2), run.stderr
    assert known or "keyring set piggy-batch a" in run.stderr


@pytest.mark.hostile("18.21 controls of direction, an open token file or a secret in the wrong option")
def test_a_token_file_that_others_can_read_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With the command that mends it."""
    Path("token").write_text("x")
    Path("token").chmod(0o644)
    code, _, err = typed(capsys, "ping", "--token-file", "token", "--base-url", "http://127.0.0.1:9", "--timeout", "1")
    assert code == 3
    assert "token can be read by others; run: chmod 600 token" in err


# --- the file ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(capsys: pytest.CaptureFixture[str], mode: int) -> None:
    """Exit 2, with the command that mends it."""
    path = write(PROFILE, mode)
    code, _, err = ping(capsys)
    assert code == 2
    assert f"chmod 600 {path}" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[shop-b]\n", "no such profile (did you mean shop-b?)"),
        ("[shop-a]\nbase_ur = 'x'\n", "unknown key base_ur (did you mean base_url?)"),
        ("[shop-a]\nrate = 'fast'\n", "rate is not written as it must be"),
        ("[shop-a]\naccounts = 'x'\n", "accounts is not written as it must be"),
        ("[shop-a]\nshop = ''\n", "shop is not written as it must be"),
        ("[shop-a]\nbase_url = 'https://me:s3cret@api.piggy.eu'\n", "base_url is not written as it must be"),
        ("[shop-a]\nkeyring = 'a'\ntoken_file = 'b'\n", "token_file and keyring both name a token"),
        ("rate = 3\n", "rate stands outside a profile"),
        ("[shop-a\n", "profiles.toml"),
        ("\x00", "profiles.toml"),
    ],
)
def test_a_file_that_makes_no_sense_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    """Exit 2; where, what, and what it may have been meant to be."""
    write(text)
    code, _, err = ping(capsys)
    assert code == 2
    assert words in err
    assert len(err.splitlines()) == 1


def test_the_example_is_a_profile(capsys: pytest.CaptureFixture[str]) -> None:
    """What --example prints can be read, and profiles lists it."""
    assert typed(capsys, "profiles")[2].startswith("no profiles yet")
    write(typed(capsys, "profiles", "--example")[1])
    assert profiles_path().read_text() == EXAMPLE
    _, out, _ = typed(capsys, "profiles")
    for shown in ("shop-a", "https://api.piggy.eu", "shop-a.token", "20", "EUR", "outstanding=2210"):
        assert shown in out
    assert json.loads(typed(capsys, "profiles", "--json")[1])["shop-a"]["rate"] == 20


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("rate = -5", "rate is not written"),
        ("rate = nan", "rate is not written"),
        ("rate = inf", "rate is not written"),
        ('token_file = "~nobody-of-that-name/token"', "token_file is not written"),
        ('token_file = "a\\u0000b"', "token_file is not written"),
    ],
)
def test_values_that_no_option_would_take(capsys: pytest.CaptureFixture[str], line: str, word: str) -> None:
    """Said for the profile, before anything is asked."""
    write(f"[shop-a]\n{line}\n")
    code, _, told = typed(capsys, "--profile", "shop-a", "ping")
    assert code == 2
    assert word in told


def test_a_port_that_there_is_not(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is named, not an error of some library."""
    monkeypatch.setenv("PIGGY_TOKEN", TOKEN)
    code, _, told = typed(capsys, "--base-url", "http://127.0.0.1:99999", "ping")
    assert code == 2
    assert "is no address" in told


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_never_ends_is_no_file_of_profiles(capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """It is not read: a pipe without a writer would be waited for, a device fill the memory."""
    path = write("")
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path, 0o600)
    else:
        path.symlink_to("/dev/zero")
    code, _, told = typed(capsys, "profiles")
    assert code == 2
    assert "is no regular file" in told
