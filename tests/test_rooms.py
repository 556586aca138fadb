"""The house rules that can be read off the source: who imports whom, how long things are."""

import ast
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import changeling
from changeling.generators import FAMILIES as REGISTERED

ROOT = Path(changeling.__file__).parent
ROOMS = (
    "errors", "media", "provenance", "training", "actors", "faces", "generators", "converting",
    "measuring", "detecting", "study", "studio", "cli",
)  # fmt: skip
PACKAGES = [room for room in ROOMS if (ROOT / room / "__init__.py").exists()]
FILES = sorted(ROOT.rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]
FAMILIES = sorted({family.learner.__module__.split(".")[-1] for family in REGISTERED.values()})
"""The files of the families; a family's further files begin with its name."""
TAUGHT = ROOT / "cli" / "teach.py"
"""Names the networks that ship, some of which a family begins with."""
EXPERIMENTS = ROOT / "study" / "experiments"
"""Name the families that they compare."""


def room_of(path: Path) -> str:
    """The room a file belongs to; "" for the package's own __init__."""
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported_rooms(tree: ast.AST, path: Path) -> Iterator[str]:
    """The rooms that a file imports, absolutely or relatively, at the top or inside functions."""
    package = ["changeling", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "changeling" and len(parts) > 1:
                yield parts[1]


def without_docstrings(tree: ast.Module) -> ast.Module:
    """The tree less its docstrings, also those under fields."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                line
                for line in body
                if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
            ]
    return tree


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_room_imports_only_rooms_to_its_left(path: Path) -> None:
    room = room_of(path)
    allowed = {room, *ROOMS[: ROOMS.index(room)]} if room else set()
    imported = set(imported_rooms(ast.parse(path.read_text()), path))
    assert imported & set(ROOMS) <= allowed


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    lines = len(text.splitlines())
    assert lines <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name


def family_of(path: Path) -> str:
    """The family that a file belongs to; "" for none. The longest name counts."""
    stems = [name for name in FAMILIES if f"{path.stem}_".startswith(f"{name}_")]
    return max(stems, key=len, default="")


def families_known(tree: ast.AST) -> set[str]:
    """The families that a file imports or names in a text of its own."""
    known = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            parts = {*(node.module or "").split("."), *(alias.name for alias in node.names)}
            known |= {family_of(Path(part)) for part in parts}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            known |= {node.value} & (set(FAMILIES) | set(REGISTERED))
    return known - {""}


@pytest.mark.parametrize(
    "path", [path for path in FILES if path != TAUGHT and path.parent != EXPERIMENTS]
)
def test_only_a_family_and_its_registration_know_its_name(path: Path) -> None:
    own = {family_of(path)} if path.parent.name == "generators" else set()
    if path.stem != "registry":
        assert families_known(without_docstrings(ast.parse(path.read_text()))) <= own


@pytest.mark.parametrize("room", PACKAGES)
def test_every_public_name_exists(room: str) -> None:
    module = import_module(f"changeling.{room}")
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []
    assert len(module.__all__) == len(set(module.__all__))


def test_every_file_that_is_no_python_goes_into_the_wheel() -> None:
    """Else the page that people rate by is missing once the package is installed from one."""
    text = (ROOT.parents[1] / "pyproject.toml").read_text("utf-8")
    patterns = tomllib.loads(text)["tool"]["setuptools"]["package-data"]["changeling"]
    packed = {path for pattern in patterns for path in ROOT.glob(pattern)}
    other = {path for path in ROOT.rglob("*") if path.is_file() and path.suffix != ".py"}
    assert ROOT / "studio" / "rating.html" in packed
    assert {path for path in other if "__pycache__" not in path.parts} <= packed
