"""The accessibility checker axe-core in a page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

__all__ = ["OURS", "violations"]

SCRIPT = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
OURS = ".ipya-root, .ipya-panel"
"""All that we put into a page; the rest is the host's."""

RUN = """async (selector) => {
  const { violations, passes } = await axe.run({ include: [[selector]] });
  const said = ({ any, all, none }) => [...any, ...all, ...none].map(({ message }) => message).join(" ");
  return [
    passes.map(({ id }) => id),
    violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}: ${said(node)}`)),
  ];
}"""
"""All of axe's usual rules: WCAG 2.0 to 2.2, A and AA, and its best practices."""


def violations(page: Page, selector: str = OURS) -> list[str]:
    """What axe-core has to say against what ``selector`` matches, each by its rule, its element and the reason."""
    if not SCRIPT.is_file():
        from scripts.npm import install

        install()
    if not page.evaluate("() => typeof axe === 'object'"):
        page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    passed, found = page.evaluate(RUN, selector)
    assert {"color-contrast", "button-name"} <= {*passed, *(line.partition(":")[0] for line in found)}, "not looked at"
    return list(found)
