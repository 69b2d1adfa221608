"""The repository's front door: licences, versions, the Makefile and what the README promises."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HUMANPOSE = ROOT / "plugins/partgraph-humanpose"
SHIPS_DATA = [HUMANPOSE, ROOT / "plugins/partgraph-dogpose"]
PACKAGE = HUMANPOSE / "src/partgraph_humanpose"
PROJECTS = [ROOT, *sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GRAPHS = ("unary-only", "center-star", "stick-figure", "extended-stick-figure", "two-hop")


def project(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def tracked() -> list[Path]:
    """The files of the repository, as git knows them."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout")
    return [path for path in (ROOT / name for name in names if name) if path.is_file()]


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_every_distribution_carries_the_licence(folder: Path) -> None:
    assert project(folder)["license"] == "BSD-3-Clause"
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_notice_is_shipped_and_names_all_data() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for folder in SHIPS_DATA:
        assert (folder / "NOTICE").read_text(encoding="utf-8") == notice
        for file in folder.glob("src/*/assets/*"):
            assert f"{file.parent.parent.name}/assets/{file.name}" in notice


def test_plugins_agree_with_the_core_on_versions() -> None:
    assert len({project(folder)["version"] for folder in PROJECTS}) == 1
    assert f"## {project(ROOT)['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert {project(folder)["requires-python"] for folder in PROJECTS} == {">=3.11"}
    for folder in PROJECTS[1:]:
        assert any(
            re.match(r"partgraph(\[\w+\])?>=0\.1,<0\.2$", own) for own in project(folder)["dependencies"]
        )


def test_the_requirements_and_the_readme_install_every_project() -> None:
    requirements = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    for folder in PROJECTS[1:]:
        name = str(folder.relative_to(ROOT))
        assert f"-e ./{name}\n" in requirements
        assert f"./{name}" in re.search(r"^\$ pip install (\. .+)$", README, re.MULTILINE)[1].split()


def test_the_makefile_says_what_it_would_do_with_every_project() -> None:
    targets = ["demo", "test", "lint", "examples", "docs"]
    command = ["make", "-n", *targets, "PYTHON=some-python", "VENV=no-such-venv"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("make is not installed")
    assert done.returncode == 0, done.stderr
    expected = [
        "some-python -m venv no-such-venv",
        "no-such-venv/bin/partgraph demo",
        "-m pytest",
        "-m sphinx",
    ]
    for folder in PROJECTS[1:]:
        expected += [f"-e {folder.relative_to(ROOT)}", f"-p {folder.name.replace('-', '_')}"]
    for text in expected:
        assert text in done.stdout


def test_continuous_integration_can_be_started() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_nothing_points_to_somebodys_machine() -> None:
    somewhere = re.compile(rb"(?<![\w.$}~/])/(root|home|work|Users)/\w")
    for path in tracked():
        if path.suffix in (".npz", ".png", ".safetensors"):
            continue
        found = somewhere.search(path.read_bytes())
        assert not found, f"{path.relative_to(ROOT)}: {found and found[0]!r}"


def test_files_are_small() -> None:
    for path in tracked():
        assert path.stat().st_size < 13_000_000, path


@pytest.mark.skipif(
    not (PACKAGE / "weights/human-medium-structured/weights.safetensors").exists(),
    reason="the weights are not here yet",
)
def test_the_readme_shows_what_the_weights_do() -> None:
    assert (ROOT / "docs/images/demo.png").exists()
    results = README.partition("<!-- results:begin -->")[2].partition("<!-- results:end -->")[0]
    for graph in GRAPHS:
        assert graph in results
