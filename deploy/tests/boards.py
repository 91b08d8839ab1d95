"""Whether dashboards are such that Grafana shows them, and that somebody understands them."""

import json
import re

import alerts
from compose import DEPLOY

FOLDER = DEPLOY / "grafana" / "dashboards"
#: What Prometheus' part of Grafana reads, which the schema of dashboards leaves to it.
OF_THE_SOURCE = re.compile(r"\.annotations\.list\[\d+\]\.(titleFormat|tagKeys|step)")


def boards():
    """The dashboards: name -> JSON."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(board):
    """Everything with data in it."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(boards_):
    """Every question that the dashboards ask: (where, expression)."""
    for name, board in boards_.items():
        for panel in panels(board):
            for target in panel["targets"]:
                yield f"{name}: {panel['title']}", target["expr"]


def lost(wanted, got, path=""):
    """What of a dashboard Grafana's schema does not know."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            if isinstance(got, dict) and key in got:
                yield from lost(value, got[key], f"{path}.{key}")
            elif value not in (None, "", [], {}):
                yield f"{path}.{key}"
    elif isinstance(wanted, list):
        for number, value in enumerate(wanted):
            there = isinstance(got, list) and number < len(got)
            yield from lost(value, got[number] if there else None, f"{path}[{number}]")
    elif wanted != got:
        yield path


def unknown_to_grafana(board):
    """The keys that do not survive reading and writing by Grafana's own types."""
    from grafana_foundation_sdk.cog import plugins
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    plugins.register_default_plugins()
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(board)))
    return [path for path in lost(board, again) if not OF_THE_SOURCE.fullmatch(path)]


def of_panel(panel):
    """What is missing at one panel."""
    unit = panel["fieldConfig"]["defaults"].get("unit")
    if not panel.get("title") or len(panel.get("description") or "") < 8:
        yield "has no title or no description"
    if not unit:
        yield "has no unit"
    if not panel.get("targets"):
        yield "asks nothing"
    if len({target["refId"] for target in panel["targets"]}) != len(panel["targets"]):
        yield "asks twice under one name"
    place = panel["gridPos"]
    if place["x"] + place["w"] > 24:
        yield "stands outside"


def overlapping(board):
    """Panels that stand where others do."""
    taken = {}
    for panel in board["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if taken.setdefault((x, y), panel["id"]) != panel["id"]:
                    yield panel["title"]
                    return


def findings(boards_):
    """Everything that is wrong, by name."""
    found, uids = [], {}
    documented = set(alerts.documented())
    records = {rule["record"] for rule in alerts.rules() if "record" in rule}
    for name, board in boards_.items():
        if uids.setdefault(board["uid"], name) != name:
            found.append(f"{name}: has the uid of {uids[board['uid']]}")
        found += [f"{name}: Grafana does not know {path}" for path in unknown_to_grafana(board)]
        found += [f"{name}: {title} stands on another panel" for title in overlapping(board)]
        ids = [panel["id"] for panel in board["panels"]]
        if len(set(ids)) != len(ids):
            found.append(f"{name}: two panels have one id")
        for panel in panels(board):
            found += [f"{name}: {panel['title']} {what}" for what in of_panel(panel)]
    for where, expression in queries(boards_):
        unknown = {m for m in alerts.metrics(expression) - documented - records if not alerts.FOREIGN.fullmatch(m)}
        found += [f"{where}: there is no metric {m}" for m in unknown]
    return found


def mentioned(pages):
    """The panels that runbooks send somebody to: (page, dashboard, panel)."""
    for page, text in pages.items():
        for title, panel in re.findall(r'\*([A-Z][\w ]*)\*, "([^"]+)"', " ".join(text.split())):
            yield page, title, panel
