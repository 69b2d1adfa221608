"""
Problem files
=============

Save a problem, solve it from the command line, and read the answer as JSON.

The file is an ``.npz`` of plain arrays, so that any language can write one; docs/problem-files.md has the format.
Runs with the core alone.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from partgraph import Candidates, Problem, Quadratic, Topology, load_problem, save_problem

rng = np.random.default_rng(0)
graph = Topology(["hip", "knee", "ankle"], [(0, 1), (1, 2)])
candidates = [Candidates(rng.normal(0, 200, (50, 3)), rng.normal(0, 1, 50)) for _ in graph.parts]
weight = [1 / (2 * 60.0**2)] * 3
pairwise = [Quadratic(weight, [0, 430, 0]), Quadratic(weight, [0, 410, 0])]
# Seen from each candidate of the knee, the ankle may be expected somewhere else: an anchor per candidate.
anchors = [None, candidates[1].positions + rng.normal(0, 20, (50, 3))]
problem = Problem(graph, candidates, pairwise, anchors=anchors)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "leg.npz"
    save_problem(problem, path)
    with np.load(path) as arrays:
        for name in arrays:
            print(f"{name:12} {arrays[name].dtype!s:8} {arrays[name].shape}")
    program = shutil.which("partgraph", path=Path(sys.executable).parent) or "partgraph"
    command = [program, "solve", str(path), "--solver", "dynamic-programming", "--n-best", "2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    again = load_problem(path)

answer = json.loads(done.stdout)
print(answer["solver"], answer["status"], answer["labels"], answer["scores"])
assert np.allclose(again.score(np.array(answer["labels"])), answer["scores"])
