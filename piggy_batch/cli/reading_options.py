"""The options by which a manifest is read, bound to a command and mended: the same for row commands and ``check``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from piggy_batch.cli.options import Pair, add_options, as_mapping, env
from piggy_batch.runs import bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from piggy_batch.manifest.options import ManifestOptions

READING_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--map",
        "maps",
        type=Pair(),
        multiple=True,
        metavar="FIELD=COLUMN",
        help="The manifest's own header for a field.",
    ),
    click.option(
        "--set", "constants", type=Pair(), multiple=True, metavar="FIELD=VALUE", help="The same value for every row."
    ),
    click.option(
        "--delimiter",
        metavar="CHARACTER",
        envvar=env("DELIMITER"),
        help="Between cells; a character, or tab.  [default: detected]",
    ),
    click.option("--encoding", metavar="NAME", envvar=env("ENCODING"), help="Of the list.  [default: detected]"),
    click.option(
        "--sheet",
        metavar="NAME",
        envvar=env("SHEET"),
        help="The sheet of a workbook; several with one header, as one list: NAME/NAME.  [default: the first]",
    ),
    click.option(
        "--header-row",
        type=click.IntRange(min=1),
        metavar="N",
        envvar=env("HEADER_ROW"),
        help="The line that names the columns, where a title stands above it.  [default: the first]",
    ),
    click.option(
        "--drop-last",
        type=click.IntRange(1, bounds.MOST_DROPPED),
        metavar="N",
        envvar=env("DROP_LAST"),
        help="Leave N rows out at the end: totals and footers.",
    ),
    click.option(
        "--fix",
        "fixes",
        metavar="REPAIRS",
        envvar=env("FIX"),
        help=(
            "Mend cells before they are sent: trim, wrappers (quotes too), formats (as a workbook shows numbers), "
            "decimals, spaces, zero-pad:13, case:upper."
        ),
    ),
    click.option(
        "--blank", "blanks", multiple=True, metavar="WORD", help="A word of the list that stands for a blank cell."
    ),
    click.option(
        "--values",
        type=Pair(),
        multiple=True,
        metavar="FIELD=WORD:VALUE,…",
        help="What the list's own words mean: contact_identifier_active=J:true,N:false.",
    ),
    click.option(
        "--hold",
        multiple=True,
        metavar="CODE",
        help="Leave the rows of this finding of the manifest doctor out, and list them in errors (repeatable).",
    ),
    click.option(
        "--ignore-column",
        "ignored",
        multiple=True,
        metavar="COLUMN",
        help="This column of the list is left unused on purpose, though it looks like a field (repeatable).",
    ),
    click.option(
        "--round",
        "rounding",
        type=Pair(),
        multiple=True,
        metavar="FIELD=HOW",
        help="Credits with decimals become whole: credits=down, half-up or up.",
    ),
)


def codes_from(texts: Iterable[str]) -> frozenset[str]:
    """The findings that repeated options name, several in one with commas between; SetupError for one that is none."""
    from piggy_batch.manifest.doctor import known_codes

    return known_codes(code for text in texts for code in text.split(","))


def with_reading_options(command: Any) -> Any:
    """Decorate a callback with these options."""
    return add_options(command, READING_OPTIONS)


def reading_from(given: dict[str, Any]) -> ManifestOptions:
    """How the manifest is read, from the command line."""
    from piggy_batch.manifest.doctor import parse_fixes
    from piggy_batch.manifest.mending import parse_rounding, parse_values
    from piggy_batch.manifest.options import ManifestOptions

    return ManifestOptions(
        delimiter=given["delimiter"],
        encoding=given["encoding"],
        sheet=given["sheet"],
        maps=as_mapping("--map", given["maps"]),
        constants=as_mapping("--set", given["constants"]),
        allow_repeats=given.get("allow_repeats", False),
        allow_shared=given.get("allow_shared", False),
        fixes=parse_fixes(given["fixes"] or ""),
        blanks=tuple(given["blanks"]),
        values=parse_values(given["values"]),
        rounding=parse_rounding(given["rounding"]),
        header_row=given["header_row"],
        drop_last=given["drop_last"] or 0,
        hold=codes_from(given["hold"]),
        ignored=frozenset(given["ignored"]),
        again=given.get("again", False),
    )
