"""The command that starts the local stand-in for the service."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import click

from piggy_batch.cli.context import command_line
from piggy_batch.cli.groups import command
from piggy_batch.cli.options import add_options
from piggy_batch.cli.paths import PathType
from piggy_batch.cli.terminal import tell
from piggy_batch.errors import SetupError
from piggy_batch.text import printable_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from piggy_batch.sandbox import Sandbox, Settings

    Option = Callable[[Any], Any]

MONTH: Literal["month"] = "month"  # in place of a file of events
HOST = "127.0.0.1"
MANY = 5_000_000


def _number(name: str, what: str, default: int | None, least: int = 0, most: int | None = None) -> Option:
    kind, shown = click.IntRange(least, most), default is not None
    return click.option(f"--{name}", type=kind, metavar="N", default=default, show_default=shown, help=what)


def _choice(name: str, choices: str, what: str) -> Option:
    values = choices.split()
    return click.option(f"--{name}", type=click.Choice(values), default=values[0], show_default=True, help=what)


def _flag(name: str, what: str, *, default: bool = False) -> Option:
    if default:
        return click.option(f"--{name}/--no-{name}", default=True, show_default=True, help=what)
    return click.option(f"--{name}", is_flag=True, help=what)


def _several(name: str, metavar: str, what: str) -> Option:
    return click.option(f"--{name}", multiple=True, metavar=metavar, help=what)


# What it holds, who may ask, and its pace: option and setting have one name.
WORLD: tuple[Option, ...] = (
    _number("giftcards", "Giftcards at the start.", 1000, 0, MANY),
    _number("contacts", "Contacts at the start.", 1000, 0, MANY),
    _number("identifiers", "Cards CARD-000001… at the start, every second one linked.", 0, 0, MANY),
    _number("programs", "Giftcard programs.", 3, 1, 1000),
    _number("shops", "Shops.", 3, 1, 1000),
    _several("attributes", "NAME", "A contact attribute of the account's own (repeatable)."),
    click.option("--seed", type=int, default=1, show_default=True, help="Of everything random in it."),
    click.option(
        "--state",
        type=PathType(dir_okay=False),
        metavar="FILE",
        help="Keep what it holds in this file.",
    ),
    click.option("--token", default="sandbox", show_default=True, help="The token it accepts."),
    _number("client-id", "For POST /oauth/token: the client's id, a whole number.", 1),
    click.option("--client-secret", default="sandbox-secret", show_default=True, help="And its secret."),
    _number("latency-ms", "How long every answer takes.", 50, 0, 60_000),
    _number("limit-per-minute", "Requests a minute before 429; 0: no limit.", 5000),
    _number("churn", "Giftcards deleted, and as many made, after each page of their list.", 0),
    _flag("shuffle", "Cards made in one moment change places between two reads of their list."),
)
# What the known facts leave open. The default is the likelier; a client must do with all of them.
OPEN_FACTS: tuple[Option, ...] = (
    _flag("trim-values", "Spaces around every text that arrives are lost, names included."),
    _flag("fold-case", "Card numbers that differ only in case are one."),
    _choice("hash-case", "exact fold", "Whether case counts in the hash of a giftcard."),
    _number("longest-value", "Characters of a card number; more is 1003.", 255, 1),
    _choice("unlink-unlinked", "60011 ok", "Unlinking a card that nobody holds is refused, or does nothing."),
    _choice("update-missing", "60003 1003", "How an update of an unknown card is refused."),
    _choice("delete-linked", "ok refused", "Whether a card that somebody holds can be deleted."),
    _choice("delete-shape", "null [] {} none empty", "What a delete answers as data; none: no such key."),
    _flag("link-email", "The contact in a card's answer shows its e-mail address.", default=True),
    _choice("over-limit", "1003 clamp", "A page or a page size out of bounds is refused, or made to fit."),
    _choice("transactions-page-param", "perPage limit", "What sets the page size of giftcard transactions."),
    _flag("transactions-need-filter", "Their list needs a hash, a program or a shop."),
    _choice("send-shape", "bare nested", "The answer to a giftcard's mail."),
    _several("email-required", "UUID", "E-mails that exist (repeatable); none: no usable one.  [default: any]"),
    _several("unsubscribed", "ADDRESS", "A contact to whom no giftcard can be mailed (repeatable)."),
    _flag("top-up-once", "A digital giftcard can be loaded once only.", default=True),
    _choice("unknown-attribute", "1003 ignore", "An update that names an attribute which the account has not."),
    _flag("attributes-shown", "Contacts show their list of attributes.", default=True),
    _number("contact-quota", "Contacts beyond so many are 60000.", None),
    _number("contact-delete-delay-s", "Seconds until a contact's deletion shows.", 0),
    _flag("default-unit", "Credits can be given by value, without the name of a unit.", default=True),
    _number("max-credits", "Credits at a time; more is 1015.", None),
    _choice("unauthorized-body", "laravel oauth empty", "The body of a 401."),
)


START: tuple[Option, ...] = (
    click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0: a free one."),
    click.option(
        "--events",
        type=PathType(),
        metavar="FILE",
        help="Play the events in this table before it starts; the word month: a made-up month.",
    ),
    click.option(
        "--play",
        type=PathType(),
        metavar="FILE",
        help="Play them in the sandbox that runs on --port, and leave.",
    ),
    click.option(
        "--print-env",
        is_flag=True,
        help="Print what the sandbox with these options prints, as export lines for eval, and leave.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print address, token, shops and programs as JSON."),
    _several("fault", "KIND[:SHARE]", "Misbehave so (repeatable); --list-faults lists the kinds."),
    click.option("--list-faults", is_flag=True, help="List the kinds of faults, and leave."),
)
_HELP = """A local stand-in for the service: rehearse a manifest against it, with faults if you like.

