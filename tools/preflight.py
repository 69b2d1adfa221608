"""Say in one line what this machine lacks for an installation, before pip says it in a hundred."""

import os
import shutil
import sys
import sysconfig

PYTHON = (3, 11)


def missing():
    """Return what is missing and what to do about it, or None."""
    # Runs under whatever Python is there, so nothing here may be newer than the oldest.
    if sys.version_info < PYTHON:
        found = "{}.{} at {}".format(sys.version_info[0], sys.version_info[1], sys.executable)
        return "Python 3.11 or newer is needed, found {}; name another, as in: make demo PYTHON=python3.12".format(
            found
        )
    for module in ("venv", "ensurepip"):
        try:
            __import__(module)
        except ImportError:
            return "Python's module {} is missing; on Debian and Ubuntu: apt install python3-venv".format(
                module
            )
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        return "Python's headers (Python.h) are missing; on Debian and Ubuntu: apt install python3-dev"
    compiler = os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "c++"
    if os.name == "posix" and shutil.which(compiler.split()[0]) is None and shutil.which("c++") is None:
        return "a C++ compiler is needed, {} was not found; on Debian and Ubuntu: apt install g++".format(
            compiler
        )
    return None


sys.exit("partgraph: {}".format(missing()) if missing() else 0)
