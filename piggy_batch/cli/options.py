"""The types of options, and the options of pace."""

from __future__ import annotations

import math
import re
import resource
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from piggy_batch.cli.paths import PathType
from piggy_batch.errors import SetupError
from piggy_batch.runs import bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from piggy_batch.client.rate_limiter import Rate
    from piggy_batch.runs.context import ConnectionOptions


OTHER_FILES = 24  # that a run has open at once beside its connections: journal, reports, logs, look-ups of names


class Duration(click.ParamType[float]):
    """``90``, ``90s``, ``30m``, ``6h``, ``1h30m`` or ``2d``, in seconds."""

    name = "duration"
    _parts = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, int | float):
            return float(value)
        match = self._parts.fullmatch(value.strip().lower())
        if not value.strip() or match is None:
            self.fail(f"{value!r} is no duration; write it as 90s, 30m or 6h", param, ctx)
        days, hours, minutes, seconds = (float(g) if g else 0.0 for g in match.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + seconds


class Seconds(click.FloatRange):
    """Seconds, from a hundredth to an hour; nan is none."""

    name = "seconds"

    def __init__(self) -> None:
        super().__init__(*bounds.TIMEOUT_S)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """As a number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return number


class Concurrency(click.IntRange):
    """Requests in flight; SetupError where this shell allows too few open files for so many connections."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """As a number."""
        number: int = super().convert(value, param, ctx)
        allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = number + OTHER_FILES
        if allowed != resource.RLIM_INFINITY and needed > allowed:
            fewer = f", or pass --concurrency {allowed - OTHER_FILES}" if allowed > OTHER_FILES else ""
            raise SetupError(
                f"--concurrency {number} needs {needed} open files, and this shell allows {allowed}; raise that with "
                f"ulimit -n {needed}{fewer}"
            )
        return number


class Pair(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``."""

    name = "pair"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Name and value; the value may be empty and may hold further ``=``."""
        if isinstance(value, tuple):
            return value
        name, equals, text = value.partition("=")
        if not equals or not name.strip():
            self.fail(f"{value!r} is not of the form NAME=VALUE", param, ctx)
        return name.strip(), text


def beside_profile(ctx: click.Context, param: click.Parameter, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """For options of NAME=VALUE that a profile may hold too: what was typed wins name by name, the rest stays."""
    if ctx.get_parameter_source(str(param.name)) is ParameterSource.DEFAULT_MAP:
        return given
    known = [param.type.convert(value, param, ctx) for value in ctx.lookup_default(str(param.name)) or ()]
    typed = {_name_of(value) for value in given}
    return (*(value for value in known if _name_of(value) not in typed), *given)


def _name_of(value: str | tuple[str, str]) -> str:
    """The name of a pair; none for a text without one."""
    return value[0] if isinstance(value, tuple) else value.rpartition("=")[0]


class RateType(click.ParamType["Rate"]):
    """Requests a second; 0: no limit; ``auto``: chosen by what the service shows."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Rate:
        """A number from 0 up, decimals allowed, or ``auto``."""
        from piggy_batch.client.rate_limiter import Rate

        if isinstance(value, Rate):
            return value
        if value == "auto":
            return Rate(auto=True)
        try:
            rate = float(value)
        except ValueError:
            rate = -1.0
        if not 0 <= rate < 1e6 or 0 < rate < 1e-3:
            self.fail(f"{value!r} is no rate; write requests a second, 0 for no limit, or auto", param, ctx)
        return Rate(rate)


class CountOrPercent(click.ParamType[tuple[int | None, float | None]]):
    """``50`` or ``5%``."""

    name = "count"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | None, float | None]:
        """(rows, None) or (None, percent)."""
        if isinstance(value, tuple):
            return value
        try:
            return percent_or_count(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number of rows from 1 up nor a percentage like 5%", param, ctx)


class Share(click.ParamType[float]):
    """``20%``, as 0.2."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """From 0 to 0.9."""
        try:
            share = float(str(value).removesuffix("%")) / 100
        except ValueError:
            share = -1.0
        least, most = bounds.RESERVE
        if not least <= share <= most:
            self.fail(f"{value!r} is no share; write it as 20%, at most 90%", param, ctx)
        return share


def env(name: str) -> str:
    """The environment variable that stands for an option."""
    return f"PIGGY_BATCH_{name}"


def add_options(command: Any, options: Sequence[Callable[[Any], Any]]) -> Any:
    """Decorate a callback with options, in their order."""
    for option in reversed(options):
        command = option(command)
    return command


def connection_from(given: dict[str, Any]) -> ConnectionOptions:
    """How to talk to the service, from the options of pace."""
    from piggy_batch.runs.context import ConnectionOptions

    return ConnectionOptions(given["rate"], given["reserve"], given["timeout"], given["max_wait"])


def as_mapping(option: str, pairs: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Repeated NAME=VALUE options; SetupError where a name comes twice."""
    found: dict[str, str] = {}
    for name, text in pairs:
        if name in found:
            raise SetupError(f"{option} {name} is given twice")
        found[name] = text
    return found


RATE = click.option(
    "--rate",
    type=RateType(),
    default=5.0,
    show_default=True,
    metavar="N",
    envvar=env("RATE"),
    help="At most N HTTP requests a second, every request counted; 0: no limit; auto: as the service allows.",
)
RESERVE = click.option(
    "--reserve",
    type=Share(),
    default="20%",
    show_default=True,
    envvar=env("RESERVE"),
    help="With --rate auto: this share of the announced budget is left to the shop's own traffic.",
)
CONCURRENCY = click.option(
    "--concurrency",
    type=Concurrency(*bounds.CONCURRENCY),
    metavar="N",
    default=8,
    show_default=True,
    envvar=env("CONCURRENCY"),
    help="At most N requests in flight.",
)
TIMEOUT = click.option(
    "--timeout",
    type=Seconds(),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    envvar=env("TIMEOUT"),
    help="Bound of one whole request, answer included.",
)
MAX_WAIT = click.option(
    "--max-wait",
    type=Duration(),
    default="30m",
    show_default=True,
    envvar=env("MAX_WAIT"),
    help="How long throttling, maintenance or an outage may keep everybody waiting before the run halts.",
)
TIMEZONE = click.option(
    "--timezone",
    "timezone_name",
    default="Europe/Amsterdam",
    show_default=True,
    metavar="ZONE",
    help="The zone whose days and midnights count.",
)


PAGE_LANGUAGE = click.option(
    "--lang",
    "language",
    type=click.Choice(("en", "nl")),
    default="en",
    show_default=True,
    help="The page's language.",
)
STORE = click.option(
    "--store",
    type=PathType(file_okay=False),
    metavar="DIR",
    help="The folder that holds the snapshots.",
)
PERIOD = click.option(
    "--period",
    metavar="PERIOD",
    help="2026-11, 2026-Q4 or 2026; last-month, last-quarter or last-year: the last that is over in --timezone.",
)


def percent_or_count(text: str) -> tuple[int | None, float | None]:
    """``50`` rows or ``5%`` of the rows; ValueError for anything else."""
    if text.endswith("%"):
        share = float(text[:-1])
        if not math.isfinite(share) or not 0 < share <= 100:
            raise ValueError(text)
        return None, share
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number, None
