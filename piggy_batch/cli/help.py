"""How help looks: options in groups, two examples at the end, program-wide options last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PROGRAM_WIDE = "Service (these may also stand before the command)"
OPTION_GROUPS: Mapping[str, tuple[str, ...]] = {  # a group's options, in the order in which help shows them
    "Input": (
        *(
            "--for",
            "--map",
            "--set",
            "--ignore-column",
            "--shop",
            "--delimiter",
            "--encoding",
            "--sheet",
            "--header-row",
        ),
        *("--drop-last", "--fix", "--blank", "--values", "--round", "--count", "--migration"),
        *(
            "--template",
            "--store",
            "--from",
            "--date",
            "--as-of",
            "--period",
            "--since",
            "--until",
            "--program",
            "--contact",
            "--type",
            "--columns",
        ),
        *(
            "--transactions",
            "--list",
            "--sample",
            "--seed",
            "--account",
            "--cohorts",
            "--breakage-months",
            "--currency",
            "--lang",
            "--timezone",
            "--extra",
            "--against-account",
            "--explain",
            "--example",
        ),
    ),
    "Safety": (
        *("--dry-run", "--limit", "--yes", "--max-errors", "--skip-invalid", "--accept", "--hold", "--again"),
        *("--no-before", "--no-baseline", "--allow-repeats", "--allow-shared", "--credits-per-card", "--hold-credits"),
        *("--after", "--credits-again"),
        *("--exclusive", "--settle-after", "--quick", "--max-passes", "--accept-partial", "--expect-closed"),
        "--expect-reconciled",
    ),
    "Pace": (
        *("--rate", "--reserve", "--concurrency", "--attempts", "--timeout", "--max-wait", "--max-duration"),
        "--page-size",
    ),
    "Recovery": ("--run-dir", "--retry-rejected", "--resend-unknown", "--adopt", "--max-age"),
    "Output": ("--to", "--format", "--report", "--html", "--write", "--progress", "--quiet", "--json"),
    "Sandbox": (
        *("--port", "--token", "--giftcards", "--contacts", "--identifiers", "--programs", "--shops", "--attributes"),
        *("--seed", "--state", "--events", "--play", "--print-env", "--client-id", "--client-secret"),
        *("--latency-ms", "--limit-per-minute", "--churn", "--shuffle", "--fault", "--list-faults"),
    ),
    "Open facts (the default is the likelier; a client must do with all)": (
        *("--trim-values", "--fold-case", "--hash-case", "--longest-value", "--unlink-unlinked", "--update-missing"),
        *("--delete-linked", "--delete-shape", "--link-email", "--over-limit", "--transactions-page-param"),
        *("--transactions-need-filter", "--send-shape", "--email-required", "--unsubscribed", "--top-up-once"),
        *("--unknown-attribute", "--attributes-shown", "--contact-quota", "--contact-delete-delay-s"),
        *("--default-unit", "--max-credits", "--unauthorized-body"),
    ),
    PROGRAM_WIDE: ("--profile", "--base-url", "--token-file", "--ca-file", "--verbose", "--version", "--help"),
}
UNGROUPED = "Options"
_PLACES: dict[str, dict[str, int]] = {}  # an option's name → its groups, and its place in each
for _group, _names in OPTION_GROUPS.items():
    for _place, _name in enumerate(_names):
        _PLACES.setdefault(_name, {})[_group] = _place
_UNBROKEN = "\N{NON-BREAKING HYPHEN}"  # stands for a hyphen while lines are broken
TERM_WIDTH = 27  # columns for an option and its value; a longer one has its help on the next line


class CommandExample(NamedTuple):
    """A command to type, and what it is for."""

    purpose: str
    command: str


class Formatter(click.HelpFormatter):
    """Breaks lines between words only, where click would also break ``--no-baseline`` at its hyphens."""

    def write_text(self, text: str) -> None:
        """A paragraph."""
        super().write_text(text.replace("-", _UNBROKEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = TERM_WIDTH, col_spacing: int = 2) -> None:
        """Terms and what they mean."""
        super().write_dl([(term, text.replace("-", _UNBROKEN)) for term, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        """The help."""
        return super().getvalue().replace(_UNBROKEN, "-")


class Context(click.Context):
    """Where help is laid out so."""

    formatter_class = Formatter


def group_of(param: click.Parameter, command: str | None = None) -> tuple[str, int]:
    """The group that an option stands in, and its place there; of several the one that has the command's own name."""
    places = next((_PLACES[name] for name in param.opts if name in _PLACES), {UNGROUPED: 0})
    own = (command or "").capitalize()
    group = own if own in places else next(iter(places))
    return group, places[group]


def write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """The options of a command under the headings of their groups."""
    groups: dict[str, list[tuple[int, tuple[str, str]]]] = {name: [] for name in (UNGROUPED, *OPTION_GROUPS)}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None and isinstance(param, click.Option):
            group, place = group_of(param, command.name)
            groups[group].append((place, record))
    for name, records in groups.items():
        if records:
            with formatter.section(name):
                ordered = [record for _, record in sorted(records, key=lambda entry: entry[0])]
                formatter.write_dl([(term.ljust(TERM_WIDTH), text) for term, text in ordered])


def write_examples(examples: Sequence[CommandExample], formatter: click.HelpFormatter) -> None:
    """Commands to type, each under a line that says what it is for."""
    if not examples:
        return
    with formatter.section("Examples"):
        indent = " " * formatter.current_indent
        for example in examples:
            lines = [f"# {example.purpose}", *shell_lines(example.command, formatter.width - len(indent))]
            formatter.write("".join(f"{indent}{line}\n" for line in lines))


def shell_lines(command: str, width: int) -> list[str]:
    """A command in lines that a shell takes as one: broken between words, each line but the last ends with ``\\``."""
    lines = [""]
    for word in _words(command):
        if lines[-1] and len(lines[-1]) + len(word) + len("  \\") > width:
            lines[-1] += " \\"
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines


def _words(command: str) -> Iterator[str]:
    """The words as they stand; an option stays with its value."""
    import shlex  # only help pays for it

    held = ""
    for word in shlex.split(command, posix=False):  # quotes stay
        if word.startswith("--"):
            if held:
                yield held
            held = word
        elif held:
            yield f"{held} {word}"
            held = ""
        else:
            yield word
    if held:
        yield held
