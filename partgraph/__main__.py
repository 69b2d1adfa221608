"""``python -m partgraph`` is the command ``partgraph``."""

from partgraph.cli import main

main()
