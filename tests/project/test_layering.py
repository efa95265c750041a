"""Where modules may import from: packages have an order, and each outside library has one place."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "piggy_batch"
BASE = ("files", "text", "models", "errors", "exit_codes")  # modules at the root that every package may use
MAY_IMPORT = {
    "endpoints": BASE,
    "client": ("endpoints", *BASE),
    "runs": ("client", "endpoints", *BASE),
    "tables": ("files", "text", "errors", "exit_codes"),
    "manifest": ("runs", "client", "endpoints", "tables", *BASE),
    "exporting": ("runs", "client", "endpoints", "tables", *BASE),
    "importing": ("exporting", "manifest", "runs", "client", "endpoints", "tables", *BASE),
    "reporting": BASE,
    "library": (
        "importing",
        "exporting",
        "manifest",
        "runs",
        "client",
        "endpoints",
        "reporting",
        "tables",
        *BASE,
    ),
    "cli": (
        "importing",
        "exporting",
        "manifest",
        "runs",
        "client",
        "endpoints",
        "reporting",
        "tables",
        "sandbox",
        *BASE,
    ),
    "sandbox": (),
    "__main__": ("cli",),
    "__init__": (),
    "exit_codes": (),
    "errors": ("exit_codes",),
    "models": ("errors",),
    "text": ("errors",),
    "files": ("errors", "text"),
}
LIBRARIES = {
    "httpx": {"client/"},
    "h11": {"client/connection.py"},
    "sqlite3": {"runs/database.py"},
    "tqdm": {"cli/progress_display.py"},
    "csv": {"tables/", "reporting/render/plain_text.py"},
    "pyarrow": {"tables/", "reporting/"},
    "python_calamine": {"tables/"},
    "xlsxwriter": {"tables/", "reporting/"},
    "jinja2": {"files.py"},
    "keyring": {"client/profiles.py"},
    "starlette": {"sandbox/"},
    "uvicorn": {"sandbox/"},
}
PURE = {"time", "asyncio", "os", "random", "pathlib", "httpx", "sqlite3"}  # what a module of rules does without
LONGEST = 400  # lines
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """The dotted name of a module: ``piggy_batch.client.http``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in FILES}


@lru_cache
def imports(path: Path, *, typing: bool = True) -> frozenset[str]:
    """Every module that a file imports; without ``typing`` not what only type checkers read."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not typing and isinstance(node, ast.If) and isinstance(node.test, ast.Name):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = whole & MODULES.keys()
            found |= modules
            if len(modules) < len(whole):
                found.add(node.module)
    return frozenset(found)


def package(name: str) -> str:
    """The package below the root that a module belongs to, or the module itself where it lies at the root."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def uses(path: Path, library: str) -> bool:
    """Whether a file imports an outside library when it runs."""
    return library in {name.split(".")[0] for name in imports(path, typing=False)}


def test_every_module_belongs_to_a_package_that_has_its_place() -> None:
    """A new package, or a module at the root, is given its place in the order when it is made."""
    assert {package(name) for name in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_only(name: str) -> None:
    """A module knows nothing of a package beside or above its own."""
    own = package(name)
    foreign = {package(used) for used in imports(MODULES[name]) if used.startswith("piggy_batch")} - {own, "__init__"}
    assert foreign <= set(MAY_IMPORT[own])


def test_no_two_files_import_each_other() -> None:
    """There is no circle of imports between files, however long."""
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name in done:
            return
        for used in sorted(imports(MODULES[name]) & MODULES.keys()):
            visit(used, (*way, name))
        done.add(name)

    for name in MODULES:
        visit(name, ())


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_outside_library_has_one_place(library: str) -> None:
    """What a library looks like is known in one place."""
    places = tuple(LIBRARIES[library])
    users = {str(path.relative_to(PACKAGE)) for path in FILES if uses(path, library)}
    assert {user for user in users if not user.startswith(places)} == set()


@pytest.mark.parametrize("name", [name for name in MODULES if name.endswith("_rules")])
def test_rules_are_pure(name: str) -> None:
    """What decides takes values and returns values: no clock, no disk, no network, no loop."""
    assert not {used.split(".")[0] for used in imports(MODULES[name])} & PURE
    assert not any(isinstance(n, ast.AsyncFunctionDef) for n in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))))


@pytest.mark.parametrize("name", MODULES)
def test_a_file_is_read_in_one_sitting(name: str) -> None:
    """No file is so long that one loses its beginning."""
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_nobody_patches() -> None:
    """The world is faked, never the program: no mock in any test."""
    for path in (ROOT / "tests").rglob("*.py"):
        assert not {n for n in imports(path) if n.split(".")[0] == "mock" or n.startswith("unittest.mock")}, path


def test_one_class_name_has_one_meaning() -> None:
    """No two classes of the program share a name: what is called so in one file is nothing else in another."""
    places: dict[str, list[str]] = {}
    for name, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