Prints its address and token, a shop and the giftcard programs, one a line, then serves until it is stopped. In
another terminal, with the same options: eval "$(piggy-batch sandbox --print-env)"

Events are what tills and webshops do: a table with a column action (issue, topup, redeem, expire, delete, activate,
deactivate, move) and, as the action needs them, card (a number, 1 = the first) or hash or uuid, program and shop
(numbers), amount_in_cents, sweep, expires, at.

\b
A close is rehearsed so, with the sandbox in another terminal:
  piggy-batch giftcards snapshot --store store
  piggy-batch sandbox --play month
  piggy-batch giftcards snapshot --store store
  piggy-batch giftcards transactions export --to moved.csv
  piggy-batch giftcards report store/*/*.parquet --transactions moved.csv
"""


@click.pass_context
def _sandbox(
    ctx: click.Context,
    /,
    *,
    port: int,
    events: Path | None,
    play: Path | None,
    fault: tuple[str, ...],
    list_faults: bool,
    print_env: bool,
    as_json: bool,
    **given: Any,
) -> None:
    try:
        from piggy_batch.sandbox import FAULT_KINDS, Sandbox, announcement, serve_sandbox
    except ImportError:
        raise SetupError("the sandbox is an extra: pip install 'piggy-batch[sandbox]'") from None
    if list_faults:
        for kind, line in FAULT_KINDS.items():
            click.echo(f"{kind:<20} {line}")
        return
    if port == 0 and (play is not None or print_env):
        raise click.UsageError("--port 0 is a port that nobody knows before it is taken; name the sandbox's own --port")
    if play is not None:
        play_in_running(play, port)
        return
    settings = settings_from(given, fault)
    if print_env:
        shown = replace(settings, giftcards=0, contacts=0, identifiers=0, state=None)
        click.echo(announcement.as_exports(Sandbox(shown), f"http://{HOST}:{port}"), nl=False)
        return

    def announce(sandbox: Sandbox, base_url: str) -> str:
        if sys.stdout.isatty() and not as_json:
            taken = base_url.rpartition(":")[2]
            same = command_line(ctx.obj["argv"]) + (f" --port {taken}" if port == 0 else "")
            tell(f'in another terminal: eval "$({same} --print-env)"')
        return (announcement.as_json if as_json else announcement.as_lines)(sandbox, base_url)

    try:
        sandbox = Sandbox(settings)
    except ValueError as error:
        raise SetupError(f"--state {settings.state}: {error}") from None
    if events is not None:
        try:
            told = counted_events(sandbox.play(events_of(events)))
        except ValueError as error:
            raise SetupError(f"--events {events}: {error}") from None
        click.echo(told, err=True)
    try:
        serve_sandbox(sandbox, port, HOST, announce)
    except OSError as error:
        raise SetupError(f"port {port}: {error.strerror}; take another --port, or 0 for a free one") from None


def settings_from(given: Mapping[str, Any], faults: tuple[str, ...]) -> Settings:
    """The sandbox's settings from the options that bear their names."""
    from piggy_batch.sandbox import Settings, account_of, parse_fault

    emails: tuple[str, ...] = given["email_required"]
    try:
        parsed = tuple(parse_fault(text) for text in faults)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    changed = {
        "account_uuid": account_of(given["state"]),
        "email_required": None if not emails else tuple(uuid for uuid in emails if uuid != "none"),
        "unsubscribed": frozenset(given["unsubscribed"]),
        "faults": parsed,
    }
    return Settings(**{**given, **changed})


def events_of(path: Path) -> list[dict[str, str]] | Literal["month"]:
    """The events in a table, or the word that asks for a made-up month."""
    return MONTH if str(path) == MONTH else list(rows_of(path))


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The events in a table: each row's cells by their columns, blank ones left out."""
    from piggy_batch.tables import open_table

    with open_table(path) as table:
        if "action" not in table.columns:
            raise SetupError(f"{path}: has no column action; it says what happens: issue, topup, redeem, expire …")
        for _, cells in table.rows():
            yield {name: text for name, text in zip(table.columns, cells, strict=False) if text != ""}


def counted_events(played: Mapping[str, int]) -> str:
    """How many events of each kind were played, in one line."""
    kinds = ", ".join(f"{count:,} {action}" for action, count in sorted(played.items()))
    return f"played {sum(played.values()):,} events: {kinds}" if played else "played no events: the table has none"


def play_in_running(path: Path, port: int) -> None:
    """Play events in the sandbox that listens on a port; SetupError where there is none, or it refuses one."""
    from http.client import HTTPConnection, HTTPException

    body = json.dumps({"events": events_of(path)})
    connection = HTTPConnection(HOST, port, timeout=300)
    try:
        connection.request("POST", "/_sandbox/events", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        status, text = answer.status, answer.read().decode(errors="replace")
        played: dict[str, int] = json.loads(text)["played"] if status == 200 else {}
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        raise SetupError(f"no sandbox answers on port {port}; start one, or name its --port") from None
    finally:
        connection.close()
    if status != 200:
        raise SetupError(f"--play {path}: {printable_line(text)}; the events before it are played")
    click.echo(counted_events(played))


sandbox: click.Command = command(
    "sandbox",
    help=_HELP,
    short_help="A local stand-in for the service, to rehearse against.",
    examples=(
        ("an account with 1,000 contacts and giftcards, kept between starts", "piggy-batch sandbox --state shop.json"),
        ("a month of sales in the one that runs, between two snapshots", "piggy-batch sandbox --play month"),
    ),
)(add_options(_sandbox, (*START, *WORLD, *OPEN_FACTS)))
