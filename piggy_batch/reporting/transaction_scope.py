"""Whether a file of transactions belongs to two snapshots: the same account, all of it, and the whole time between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from piggy_batch.errors import SetupError
from piggy_batch.files import sha256_of
from piggy_batch.reporting.dates import shown
from piggy_batch.reporting.notice import partial
from piggy_batch.reporting.snapshot import account_of, find_summary, moment_of, proof_of, read_summary
from piggy_batch.text import parse_moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from piggy_batch.models import Json
    from piggy_batch.reporting.notice import Notice
    from piggy_batch.reporting.snapshot import Snapshot

_SINCE, _UNTIL = "created_at[gte]", "created_at[lt]"  # how an export's filters bound its period
_AGAIN = "export them anew with: piggy-batch giftcards transactions export"


@dataclass(frozen=True, slots=True)
class Companion:
    """What a transactions file says of itself."""

    path: Path
    verdict: str
    agreed: bool
    account: str | None
    sha256: str
    notices: tuple[Notice, ...]


def check_companion(
    path: Path, opening: Snapshot, closing: Snapshot, zone: ZoneInfo, *, accept_partial: bool
) -> Companion:
    """SetupError where the file is of another account, of a part of the programs, shops or time, not as it was
    exported, or, unless ``accept_partial``, not proven complete."""
    if not path.is_file():
        raise SetupError(f"{path}: no such file")
    summary_path = find_summary(path)
    summary = read_summary(summary_path) if summary_path else {}
    digest = sha256_of(path)
    if summary.get("sha256") not in (None, digest):
        raise SetupError(f"{path}: was changed after it was exported (its SHA-256 differs); {_AGAIN}")
    identity, name = account_of(summary.get("account"))
    if identity and closing.account and identity != closing.account:
        raise SetupError(f"{path} is of account {identity}, but {closing.path} of {closing.account}; {_AGAIN}")
    _check_parts(path, summary, closing)
    _check_period(path, summary, opening, closing, zone)
    agreed, verdict = proof_of(summary)
    if not agreed and not accept_partial:
        raise SetupError(
            f"{path}: the export did not agree ({verdict}), so transactions may be missing; export them again, or "
            "report on them as partial with --accept-partial"
        )
    words = "PARTIAL: {file} did not agree ({verdict}); transactions may be missing from these figures"
    notices = () if agreed else (partial(words, file=path.name, verdict=verdict),)
    return Companion(path, verdict, agreed, name or identity, digest, notices)


def _check_parts(path: Path, summary: Mapping[str, Json], closing: Snapshot) -> None:
    filters = _filters(summary)
    if shops := sorted({str(f["shop_uuid"]) for f in filters if "shop_uuid" in f}):
        raise SetupError(f"{path}: holds only shops {', '.join(shops)}, but cards are spent in every shop; {_AGAIN}")
    programs = tuple(sorted({str(f["giftcard_program_uuid"]) for f in filters if "giftcard_program_uuid" in f}))
    if summary and programs != closing.program_uuids:
        held, wanted = (
            f"only programs {', '.join(p)}" if p else "every program" for p in (programs, closing.program_uuids)
        )
        raise SetupError(
            f"{path}: holds {held}, but {closing.path} {wanted}; {_AGAIN}, with the same --program options"
        )


def _check_period(
    path: Path, summary: Mapping[str, Json], opening: Snapshot, closing: Snapshot, zone: ZoneInfo
) -> None:
    begin = opening.readings[0] if opening.readings else opening.moment
    end = closing.readings[1] if closing.readings else closing.moment
    since = max(_bounds(summary, _SINCE), default=begin)
    if since > begin:
        raise SetupError(
            f"{path}: begins on {shown(since, zone)}, after the opening snapshot was read on {shown(begin, zone)}; "
            f"{_AGAIN} --since {begin.astimezone(zone).date()}"
        )
    read = moment_of(summary)
    until = min((*_bounds(summary, _UNTIL), *([read] if read else [])), default=end)
    if until < end:
        raise SetupError(
            f"{path}: ends on {shown(until, zone)}, before the closing snapshot was read on {shown(end, zone)}; "
            f"{_AGAIN}, after the snapshot and without an --until before it"
        )


def _bounds(summary: Mapping[str, Json], name: str) -> list[datetime]:
    """The bounds that the export's filters set, one for each list that was read."""
    found = (parse_moment(str(f[name])) for f in _filters(summary) if name in f)
    return [moment for moment in found if moment is not None]


def _filters(summary: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    found = summary.get("filters")
    return [f for f in found if isinstance(f, dict)] if isinstance(found, list) else []
