"""Build the compiled form; without contraction, so that its numbers are those of NumPy."""

from Cython.Build import cythonize
from setuptools import Extension, setup

extension = Extension(
    "_partgraph_charbonnier",
    ["_partgraph_charbonnier.pyx"],
    extra_compile_args=["-O3", "-fno-math-errno", "-ffp-contract=off"],
)
setup(ext_modules=cythonize([extension]))
