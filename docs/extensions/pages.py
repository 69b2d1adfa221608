"""From pages that read well as plain Markdown to a site: navigation, and links that leave the folder.

The lists of links in ``index.md`` are the table of contents: every section becomes a part of the navigation. Links to
files in ``examples`` lead to their pages in the gallery; of links to other files outside ``docs`` the text is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from sphinx.application import Sphinx

LINK = re.compile(r"(?<!!)\[(?P<text>[^]]+)\]\((?P<target>(?:\.\./)+[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")
EXAMPLE = re.compile(r"\.\./examples(?:/(\w+)\.py)?")
SECTION = re.compile(r"^## (?P<caption>.+)\n(?P<text>(?:(?!^## ).*\n?)*)", re.MULTILINE)
ENTRY = re.compile(r"^- \[[^]]+\]\(/?([\w/-]+)\.(?:md|rst)\)", re.MULTILINE)


def inside(name: str, text: str) -> str:
    """Return the text of page `name` with links that stay on the site."""
    depth = len(PurePosixPath(name).parts)

    def replaced(link: re.Match[str]) -> str:
        steps = link["target"].count("../")
        if steps < depth:
            return link[0]
        example = EXAMPLE.fullmatch(link["target"][3 * (steps - 1) :])
        return f"[{link['text']}](/gallery/{example[1] or 'index'}.rst)" if example else link["text"]

    return LINK.sub(replaced, text)


def navigation(text: str) -> Iterator[str]:
    """Yield a hidden table of contents for every section of the index that lists pages."""
    for section in SECTION.finditer(text):
        pages = ENTRY.findall(section["text"])
        if pages:
            yield "\n".join(
                ["```{toctree}", ":hidden:", f":caption: {section['caption']}", "", *pages, "```", ""]
            )


def read(app: Sphinx, name: str, source: list[str]) -> None:
    """Change a page before it is parsed."""
    if app.env.doc2path(name).suffix != ".md":
        return
    text = inside(name, source[0])
    source[0] = "\n".join([text, *navigation(text)]) if name == "index" else text


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True}
