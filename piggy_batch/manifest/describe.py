"""What a plan or a check says of its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piggy_batch.exit_codes import ExitCode
from piggy_batch.manifest.advice import option_advice
from piggy_batch.manifest.doctor import as_json as findings_as_json
from piggy_batch.manifest.doctor import suggest
from piggy_batch.manifest.invalid_reasons import as_json as reasons_as_json
from piggy_batch.manifest.invalid_reasons import reason_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from piggy_batch.manifest.binding import Binding
    from piggy_batch.manifest.doctor import Finding, Suggestion
    from piggy_batch.manifest.options import LoadedManifest

_NAMED = 12  # columns named; more are counted


def fact_lines(loaded: LoadedManifest) -> list[str]:
    """What was detected in a manifest, for its plan."""
    notes = (*loaded.facts.notes, *loaded.warnings)
    lines = [f"read as: {read_as(loaded)}", *column_lines(loaded.binding), *(f"note: {note}" for note in notes)]
    lines += [f"{finding.severity.value}: {finding.message}" for finding in loaded.findings]
    lines += [f"not judged: {what}" for what in loaded.not_judged]
    if loaded.binding.is_mending:
        words = " ".join(loaded.binding.repairs.words())
        shown = [f'"{before}" is sent as "{after}" (row {row})' for row, before, after in loaded.repaired]
        lines.append(f"{words}: {'; '.join(shown) or 'nothing needed it'}")
    return lines


def refusal_lines(loaded: LoadedManifest) -> list[str]:
    """Why a manifest with invalid rows is refused: some rows, every reason with its count, and what else blocks."""
    is_one = sum(reason.rows for reason in loaded.reasons) == 1
    likely = likely_fields(loaded.binding)
    return [
        *map(str, loaded.problems),
        *([] if is_one else reason_lines(loaded.reasons)),
        *option_advice(loaded),
        *(f"blocking: {finding.message}" for finding in loaded.findings if finding.blocking),
        *(f'column not used: "{name}"{hint}' for name, hint in likely.items()),
    ]


def column_lines(binding: Binding) -> list[str]:
    """Which columns are used for what, and which are not."""
    used = [_used(binding, column.name) for column in binding.fields if _is_given(binding, column.name)]
    lines = [f"columns used: {', '.join(used)}"]
    unused = unused_columns(binding)
    if unused:
        likely = likely_fields(binding)
        named = [f'"{name}"{likely.get(name, "")}' for name in unused]
        named.sort(key=lambda name: not name.endswith(")"))  # those that look like a field are named in any case
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        lines.append(f"columns not used: {', '.join(named[:_NAMED])}{more}")
    return lines


def unused_columns(binding: Binding) -> list[str]:
    """The manifest's own columns that the command does not read."""
    read = set(binding.column_index.values())
    return [name for place, name in enumerate(binding.header) if place not in read and not name.startswith("_")]


def _is_given(binding: Binding, name: str) -> bool:
    column = binding.operation.column(name)
    is_default = column is not None and column.default is not None and name not in binding.column_index
    return not (is_default and column is not None and binding.constants.get(name) == column.default)


def _used(binding: Binding, name: str) -> str:
    place = binding.column_index.get(name)
    if place is None:
        return f'{name} (--set: "{binding.constants.get(name, "")}")'
    column = binding.header[place]
    return name if column == name else f'{name} (from "{column}")'


def likely_fields(binding: Binding) -> dict[str, str]:
    """Columns that are not used and look like a field of the command, each with what to do about it."""
    read = {binding.header[place] for place in binding.column_index.values()}
    free = [column.name for column in binding.operation.columns if not _is_fed(binding, column.name)]
    found: dict[str, str] = {}
    for suggestion in suggest([name for name in binding.header if name not in read], free):
        found.setdefault(suggestion.column, f" (looks like {suggestion.field}: {suggestion.option})")
    return found


def overlooked(binding: Binding, fields: Sequence[str], ignored: Collection[str] = ()) -> list[Suggestion]:
    """Columns that are not used, look like one of ``fields``, which has none, and are not ``ignored`` on purpose."""
    read = {binding.header[place] for place in binding.column_index.values()}
    names = [name for name in binding.header if name not in read and name not in ignored and not name.startswith("_")]
    return suggest(names, [name for name in fields if not _is_fed(binding, name)])


def _is_fed(binding: Binding, name: str) -> bool:
    return name in binding.column_index or name in binding.constants


def read_as(loaded: LoadedManifest) -> str:
    """Format, encoding and the like, as detected or told."""
    facts = loaded.facts
    parts = [
        facts.format,
        facts.encoding,
        f"delimiter {facts.delimiter!r}" if facts.delimiter else None,
        f"sheet {facts.sheet}" if facts.sheet else None,
        facts.compression,
    ]
    return ", ".join(p for p in parts if p)


def unaccepted(blocking: Sequence[Finding]) -> str:
    """The refusal of a manifest with findings that nobody has accepted."""
    codes = sorted({finding.code for finding in blocking})
    return (
        f"{'; '.join(finding.message for finding in blocking)}; nothing was sent: these values are probably not what "
        f"is meant, so mend the list, state that they are right with --accept {','.join(codes)}, or leave these rows "
        f"out with --hold {','.join(codes)}"
    )


def as_json(loaded: LoadedManifest) -> dict[str, Any]:
    """What was found in a manifest, for programs: findings, reasons with their counts, columns, what was not judged."""
    binding = loaded.binding
    found: dict[str, Any] = findings_as_json(loaded.rows, loaded.findings)
    return found | {
        "invalid": loaded.invalid,
        "reasons": reasons_as_json(loaded.reasons),
        "problems": [{"row": p.row, "line": p.line, "column": p.column, "message": p.message} for p in loaded.problems],
        "not_judged": list(loaded.not_judged),
        "columns_used": {name: binding.header[place] for name, place in binding.column_index.items()},
        "columns_not_used": unused_columns(binding),
        "notes": [*loaded.facts.notes, *loaded.warnings],
    }


def refusal_json(loaded: LoadedManifest, *, errors: str | None = None) -> dict[str, Any]:
    """The same for a manifest of which nothing was sent. ``errors``: the file with the invalid rows."""
    return {"refused": True, "exit_code": int(ExitCode.SETUP), "errors": errors} | as_json(loaded)
