"""The documents say what the program does; `python -m tests.test_docs --write` records it again."""

import ast
import contextlib
import inspect
import io
import re
import sys
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

import changeling
from changeling.cli import main
from changeling.cli.entry import COMMANDS
from changeling.generators import FAMILIES, FITTED, fitted_summary

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BEGIN, END = "<!-- help:begin -->", "<!-- help:end -->"
ROOMS = (
    "media", "provenance", "training", "actors", "faces", "generators", "converting", "measuring",
    "study", "studio",
)  # fmt: skip
DEPENDENCY = re.compile(r'^    "([a-z0-9-]+)[^"]*",$|"([a-z0-9-]+)>=[^"]*"[,\]]', re.MULTILINE)


def page(command: str) -> Path:
    return DOCS / "commands" / f"{command}.md"


def help_of(command: str, patch: pytest.MonkeyPatch) -> str:
    """What `--help` prints in a terminal of 80 columns without colours."""
    patch.setenv("COLUMNS", "80")
    patch.setenv("NO_COLOR", "1")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([command, "--help"])
    return "\n".join(line.rstrip() for line in said.getvalue().strip().splitlines())


def summaries() -> str:
    """README's table of families, as the families say what they are."""
    rows = [f"| `{name}` | {family.summary} |" for name, family in FAMILIES.items()]
    rows += [f"| `{name}` | {fitted_summary(name)} |" for name in FITTED]
    return "\n".join(["| family | what it is |", "|---|---|", *rows])


def with_summaries(text: str) -> str:
    """README with this table between its markers."""
    before, rest = text.split("<!-- summaries:begin -->\n")
    _, after = rest.split("<!-- summaries:end -->")
    return f"{before}<!-- summaries:begin -->\n{summaries()}\n<!-- summaries:end -->{after}"


def with_help(text: str, help_text: str) -> str:
    """A page with this help between its markers."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n```text\n{help_text}\n```\n{END}{after}"


def api() -> str:
    """docs/api.md: the public names of each room with the first sentence said of them."""
    lines = ["# Public names", "", "What each room offers, from left to right."]
    for room in ROOMS:
        module = import_module(f"changeling.{room}")
        lines += ["", f"## {room}", "", (module.__doc__ or "").splitlines()[0], ""]
        said = attribute_docs(room)
        for name in sorted(module.__all__, key=str.lower):
            lines.append(f"- `{name}`: {first_sentence(getattr(module, name), said.get(name, ''))}")
    return "\n".join(lines) + "\n"


def first_sentence(value: object, said: str) -> str:
    """Of the docstring; that of a value, which has none of its own, is `said`."""
    own = inspect.isclass(value) or inspect.isroutine(value)
    text = said or (inspect.getdoc(value) or "" if own else "")
    return " ".join(re.split(r"(?<=\.)\s|\n\n", text, maxsplit=1)[0].split())


def attribute_docs(room: str) -> dict[str, str]:
    """The docstrings under the assignments of a room's modules."""
    found: dict[str, str] = {}
    for path in sorted((Path(changeling.__file__).parent / room).glob("*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for line, below in pairwise(body):
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                targets = line.targets if isinstance(line, ast.Assign) else []
                targets = [line.target] if isinstance(line, ast.AnnAssign) else targets
                found |= {t.id: str(below.value.value) for t in targets if isinstance(t, ast.Name)}
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page_with_its_help(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page(command).read_text(encoding="utf-8")
    assert text == with_help(text, help_of(command, monkeypatch))
    assert text.startswith(f"# changeling {command}\n")
    assert f"(docs/commands/{command}.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_no_page_is_left_of_a_command_that_went() -> None:
    assert {path.stem for path in page("x").parent.iterdir()} == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_is_explained(command: str) -> None:
    source = inspect.getsource(sys.modules[COMMANDS[command].__module__])
    kinds = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    (body,) = (kind.body for kind in kinds if kind.name == COMMANDS[command].__name__)
    for line, below in pairwise(body):
        if isinstance(line, ast.AnnAssign):
            assert isinstance(below, ast.Expr), ast.unparse(line)
            assert ast.unparse(below).rstrip("'\"").endswith("."), ast.unparse(line)


def test_the_readme_tells_every_family() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == with_summaries(text)


def test_the_public_names_are_listed() -> None:
    assert (DOCS / "api.md").read_text(encoding="utf-8") == api()


def test_every_public_name_is_explained() -> None:
    assert [line for line in api().splitlines() if line.endswith(": ")] == []


def test_every_dependency_is_justified() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = {one or other for one, other in DEPENDENCY.findall(project)} - {"setuptools"}
    rows = (DOCS / "dependencies.md").read_text(encoding="utf-8").splitlines()
    explained = {row.split("|")[1].strip() for row in rows if row.startswith("| ")} - {"package"}
    assert explained == needed
    assert {"torch", "mypy"} <= needed


def test_every_network_that_ships_has_a_card() -> None:
    """Which README lists. The morphable model is no network: its page is docs/fitting.md."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    source = Path(changeling.__file__).parent
    names = {path.stem for path in source.rglob("*.safetensors")} - {"face"}
    assert names == {card.stem for card in (DOCS / "cards").glob("*.md")}
    for name in names:
        assert f"(docs/cards/{name}.md)" in readme
        card = (DOCS / "cards" / f"{name}.md").read_text(encoding="utf-8")
        assert f"`changeling teach {name}" in card and f"{name}.json" in card


def test_links_lead_somewhere() -> None:
    broken = []
    for document in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            if not (document.parent / target).exists():
                broken.append((document.name, target))
    assert broken == []


def record() -> None:
    """Write the help into the pages, the public names into api.md, the families into README."""
    with pytest.MonkeyPatch.context() as patch:
        for command in COMMANDS:
            text = page(command).read_text(encoding="utf-8")
            page(command).write_text(with_help(text, help_of(command, patch)), encoding="utf-8")
    (DOCS / "api.md").write_text(api(), encoding="utf-8")
    readme = ROOT / "README.md"
    readme.write_text(with_summaries(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.test_docs --write")
    record()
