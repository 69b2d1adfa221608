"""The rules of the house: what may import what, and what an import costs."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

import partgraph
from partgraph.plugins import Entry, installed

PACKAGE = Path(partgraph.__file__).parent
ROOT = PACKAGE.parent

ORDER = [
    "errors",
    "arrays",
    "interval",
    "potentials",
    "vertex_cover",
    "covers",
    "graph",
    "candidates",
    "heatmaps",
    "pruning",
    "wellformed",
    "scoring",
    "problem",
    "solver",
    "many",
    "topologies",
    "graph_files",
    "reference",
    "builtin",
]
"""Imports go from right to left only."""

ORDER_OF_POTENTIALS = [
    "fields",
    "compiled",
    "base",
    "quadratic_form",
    "quadratic",
    "full_quadratic",
    "limb_length",
    "robust",
    "mixture",
    "priors",
    "admm",
    "task_loss",
    "scaled",
]
"""The same within `partgraph.potentials`."""

OUTSIDE = {"testing", "rendering", "learning", "report", "cli"}
"""What the core never imports."""


def imported(path: Path) -> set[str]:
    """Return the modules a file imports at run time, inside functions too; not those for annotations only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("partgraph.")}


def files(name: str) -> list[Path]:
    """Return the files of a module of the core, or of a package of it."""
    return sorted((PACKAGE / name).glob("*.py")) or [PACKAGE / f"{name}.py"]


CORE = sorted(
    [
        *(path for path in PACKAGE.glob("*.py") if path.stem not in ("__init__", "__main__")),
        *files("potentials"),
        *files("topologies"),
    ]
)
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "templates" not in path.parts)


def relative(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("name", ORDER)
def test_imports_go_one_way(name):
    allowed = set(ORDER[: ORDER.index(name)]) | {"plugins"}
    for path in files(name):
        itself = {name} if path.stem != name else set()
        assert own(path) & set(ORDER) <= allowed | itself


def test_potentials_import_one_way():
    package, prefix = PACKAGE / "potentials", "partgraph.potentials."
    assert {path.stem for path in package.glob("*.py")} == {*ORDER_OF_POTENTIALS, "__init__"}
    for place, name in enumerate(ORDER_OF_POTENTIALS):
        modules = {item for item in imported(package / f"{name}.py") if item.startswith(prefix)}
        found = {item.removeprefix(prefix).split(".")[0] for item in modules}
        assert found <= set(ORDER_OF_POTENTIALS[:place]), name


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_the_core_imports_nothing_outside_itself(path):
    names = imported(path)
    assert not own(path) & OUTSIDE
    assert not {name.split(".")[0] for name in names} & {"torch", "scipy", "hypothesis", "pytest"}
    assert not any(name.startswith("partgraph_") for name in names), "the core must not know a plugin"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_torch_is_imported_in_learning_only(path):
    if "learning" in relative(path) or relative(path) == "testing/potential_checks.py":
        pytest.skip("may import torch")
    assert not {name.split(".")[0] for name in imported(path)} & {"torch", "torchvision"}


@pytest.mark.parametrize("path", files("rendering"), ids=relative)
def test_rendering_needs_numpy_alone(path):
    outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names)
    assert outside <= {"attrs", "numpy", "partgraph"}
    assert own(path) <= {"rendering"}


@pytest.mark.parametrize("plugin", sorted(ROOT.glob("plugins/*/src/*")), ids=lambda plugin: plugin.name)
def test_a_plugin_imports_the_core_and_no_other_plugin(plugin):
    for path in plugin.rglob("*.py"):
        mine = {name for name in imported(path) if name.startswith("partgraph_")}
        assert {name.split(".")[0] for name in mine} <= {plugin.name}, path


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_nothing_unpickles(path):
    assert not {name.split(".")[0] for name in imported(path)} & {"pickle", "dill", "cloudpickle", "joblib"}
    # What torch does by pickles: its own files, and objects sent between processes.
    assert not re.search(r"torch\.(load|save)\(|_object(_list)?\(", path.read_text(encoding="utf-8"))


def given_to_the_kit(folder: Path) -> set[str]:
    """Return the names in what tests below a folder hand to `parametrize_with_checks`."""
    calls = [
        node
        for path in folder.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "parametrize_with_checks"
    ]
    return {node.id for call in calls for node in ast.walk(call) if isinstance(node, ast.Name)}


def folder_of_tests(entry: Entry) -> Path:
    """Return where this repository tests what a plugin offers, wherever that is installed."""
    here = Path(__file__).parent
    return (
        here
        if entry.plugin == "builtin"
        else here.parent / "plugins" / entry.distribution.split()[0] / "tests"
    )


@pytest.mark.parametrize(
    "entry",
    [entry for entry in installed("solver") if folder_of_tests(entry).exists()],
    ids=lambda entry: entry.name,
)
def test_every_solver_that_ships_is_given_to_the_kit(entry):
    """Of the other kinds the kit is given all that are installed."""
    assert entry.component.target.partition(":")[2] in given_to_the_kit(folder_of_tests(entry))


HEAVY = "('torch', 'scipy', 'hypothesis', 'pytest', 'cyclopts', 'rich')"


def test_importing_partgraph_is_light(python):
    assert python(f"import sys, partgraph; print([m for m in {HEAVY} if m in sys.modules])") == "[]"


def test_importing_partgraph_imports_no_plugin(python):
    assert (
        python("import sys, partgraph; print([m for m in sys.modules if m.startswith('partgraph_')])") == "[]"
    )


def test_listing_plugins_imports_none_of_what_they_offer(python):
    out = python(
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from importlib.metadata import entry_points\n"
        "from partgraph.plugins import installed\n"
        "entries = [entry for entry in installed() if entry.plugin != 'builtin']\n"
        f"print([m for m in {HEAVY} if m in sys.modules])\n"
        "targets = {entry.component.target.split(':')[0] for entry in entries}\n"
        "targets -= {point.value for point in entry_points(group='partgraph')}  # a plugin of one file\n"
        "print(sorted(m for m in targets if m in sys.modules))"
    )
    assert out.splitlines() == ["[]", "[]"]


def test_versions_agree():
    projects = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
    if not projects[0].exists():
        pytest.skip("not run from a checkout")
    versions = {
        str(p.parent.name): tomllib.loads(p.read_text(encoding="utf-8"))["project"]["version"]
        for p in projects
    }
    assert set(versions.values()) == {partgraph.__version__}, versions


def test_public_names_exist_and_are_sorted():
    assert partgraph.__all__ == sorted(partgraph.__all__)
    for name in partgraph.__all__:
        assert getattr(partgraph, name) is not None


def test_public_names_are_documented():
    undocumented = [
        name
        for name in partgraph.__all__
        if not getattr(partgraph, name).__doc__ and not name.startswith("hook")
    ]
    assert undocumented == []
