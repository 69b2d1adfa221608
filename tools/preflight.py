"""Say in one line what this machine lacks for an installation, before pip says it in a hundred."""

import os
import shutil
import sys
import sysconfig

PYTHON = (3, 11)


def missing():
    """Return what is missing and what to do about it, or None."""
    # Runs under whatever Python is there: nothing newer than 3.6 in this file.
    if sys.version_info < PYTHON:
        found = f"{sys.version_info[0]}.{sys.version_info[1]} at {sys.executable}"
        return (
            f"Python 3.11 or newer is needed, found {found}; name another, as in: make demo PYTHON=python3.12"
        )
    for module in ("venv", "ensurepip"):
        try:
            __import__(module)
        except ImportError:
            return f"Python's module {module} is missing; on Debian and Ubuntu: apt install python3-venv"
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        return "Python's headers (Python.h) are missing; on Debian and Ubuntu: apt install python3-dev"
    compiler = os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "c++"
    if os.name == "posix" and shutil.which(compiler.split()[0]) is None and shutil.which("c++") is None:
        return f"a C++ compiler is needed, {compiler} was not found; on Debian and Ubuntu: apt install g++"
    return None


sys.exit(f"partgraph: {missing()}" if missing() else 0)
