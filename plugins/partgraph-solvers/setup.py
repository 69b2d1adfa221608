"""Build the compiled part.

The build is portable: no flags for the machine at hand (the kernels choose their instruction set at run time),
and no fast mathematics (NaN and infinity keep their meaning). Contraction to fused multiply-add is switched off, so
that every processor computes the same bits. PARTGRAPH_DEBUG=1 turns Cython's checks of indices on.
"""

import os
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

MSVC = ["/std:c++17", "/O2", "/EHsc"]
GNU = ["-std=c++17", "-O3", "-fno-math-errno", "-ffp-contract=off", "-fvisibility=hidden", "-Wno-psabi"]
debug = os.environ.get("PARTGRAPH_DEBUG") == "1"

kernel = "src/partgraph_solvers/kernel"
extension = Extension(
    "partgraph_solvers._star",
    ["src/partgraph_solvers/_star.pyx"],
    include_dirs=["src/partgraph_solvers"],
    depends=[f"{kernel}/{name}" for name in sorted(os.listdir(kernel))],
    extra_compile_args=MSVC if sys.platform == "win32" else GNU,
    language="c++",
)
directives = {"boundscheck": debug, "wraparound": debug, "initializedcheck": debug}
setup(ext_modules=cythonize([extension], compiler_directives=directives))
