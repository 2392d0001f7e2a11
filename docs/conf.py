"""How Sphinx builds this folder into a site: ``poe docs``. Warnings, dead links among them, are errors."""

import re
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from anywidget import AnyWidget
from ipywidgets import DOMWidget, VBox
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.inspect import signature, stringify_signature

logger = logging.getLogger(__name__)

project = "ipyassets"
author = "the ipyassets authors"
version = release = installed("ipyassets")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["images"]
default_role = "py:obj"  # single backticks in docstrings name something of the package

myst_heading_anchors = 3

autodoc_default_options = {"members": True, "inherited-members": "Exception, Mapping, Sequence"}
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"  # brings its own style, no font and no script from anywhere else
html_title = f"ipyassets {release}"
html_copy_source = False
html_show_copyright = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def _skip(_app: Sphinx, _kind: str, name: str, member: Any, skip: bool, _options: Any) -> bool | None:
    """What a class inherits from another package has its documents there."""
    bases = [base for base in (AnyWidget, VBox, OSError) if hasattr(base, name)]
    function = getattr(member, "__func__", member)
    own = function.__doc__ and all(
        getattr(getattr(base, name), "__func__", getattr(base, name)) is not function for base in bases
    )
    return True if bases and not own and not skip else None


def _arguments(
    _app: Sphinx, kind: str, _name: str, member: Any, _options: Any, _text: str | None, returned: str | None
) -> tuple[str, str | None] | None:
    """Widgets take what ``__init__`` takes; autodoc looks at the ``__new__`` of traitlets, which takes anything."""
    if kind != "class" or not issubclass(member, DOMWidget):
        return None
    taken = signature(member.__init__, bound_method=True)
    return stringify_signature(taken, show_return_annotation=False, unqualified_typehints=True), returned


def _elsewhere(app: Sphinx, page: str, source: list[str]) -> None:
    """Pages of the repository that are no part of the site are named there, not linked: the site knows no address."""

    def named(link: re.Match[str]) -> str:
        target = (Path(app.srcdir) / page).parent.joinpath(link[2]).resolve()
        if target.is_relative_to(app.srcdir):
            return link[0]
        if not target.is_file():
            logger.warning("dead link to %s", link[2], location=page)
        return f"{link[1]} (`{link[2].removeprefix('../')}` in the repository)"

    source[0] = re.sub(r"\[([^]]+)\]\((\.\./[^)]+\.md)\)", named, source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", _elsewhere)
    app.connect("autodoc-skip-member", _skip)
    app.connect("autodoc-process-signature", _arguments)
