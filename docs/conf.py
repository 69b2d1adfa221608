"""How Sphinx builds the site: ``make docs``.

The pages are plain Markdown and stay readable where no Sphinx runs. What only the site has is added while it is built,
by the modules in `extensions`: navigation, links to the gallery, figures, and a check that no public name is left out.
"""

import importlib.metadata
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "PartGraph"
author = "the PartGraph developers"
copyright = author
version = release = importlib.metadata.version("partgraph")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "cyclopts.ext.sphinx",
    "extensions.figures",
    "extensions.pages",
    "extensions.public_names",
]
exclude_patterns = ["_build"]

# -- pages -----------------------------------------------------------------------------------------------------------
myst_heading_anchors = 4
myst_links_external_new_tab = False
highlight_language = "none"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# -- reference -------------------------------------------------------------------------------------------------------
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes, dtypes and units are in the docstrings
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
warnings.filterwarnings("ignore", "Unknown section")  # in docstrings of what the kit imports
default_role = "literal"
suppress_warnings = ["ref.python"]  # a name that two classes have, in numpydoc's lists of attributes
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!partgraph).*")]  # inventories of other projects would need the network

# -- gallery ---------------------------------------------------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"partgraph-",
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 10,
    "plot_gallery": True,
}

# -- site ------------------------------------------------------------------------------------------------------------
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = f"PartGraph {release}"
html_copy_source = False
html_show_sourcelink = False
