"""The runbooks as a page of Grafana, for whoever has a browser and no clone at hand."""

import re
from pathlib import Path

from blocks import page
from pages import RUNBOOKS, dashboard, row

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "runbooks"


def shown(text):
    """A page without its title, and without links to files, which there are none of here."""
    body = text.partition("\n")[2].strip()
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"*\1*", body) + "\n"


def rows():
    """A heading for each alert, in the order of their list, and the list's own page before them."""
    readme = (FOLDER / "README.md").read_text()
    listed = re.findall(r"^\| \[(\w+)\]\(\w+\.md\) \| (\w+) \| (.*) \|$", readme, re.M)
    yield row("How to use them", page(shown(readme.partition("## All alerts")[0])), folded=True)
    for name, severity, word in listed:
        yield row(f"{name} ({severity}): {word}", page(shown((FOLDER / f"{name}.md").read_text())), folded=True)


DASHBOARDS = {
    RUNBOOKS: dashboard(RUNBOOKS, "Runbooks", "What to do about each alert: click on its name. Made from docs/runbooks.", *rows()),
}
