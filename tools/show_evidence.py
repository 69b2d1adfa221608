"""Write docs/results.md: what a trained network reaches on held-out pictures, and what each contribution brings.

    python tools/show_evidence.py

runs every evaluation that is not in runs/results yet, as the commands that the page prints, and fills the page from the
files they leave. Delete the folder after new weights, or name another; `--runs-only` and `--page-only` do half of it.
Networks to compare with, such as that before the structured stage or those of other seeds, are added by
`--beside NAME=FOLDER`.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from partgraph.learning.compare import comparison_tables
from partgraph.learning.results import Results
from partgraph.learning.results_file import ERRORS, load_results
from partgraph.learning.tables import error_table, metric_table, part_table, solver_table, visibility_table
from partgraph.report import Table
from partgraph.report.formats import to_markdown

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results.md"
PICTURES = "data.test.count"

SOLVED = ["--graph", "unary-only", "--graph", "stick-figure", "--graph", "two-hop"]
OPTIONS = {
    "exact": [],  # the default policy proves its answers
    "admm": [*SOLVED, "--solver", "admm"],
    "exact-of-the-same": SOLVED,
    "constant-offsets": ["--solver", "exact", "--offsets", "constant"],
    "voxel-centres": ["--solver", "exact", "--set", "model.residuals=false"],
    "mirrored": ["--set", "evaluation.mirror=true"],
}
OF_SOLVERS = ("admm", "exact-of-the-same")  # ADMM takes ten times as long, so fewer pictures may do


def commands(options: argparse.Namespace) -> dict[str, list[str]]:
    """The evaluations by name, as a user would type them."""
    every = {}
    for name, own in OPTIONS.items():
        words = ["partgraph", "evaluate", options.model, "--set", f"{PICTURES}={options.pictures}", *own]
        if name in OF_SOLVERS and options.solver_pictures < options.pictures:
            words += ["--count", str(options.solver_pictures)]
        every[name] = [*words, "--out", f"{options.runs}/{name}"]
    for given in options.beside:
        name, _, model = given.partition("=")
        words = ["partgraph", "evaluate", model, "--set", f"{PICTURES}={options.pictures}"]
        every[name] = [*words, "--out", f"{options.runs}/{name}"]
    if options.solver_pictures >= options.pictures:
        del every["exact-of-the-same"]
    return every


def evaluate(every: dict[str, list[str]], runs: Path) -> None:
    """Run what has not been run."""
    for name, words in every.items():
        if not (runs / name / ERRORS).exists():
            subprocess.run([sys.executable, "-m", *words], check=True)


def page(every: dict[str, list[str]], runs: Path, beside: list[str]) -> str:
    """The page's text."""
    found = {name: load_results(runs / name) for name in every}
    exact = found["exact"]
    solved = found.get("exact-of-the-same", exact)
    about = exact.about
    steps = "\n".join(f"$ {shlex.join(words)}" for words in every.values())
    sections = [
        "# Results",
        f"What `{about['model']}` reaches on {len(exact)} pictures of `{about['data']}`: clips that training never "
        f"saw. Everything below is measured, and written by `python tools/show_evidence.py` from the files that these "
        f"commands leave:",
        f"<!-- not run: takes long -->\n```console\n{steps}\n```",
        "How errors are measured, and what the two standard errors mean, is said in [Evaluation](evaluation.md). "
        f"With {len(set(exact.splits[exact.clips].of))} {exact.clips}s, the one over them is itself uncertain. "
        "Times depend on the machine and on what else it does; errors do not.",
        "## Topologies",
        findings(exact),
        *shown(
            error_table(exact),
            visibility_table(exact),
            metric_table(exact),
            part_table(exact),
            solver_table(exact),
        ),
        "## Solvers",
        f"ADMM, the paper's solver, against the exact one, on the first {len(solved)} of the pictures.",
        *shown(*comparison_tables({"exact": solved, "admm": found["admm"]})),
        "## Offsets",
        "Offsets that the network predicts for each candidate, against the mean displacements of the training poses. "
        "A structured stage learns scores and c for predicted offsets, which puts mean ones at a disadvantage.",
        *shown(*comparison_tables({"predicted": exact, "constant": found["constant-offsets"]})[:3]),
        "## Residuals",
        "Candidates moved by their residuals, against candidates at voxel centres.",
        *shown(*comparison_tables({"residuals": exact, "voxel centres": found["voxel-centres"]})[:3]),
    ]
    sections += [
        "## Mirrored pictures",
        "Scores averaged with those of the mirrored picture, for twice the network's time (`evaluation.mirror`).",
        *shown(*comparison_tables({"picture": exact, "and mirrored": found["mirrored"]})[:3]),
    ]
    if beside:
        names = [given.partition("=")[0] for given in beside]
        others = {name: found[name] for name in names}
        sections += ["## Networks", *shown(*comparison_tables({str(about["model"]): exact, **others})[:3])]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def findings(results: Results) -> str:
    """The main differences in words."""
    reference, last = results.graphs[0], results.graphs[-1]
    lines = []
    for joints in ("all", "visible", "hidden"):
        gain = results.difference(last, reference, joints)
        before = results.mean(reference, joints=joints)
        lines.append(
            f"- {joints} joints: {before:.1f} mm over `{reference}`, {before + gain.mean:.1f} mm over `{last}`, "
            f"{-100 * gain.mean / before:.1f}% less ({gain.mean:+.1f} mm; standard error {gain.error:.1f} over "
            f"pictures, {gain.clip_error:.1f} over {results.clips}s)"
        )
    return "\n".join(lines).replace("(-", "(−")


def shown(*tables: Table) -> list[str]:
    """Tables as Markdown."""
    return [to_markdown(table) for table in tables]


def main() -> None:
    """Evaluate, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="human-medium-structured", help="a folder, or an installed experiment"
    )
    parser.add_argument("--runs", default="runs/results", help="folder for the evaluations")
    parser.add_argument("--pictures", type=int, default=1500)
    parser.add_argument("--solver-pictures", type=int, default=1500, help="for ADMM, which takes longest")
    parser.add_argument(
        "--beside", action="append", default=[], metavar="NAME=FOLDER", help="another network"
    )
    half = parser.add_mutually_exclusive_group()
    half.add_argument("--runs-only", action="store_true")
    half.add_argument("--page-only", action="store_true")
    options = parser.parse_args()
    every = commands(options)
    if not options.page_only:
        evaluate(every, Path(options.runs))
    if not options.runs_only:
        PAGE.write_text(page(every, Path(options.runs), options.beside), encoding="utf-8")


if __name__ == "__main__":
    main()
