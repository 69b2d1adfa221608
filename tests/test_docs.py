"""Documentation is executed: code blocks as doctests, console blocks as commands, and what it says about hooks.

A page's blocks run in order, in one empty folder. A console block holds commands after ``$`` and, if it says so, what
they print; ``...`` stands for anything. A comment before a block excuses it: ``<!-- not run: why -->``, or
``<!-- needs: module ... -->`` where it runs only if these modules are installed. Commands of ``partgraph`` that are
not run are parsed, so that their options exist.

Tutorials have files as well: a block after ``<!-- file: NAME -->`` is written under that name, which the text before it
must say. What a tutorial installs goes into an environment of its own, which sees the packages of this one. Where
``<!-- the page needs: module ... -->`` stands at its top, it runs if these modules are installed.
"""

import doctest
import inspect
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import attrs
import pytest

from partgraph.cli import app
from partgraph.components import KINDS
from partgraph.hookspecs import PartGraphSpecs
from partgraph.plugins import get, installed

ROOT = Path(__file__).parents[1]
DOCS = sorted([path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts])
TUTORIALS = [path for path in DOCS if path.parent.name == "tutorials"]
PAGES = sorted(
    [*ROOT.glob("*.md"), *DOCS, *(ROOT / "plugins").glob("*.md"), *ROOT.glob("plugins/*/README.md")]
)
BLOCK = re.compile(
    r"(?:<!-- *(?P<mark>[^>]*?) *-->\n+)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
PAGE_NEEDS = re.compile(r"^<!-- the page needs: (.+) -->$", re.MULTILINE)
OFFLINE = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
"""Build with the setuptools that is here; the first variable means the opposite of what it says."""
PIP = OFFLINE if find_spec("setuptools") and int(version("setuptools").split(".")[0]) >= 77 else {}
COMMAND = """#!/bin/sh
exec '{python}' -P -c '
import sys
from importlib.metadata import entry_points
sys.argv[0] = "{name}"
(command,) = entry_points(group="console_scripts", name="{name}")
sys.exit(command.load()())' "$@"
"""
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@attrs.frozen
class Block:
    page: Path
    line: int
    language: str
    mark: str
    text: str

    @property
    def runs(self) -> bool:
        return not self.mark.startswith("not run")

    @property
    def file(self) -> str | None:
        return self.mark.removeprefix("file: ") if self.mark.startswith("file: ") else None

    @property
    def missing(self) -> list[str]:
        needs = self.mark.removeprefix("needs:").split() if self.mark.startswith("needs:") else []
        return [module for module in needs if find_spec(module) is None]

    def commands(self) -> list[tuple[str, str]]:
        """Each command of a console block, with the output that is shown below it."""
        pairs: list[tuple[str, str]] = []
        for line in self.text.splitlines(keepends=True):
            if line.startswith("$ "):
                pairs.append((line[2:].strip(), ""))
            elif pairs[-1][0].endswith("\\"):
                pairs[-1] = (pairs[-1][0][:-1] + line.strip(), "")
            else:
                pairs[-1] = (pairs[-1][0], pairs[-1][1] + line)
        return pairs


def missing_for(page: Path) -> list[str]:
    needs = " ".join(PAGE_NEEDS.findall(page.read_text(encoding="utf-8"))).split()
    return [module for module in needs if find_spec(module) is None]


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page, text[: found.start()].count("\n") + 1, found["language"], found["mark"] or "", found["text"]
        )
        for found in BLOCK.finditer(text)
    ]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def run_python(block: Block, names: dict[str, object]) -> None:
    test = doctest.DocTestParser().get_doctest(
        block.text, names, name(block.page), str(block.page), block.line
    )
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(test, out=report.append, clear_globs=False)
    names |= test.globs
    assert not runner.failures, "".join(report)


