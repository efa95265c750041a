"""No private name of another package is read: what is private may be renamed, and a guard that rests on it is gone."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parents[2] / "piggy_batch"
FILES = sorted(PACKAGE.rglob("*.py"))
REACHING = {"getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller"}
DOCUMENTED = {"_replace", "_asdict", "_fields", "_make", "_exit"}  # public in spite of their names: namedtuples', os's
UNSEEN = {"__dict__", "__getattribute__"}  # ways round
# Names that are put together while the program runs, all of them of its own objects.
COMPUTED = {
    "__init__.py",
    "cli/groups.py",
    "exporting/completeness.py",
    "importing/verification/account_sample.py",
    "manifest/doctor/fixes.py",
    "sandbox/world/state_file.py",
}


def is_private(name: str) -> bool:
    """Whether a name is its owner's business."""
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__")) and name not in DOCUMENTED


def defined(tree: ast.AST) -> Iterator[str]:
    """The private names that a file itself gives to its classes and modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            yield node.attr


def is_own(node: ast.expr) -> bool:
    """Whether an expression is the object that the code belongs to."""
    return isinstance(node, ast.Name) and node.id in {"self", "cls"}


@lru_cache
def of_the_package() -> frozenset[str]:
    """Every private name that the package defines."""
    return frozenset(name for file in FILES for name in defined(ast.parse(file.read_text("utf-8"))))


def reads(tree: ast.AST, *, computed: bool) -> list[str]:
    """The private names that a file reads and neither it nor, through ``self``, the package defines."""
    own = set(defined(tree))
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=value, attr=name) if is_private(name):
                if name not in own and not (is_own(value) and name in of_the_package()):
                    found.append(f"line {node.lineno}: {ast.unparse(node)}")
            case ast.Attribute(attr=name) if name in UNSEEN:
                found.append(f"line {node.lineno}: {ast.unparse(node)}")
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[*_, _]) if name in REACHING:
                texts = [arg for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                if any(is_private(part) for text in texts for part in text.value.split(".")):
                    found.append(f"line {node.lineno}: {ast.unparse(node)}")
                elif not texts and not computed:
                    found.append(f"line {node.lineno}: {ast.unparse(node)}, a name that is not written out")
            case ast.ImportFrom(module=str(module), names=names) if not module.startswith("piggy_batch"):
                parts = [*module.split("."), *(alias.name for alias in names)]
                found += [f"line {node.lineno}: from {module}" for part in parts if is_private(part)]
            case ast.Import(names=names):
                parts = [part for alias in names for part in alias.name.split(".")]
                found += [f"line {node.lineno}: import {part}" for part in parts if is_private(part)]
    return found


@pytest.mark.hostile("18.20 a guard rests on private parts of a library that an upgrade takes away")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_private_name_of_another_package_is_read(path: Path) -> None:
    """Neither as an attribute, nor through getattr, nor by an import."""
    computed = str(path.relative_to(PACKAGE)) in COMPUTED
    assert reads(ast.parse(path.read_text("utf-8")), computed=computed) == []


@pytest.mark.hostile("18.20 a guard rests on private parts of a library that an upgrade takes away")
@pytest.mark.parametrize(
    "code",
    [
        "transport._pool.connections",
        "getattr(connection, '_h11_state', None)",
        "operator.attrgetter('stream._protocol')(connection)",
        "def reach(thing, *names):\n    for name in names:\n        thing = getattr(thing, name, None)",
        "class A(Protocol):\n    def read(self):\n        return self._read_ready_is_no_name_of_ours",
        "connection.__dict__['_state']",
        "from httpcore._async import connection",
        "import h11._connection",
        "from asyncio import _get_running_loop",
    ],
)
def test_every_way_of_reading_one_is_found(code: str) -> None:
    """The test above is not blind."""
    assert reads(ast.parse(code), computed=False)


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def __init__(self, it):\n        self._x = it._x",
        "pair._replace(a=1)",
        "getattr(error, 'sqlite_errorname', '')",
        "object.__setattr__(self, 'x', 1)",
        "from piggy_batch.files import _helper",
    ],
)
def test_ones_own_names_may_be_private(code: str) -> None:
    """In the file that gives them, and through self."""
    assert reads(ast.parse(code), computed=False) == []
