"""``profiles``: the accounts that ``--profile`` knows by name."""

from __future__ import annotations

import click

from piggy_batch.cli.groups import command
from piggy_batch.cli.output import json_text
from piggy_batch.cli.terminal import show, tell


@command(
    "profiles",
    examples=(
        ("the accounts by name", "piggy-batch profiles"),
        ("one to begin with; the file must be readable by you alone", "piggy-batch profiles --example"),
    ),
)
@click.option("--example", is_flag=True, help="Print a profile with every key, to start a file with.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def profiles(*, example: bool, as_json: bool) -> None:
    """List the profiles: where each points, and where its token comes from. Tokens are never shown."""
    from piggy_batch.client.profiles import EXAMPLE, profiles_path, read_profiles

    if example:
        click.echo(EXAMPLE, nl=False)
        return
    found = read_profiles()
    if as_json:
        shown = {p.name: {"token": p.token_source, **p.defaults()} for p in found.values()}
        click.echo(json_text(shown))
        return
    for profile in found.values():
        values = {"base_url": "the default address", **profile.defaults(), "token": profile.token_source}
        values["accounts"] = ", ".join(values.get("accounts", ()))
        show(profile.name)
        for name, value in values.items():
            if value not in ("", None):  # a rate of 0 is one
                show(f"  {name.removesuffix('_code').removesuffix('_name'):<9} {value}")
    if not found:
        path = profiles_path()
        tell(f"no profiles yet; begin {path} with what --example prints, and make it yours alone: chmod 600 {path}")