def write(block: Block, name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(block.text, encoding="utf-8")


def own_environment(folder: Path) -> Path:
    """Make an environment that sees the packages of this one; return the folder of its commands.

    Commands that are installed here start there with its interpreter, so that they see what a page installs.
    """
    venv.create(folder, symlinks=True)
    scripts = folder / Path(sysconfig.get_path("scripts")).name
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    here = sysconfig.get_path("purelib")
    (site / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n", encoding="utf-8")
    for name in ("pip", "pytest", "partgraph"):
        (scripts / name).write_text(COMMAND.format(python=scripts / "python", name=name), encoding="utf-8")
        (scripts / name).chmod(0o755)
    return scripts


def run_console(block: Block, scripts: Path) -> None:
    path = os.pathsep.join([str(scripts), os.environ["PATH"]])
    for command, expected in block.commands():
        done = subprocess.run(
            ["bash", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PATH": path, "COLUMNS": "120", "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | PIP,
            check=False,
        )
        where = f"{name(block.page)}, line {block.line}: {command}\n{done.stdout}"
        assert done.returncode == 0, where
        if expected:
            assert doctest.OutputChecker().check_output(expected, done.stdout, FLAGS), where


SLOW = {"docs/tutorials/object.md": pytest.mark.slow}  # trains a network


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=SLOW.get(name(page), ()), id=name(page)) for page in PAGES]
)
def test_pages_do_what_they_say(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = set(missing_for(page))
    if missing:
        pytest.skip(f"needs {', '.join(sorted(missing))}")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    scripts = Path(sys.executable).parent if page not in TUTORIALS else own_environment(tmp_path / "own")
    names: dict[str, object] = {}
    ran = 0
    for block in blocks(page):
        missing.update(block.missing)
        if not block.runs or block.missing:
            continue
        if block.file:
            write(block, block.file)
        elif block.language == "python" and ">>>" in block.text:
            run_python(block, names)
            ran += 1
        elif block.language == "console":
            run_console(block, scripts)
            ran += 1
    if missing and not ran:
        pytest.skip(f"needs {', '.join(sorted(missing))}")


def commands() -> list[str]:
    found = [
        command
        for page in PAGES
        for block in blocks(page)
        if block.language == "console"
        for command, _ in block.commands()
    ]
    return sorted({command for command in found if command.startswith("partgraph ")})


@pytest.mark.parametrize("command", commands())
def test_commands_have_the_options_that_pages_use(command: str) -> None:
    words = shlex.split(re.split("[;|]", command)[0])
    if words[1] in ("train", "evaluate", "predict", "export", "figures", "demo", "data"):
        pytest.importorskip("torch", reason="the learning commands need torch")
    app.parse_args(words[1:], print_error=False, exit_on_error=False)


def test_code_blocks_have_a_language_and_excuses_are_known() -> None:
    for page in PAGES:
        for block in blocks(page):
            where = f"{name(page)}, line {block.line}"
            assert block.language in ("python", "console", "toml", "text"), where
            assert block.mark == "" or block.mark.startswith(
                ("needs: ", "not run: ", "results:", "file: ")
            ), where


@pytest.mark.parametrize("page", TUTORIALS, ids=name)
def test_tutorials_leave_nothing_out(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    for block in blocks(page):
        before = " ".join(lines[max(block.line - 4, 0) : block.line])
        where = f"{name(page)}, line {block.line}"
        assert block.runs, f"{where} is not run"
        assert block.file is None or f"`{block.file}`" in before, f"{where}: the text does not name the file"
        assert block.file or block.language in ("console", "text") or ">>>" in block.text, (
            f"{where} is no file"
        )


def hook_headings() -> list[str]:
    text = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    return re.findall(r"^### `(partgraph_\w+\(.*\))`$", text, re.MULTILINE)


def test_every_hook_has_a_heading_with_its_signature() -> None:
    hooks = {
        hook: inspect.signature(function)
        for hook, function in vars(PartGraphSpecs).items()
        if hook.startswith("partgraph_")
    }
    expected = [f"{hook}({', '.join(list(signature.parameters)[1:])})" for hook, signature in hooks.items()]
    assert hook_headings() == expected


def test_every_kind_of_component_is_in_the_table_of_kinds() -> None:
    text = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(partgraph_\w+)` \| .*?`[\w.]*?(\w+)`", text, re.MULTILINE)
    assert rows == [(kind, own.hook, own.interface.partition(":")[2]) for kind, own in KINDS.items()]


def test_every_solver_and_its_options_are_described() -> None:
    text = (ROOT / "docs/solvers.md").read_text(encoding="utf-8")
    shipped = [entry for entry in installed("solver") if entry.distribution.startswith("partgraph")]
    for entry in shipped:
        assert f"`{entry.component.name}`" in text
        for option in attrs.fields(get("solver", entry.name)):
            internal = (
                option.name == "block"
            )  # of dynamic programming: memory against calls, never the answer
            assert internal or re.search(rf"`{option.name}`", text), f"{entry.name}: {option.name}"


def test_the_plugin_in_the_readme_is_the_one_in_examples() -> None:
    plugin = (ROOT / "examples/partgraph-huber/partgraph_huber.py").read_text(encoding="utf-8")
    assert plugin in [block.text for block in blocks(ROOT / "README.md")]


def links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        if "://" in link or target == "docs/images/demo.png":  # that picture: see test_repository
            continue
        path = page.parent / target if target else page
        assert path.exists(), f"{name(page)}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
            assert anchor in slugs, f"{name(page)}: {link}"


def test_every_page_of_docs_is_in_the_index() -> None:
    listed = {link.partition("#")[0] for link in links(ROOT / "docs/index.md")}
    pages = [*DOCS, *(ROOT / "docs/reference").glob("*.rst")]
    assert {str(page.relative_to(ROOT / "docs")) for page in pages} - {"index.md"} <= listed
