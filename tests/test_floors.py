"""Where modules may import from: floors go down only, and each outside library has one room."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "piggy_batch"
FLOORS = (
    "model errors emails",
    "operations",
    # rules: values in, values out
    """manifest verdict looks doctor governor listings pages stages undo_rules passes course explaining candidates plan
    verifying""",
    # rooms: each knows one thing of the world outside
    """tables api telling database journal_file group_commit journal runlock parts pacer slots workers progress
    state_book credit_book courier""",
    # machines
    """loading report remains rundir status introduction scene importer preview runner checking check_page walk outfile
    exporter twins reconcile against stage_runs migrate_check migrate_plan migrate_report pipeline migrate undo signoff
    reporting""",
    # faces
    "cli docs __main__",
)
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names.split()}
ROOMS = {
    "httpx": {"api.py"},
    "sqlite3": {"database.py"},
    "tqdm": {"progress.py"},
    "csv": {"tables/", "reporting/plain.py"},
    "pyarrow": {"tables/", "reporting/", "doctor/"},
    "python_calamine": {"tables/"},
    "xlsxwriter": {"tables/", "reporting/"},
    "starlette": {"sandbox/"},
    "uvicorn": {"sandbox/"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


@lru_cache
def imports(path: Path) -> set[str]:
    """Every module that a file imports when it runs; what only type checkers read does not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if node.module == "piggy_batch"}
    return found


def room(path: Path) -> str:
    """The module below the package: ``journal``, ``tables``."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_module_has_its_floor() -> None:
    """A new module is put on a floor when it is made."""
    assert {room(f) for f in FILES} - {"sandbox", "__init__"} == set(FLOOR_OF)


@pytest.mark.parametrize("path", [f for f in FILES if room(f) in FLOOR_OF], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    """A module knows nothing of the floors above its own."""
    own = FLOOR_OF[room(path)]
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "piggy_batch" and len(parts) > 1 and parts[1] in FLOOR_OF:
            assert FLOOR_OF[parts[1]] <= own, f"{room(path)} imports {parts[1]} from a floor above"
        faces = own == len(FLOORS) - 1
        assert faces or parts[:2] not in (["piggy_batch", "cli"], ["piggy_batch", "sandbox"])


@pytest.mark.parametrize("library", ROOMS)
def test_each_outside_library_has_one_room(library: str) -> None:
    """What a library looks like is known in one place."""
    for path in FILES:
        where = str(path.relative_to(PACKAGE))
        used = {name.split(".")[0] for name in imports(path)}
        allowed = any(where == place or (place.endswith("/") and where.startswith(place)) for place in ROOMS[library])
        assert library not in used or allowed, f"{where} uses {library}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "sandbox").rglob("*.py")), ids=lambda p: p.name)
def test_the_sandbox_imports_nothing_of_the_package(path: Path) -> None:
    """It is a second reading of the documentation: a wrong path cannot be wrong on both sides."""
    foreign = {n for n in imports(path) if n.startswith("piggy_batch") and not n.startswith("piggy_batch.sandbox")}
    assert foreign <= {"piggy_batch"}


@pytest.mark.parametrize(
    "path", [PACKAGE / f"{name}.py" for name in ("manifest", "verdict", "looks")], ids=lambda p: p.name
)
def test_rules_are_pure(path: Path) -> None:
    """What decides has no clock, no disk, no network and no loop."""
    assert not imports(path) & {"time", "asyncio", "os", "random", "datetime", "pathlib", "httpx", "sqlite3"}


def test_nobody_patches() -> None:
    """The world is faked, never the program: no mock in any test."""
    for path in Path(__file__).parent.rglob("*.py"):
        assert not {n for n in imports(path) if n.split(".")[0] == "mock" or n.startswith("unittest.mock")}, path
