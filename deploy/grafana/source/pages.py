"""Pages of panels: laid out from left to right in rows, with links to all other pages."""

from blocks import SOURCE, WIDTH

TAG = "comptoir"
RUNBOOKS = "runbooks"


def link(kind, title, **more):
    """A link at the top of a page."""
    return {
        "type": kind, "title": title, "icon": "external link", "tooltip": "", "url": "", "tags": [], "asDropdown": False,
        "targetBlank": False, "includeVars": False, "keepTime": False,
    } | more


def elsewhere(title, port, path, tooltip):
    """A link to what listens on another port of the same machine, as long as nobody has changed that."""
    return link("link", title, url=f"http://127.0.0.1:{port}{path}", tooltip=tooltip, targetBlank=True)


#: From every page to all pages, and to what is no page of Grafana.
LINKS = [
    link("dashboards", "Comptoir", tags=[TAG], keepTime=True),
    elsewhere("Alerts", 9090, "/alerts", "Prometheus: all alerts, their rules and how far they are"),
    elsewhere("Routes", 8080, "/dashboard/", "Traefik: what became of the labels"),
    elsewhere("Traces", 16686, "/", "Jaeger, with compose.traces.yml"),
]


def row(title, *panels, folded=False):
    """A heading and its panels, which are shown at once or when the heading is clicked."""
    return title, panels, folded


def laid_out(rows):
    """Numbers and places for all panels, in reading order."""
    number_, y = 1, 0
    for title, panels, folded in rows:
        head = {"id": number_, "type": "row", "title": title, "collapsed": folded, "panels": [],
                "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}}
        placed, below = side_by_side(panels, number_ + 1, y + 1)
        if folded:
            yield head | {"panels": placed}
        else:
            yield from (head, *placed)
        number_, y = number_ + 1 + len(placed), y + 1 if folded else below


def side_by_side(panels, number_, y):
    """The panels of a row with numbers and places, and where the next row begins."""
    placed, x, tallest = [], 0, 0
    for made in panels:
        width, height = made["gridPos"]["w"], made["gridPos"]["h"]
        if x + width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        placed.append(made | {"id": number_, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        number_, x, tallest = number_ + 1, x + width, max(tallest, height)
    return placed, y + tallest


def dashboard(name, title, description, *rows):
    """A dashboard with links to what else there is, and the alerts that wake somebody marked in every graph."""
    return {
        "uid": f"comptoir-{name}", "title": title, "description": description, "tags": [TAG],
        "schemaVersion": 39, "version": 1, "editable": False, "graphTooltip": 1,
        "timezone": "browser", "refresh": "10s", "time": {"from": "now-1h", "to": "now"},
        "timepicker": {}, "templating": {"list": []}, "links": LINKS,
        "annotations": {"list": [{
            "name": "Alerts", "datasource": SOURCE, "enable": True, "hide": False, "iconColor": "red",
            "expr": 'ALERTS{alertstate="firing",severity="page"}', "titleFormat": "{{alertname}}",
            "tagKeys": "module,service,peer", "step": "10s",
        }]},
        "panels": list(laid_out(rows)),
    }
