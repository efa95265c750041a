"""Calendar days of a time zone as exact instants: aware datetimes in UTC, or microseconds since 1970."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from piggy_batch.errors import SetupError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)
_FIRST_YEAR, _LAST_YEAR = 1970, 9000  # leaves room for the expiry buckets on either side of a calendar's end


def time_zone(name: str) -> ZoneInfo:
    """The zone called ``name``; SetupError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SetupError(f'--timezone: "{name}" is no time zone; write one like Europe/Amsterdam') from None


def parse_day(text: str, where: str) -> date:
    """``YYYY-MM-DD`` as a date; SetupError, naming ``where``, for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or len(text) != len("2026-01-31") or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise SetupError(f'{where}: "{text}" is no day; write it like 2026-01-31')
    return day


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day on which ``moment`` falls in ``zone``."""
    return moment.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which ``day`` begins in ``zone``."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of ``day`` in ``zone``."""
    return start_of(day + timedelta(days=1), zone) - _INSTANT


def as_of(moment: datetime, day: date | None, zone: ZoneInfo) -> datetime:
    """``moment`` where no other day is asked for, else the last instant of ``day``."""
    return moment if day is None or day_of(moment, zone) == day else end_of(day, zone)


def distance(moment: datetime, day: date, zone: ZoneInfo) -> timedelta:
    """How far ``moment`` lies from ``day``: zero on that day, above zero after it, below zero before it."""
    if moment < (begin := start_of(day, zone)):
        return moment - begin
    return max(moment - end_of(day, zone), timedelta(0))


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _INSTANT


def from_micros(value: int) -> datetime:
    """The instant ``value`` microseconds after 1970."""
    return _EPOCH + value * _INSTANT


def shown(moment: datetime, zone: ZoneInfo) -> str:
    """An instant for a reader: local day, time and zone name."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def moment_name(moment: datetime) -> str:
    """An instant as a file name that sorts by time and knows no daylight saving: ``20260131T230500Z``."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
