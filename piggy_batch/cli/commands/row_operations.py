"""Row commands: each is made from its operation in the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.context import make_run_context, open_display, run_async
from piggy_batch.cli.groups import LazyGroup, command
from piggy_batch.cli.options import add_options
from piggy_batch.cli.output import refusal_shown, show_result
from piggy_batch.cli.paths import ManifestPath
from piggy_batch.cli.run_options import RUN_OPTIONS, columns_of, options_from, special_options
from piggy_batch.cli.terminal import tell
from piggy_batch.endpoints import CATALOGUE, Operation
from piggy_batch.endpoints.exportable_lists import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from piggy_batch.importing.options import RunResult


def describe(operation: Operation) -> str:
    """The help text: what it does, what a repeat does."""
    return (
        f"{operation.help}\n\nA second identical request {operation.repeat_note} ({operation.repeat.value}). Running "
        "the same command again goes on where it stopped."
    )


def make_command(operation: Operation) -> click.Command:
    """The click command of an operation."""

    @click.pass_context
    def callback(ctx: click.Context, /, manifest: Path | None, **given: Any) -> None:
        if given["template"]:
            click.echo(",".join(c.name for c in operation.columns))
            return
        count = given.get("count")
        if manifest is None and count is None:
            raise click.UsageError("Missing argument 'MANIFEST'.", ctx)
        if manifest is None:
            manifest = make_counted(ctx, operation, given["run_dir"], count, dict(given["constants"]))
        elif count is not None:
            raise click.UsageError("--count makes its own manifest; give either a manifest or a count", ctx)
        ctx.exit(run_command(ctx, operation, manifest, given))

    wanted = add_options(callback, (*RUN_OPTIONS, *special_options(operation)))
    wanted = click.argument("manifest", type=ManifestPath(), required=False)(wanted)
    made: click.Command = command(
        operation.verb,
        help=describe(operation),
        short_help=operation.help,
        columns=columns_of(operation),
        examples=examples(operation),
    )(wanted)
    return made


def examples(operation: Operation) -> tuple[tuple[str, str], ...]:
    """The plan, and a pilot of a list that has headers of its own."""
    start = f"piggy-batch {operation.name}"
    list_name = f"{operation.resource if operation.resource != 'identifiers' else 'cards'}.csv"
    plan = ("the plan; no write is sent", f"{start} {list_name} --dry-run")
    if operation.baseline:
        uuid = "9d66eec2-10ee-41f6-af6b-2dec89025cb3"
        count = f"{start} --count 500 --run-dir batch --set {operation.key}={uuid}"
        return plan, ("500 of them, without a list", count)
    own_header = f"{start} {list_name} --limit 20 --map {operation.key}=Code"
    return plan, ("20 rows of a list that names its column Code", own_header)


def run_command(ctx: click.Context, operation: Operation, manifest: Path, given: dict[str, Any]) -> int:
    """Run a row command as the options say; its exit code."""
    from piggy_batch.importing.runner import run

    options = options_from(given)
    if operation.verify:
        from piggy_batch.importing.migration.customers import compare_with

        options = compare_with(options, given["migration"])
    result = _read_back(operation, manifest, options.run_dir) if given.get("report") is not None else None
    if result is None:
        with open_display("rows", progress=given["progress"]) as display, refusal_shown(as_json=given["as_json"]):
            result = run_async(run(operation, manifest, options, make_run_context(ctx, display)))
    if given.get("report") is not None and result.summary is not None:
        from piggy_batch.importing.verification.sign_off import write_sign_off

        write_sign_off(result.run_dir, given["report"], given["language"])
        tell(f"page: {given['report']}")
    show_result(result, as_json=given["as_json"])
    return result.exit_code


def _read_back(operation: Operation, manifest: Path, run_dir: Path | None) -> RunResult | None:
    """What a run found that has ended where nobody may write; None: it is to be run."""
    from piggy_batch.importing.verification.finished_run import read_finished
    from piggy_batch.runs.directory import default_run_dir

    return read_finished(run_dir or default_run_dir(manifest, operation), operation.name, manifest)


def make_counted(
    ctx: click.Context, operation: Operation, run_dir: Path | None, count: Any, constants: Mapping[str, str]
) -> Path:
    """The manifest that ``--count`` makes: it has no columns of the operation, so ``--set`` has to give those."""
    from piggy_batch.runs.generated_manifest import counted_manifest

    if run_dir is None:
        raise click.UsageError("--count needs --run-dir, so that the run can be found again", ctx)
    if operation.key not in constants:
        raise click.UsageError(
            f"--count makes rows without columns: name the program with --set {operation.key}=UUID; "
            f"piggy-batch {PROGRAMS.name} tells the account's",
            ctx,
        )
    return counted_manifest(run_dir, count)


def add_row_commands(group: click.Group) -> None:
    """Give a group the commands of its resource."""
    for operation in CATALOGUE:
        if operation.resource == group.name and not operation.hidden:
            group.add_command(make_command(operation))


@click.group(
    "identifiers",
    cls=LazyGroup,
    examples=(
        ("the plan of an import; no write is sent", "piggy-batch identifiers create cards.csv --dry-run"),
        ("which cards of a list exist, and whose they are", "piggy-batch identifiers find cards.csv"),
    ),
)
def identifiers() -> None:
    """Loyalty cards and other contact identifiers, in bulk from a manifest."""


_EXPORT = "Every contact into a file, with the columns that you choose."


@click.group(
    "contacts",
    cls=LazyGroup,
    lazy={"export": ("piggy_batch.cli.commands.export:contacts_export", _EXPORT)},
    examples=(
        ("contacts for addresses, made where there are none", "piggy-batch contacts find-or-create addresses.csv"),
        ("every contact into a file", "piggy-batch contacts export --to contacts.csv"),
    ),
)
def contacts() -> None:
    """Contacts by e-mail address, in bulk from a manifest, and every contact into a file."""


_LAZY = {
    "reconcile": (
        "piggy_batch.cli.commands.reconcile:reconcile_command",
        "Settle rows of `create` whose answers were lost.",
    ),
    "report": ("piggy_batch.cli.commands.report:report_command", "What is owed, what moved, what will expire."),
    "snapshot": (
        "piggy_batch.cli.commands.snapshot:giftcards_snapshot",
        "A proven export, put into a store by its day.",
    ),
    "transactions": ("piggy_batch.cli.commands.transactions:transactions", "Transactions of a period into a file."),
    "snapshots": ("piggy_batch.cli.commands.snapshots:snapshots_command", "The snapshots of a store."),
    "export": ("piggy_batch.cli.commands.export:giftcards_export", "Every giftcard into a file, proven complete."),
    "programs": (
        "piggy_batch.cli.commands.programs:giftcard_programs",
        "The giftcard programs, with their card counts.",
    ),
}


@click.group(
    "giftcards",
    cls=LazyGroup,
    lazy=_LAZY,
    examples=(
        ("every giftcard into a file, proven complete", "piggy-batch giftcards export --to giftcards.parquet"),
        ("what is owed on them", "piggy-batch giftcards report --store snapshots"),
    ),
)
def giftcards() -> None:
    """Giftcards, in bulk from a manifest, and every giftcard into a file."""


@click.group(
    "prepaid",
    cls=LazyGroup,
    lazy={
        "transactions": (
            "piggy_batch.cli.commands.transactions:prepaid_transactions",
            "Prepaid transactions into a file.",
        )
    },
    examples=(
        ("the plan of giving money to contacts; no write is sent", "piggy-batch prepaid load gifts.csv --dry-run"),
        ("every transaction into a file", "piggy-batch prepaid transactions export --to prepaid.csv"),
    ),
)
def prepaid() -> None:
    """Prepaid money of contacts, in bulk from a manifest, and its transactions into a file."""


for _group in (identifiers, giftcards, contacts, prepaid):
    add_row_commands(_group)
