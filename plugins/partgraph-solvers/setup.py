"""Build the compiled part.

The build is portable: no flags for the machine at hand (the kernels choose their instruction set at run time),
and no fast mathematics (NaN and infinity keep their meaning). Contraction to fused multiply-add is switched off, so
that every processor computes the same bits. PARTGRAPH_DEBUG=1 turns Cython's checks of indices and
debug symbols on.
"""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

MSVC = ["/std:c++17", "/O2", "/EHsc"]
GNU = ["-std=c++17", "-O3", "-fno-math-errno", "-ffp-contract=off", "-fvisibility=hidden", "-Wno-psabi"]
debug = os.environ.get("PARTGRAPH_DEBUG") == "1"
if not debug:  # symbols, which many Pythons ask for, take a third of the time and most of the size
    GNU.append("-g0")

kernel = "src/partgraph_solvers/kernel"
extensions = [
    Extension(
        f"partgraph_solvers.{name}",
        [f"src/partgraph_solvers/{name}.pyx"],
        include_dirs=["src/partgraph_solvers"],
        depends=[f"{kernel}/{header}" for header in sorted(os.listdir(kernel))],
        extra_compile_args=MSVC if sys.platform == "win32" else GNU,
        language="c++",
    )
    for name in ("_star", "_dense", "_kd", "_loops", "_terms")
]
directives = {"boundscheck": debug, "wraparound": debug, "initializedcheck": debug}
parallel = min(len(extensions), os.cpu_count() or 1)
setup(
    ext_modules=cythonize(extensions, compiler_directives=directives),
    options={"build_ext": {"parallel": parallel}},
)
