"""What dashboards are built of: a few kinds of panels, laid out from left to right in rows."""

SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH, HEIGHT = 24, 8
TAG = "comptoir"


def query(expr, legend=""):
    """A question to Prometheus and how its answers are named."""
    return {"expr": " ".join(expr.split()), "legendFormat": legend}


def rate(metric, by="", where=""):
    """How often a counter goes up per second, summed over replicas."""
    return f"sum{f' by ({by})' if by else ''} (rate({metric}{{{where}}}[$__rate_interval]))"


def quantile(q, metric, by="", where=""):
    """A quantile of a histogram, over all replicas."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{{{where}}}[$__rate_interval])))"


def or_zero(expr):
    """0 instead of nothing, for series that come with their first event."""
    return f"({expr}) or on () vector(0)"


def panel(kind, title, description, unit, queries, width, options, defaults, limit=None):
    """A panel; `limit` is where it turns red, mostly the threshold of an alert."""
    steps = [{"color": "green", "value": None}]
    if limit is not None:
        steps.append({"color": "red", "value": limit})
    return {
        "type": kind, "title": title, "description": description, "datasource": SOURCE,
        "gridPos": {"w": width, "h": HEIGHT if kind != "stat" else 4},
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}} | defaults, "overrides": [],
        },
        "options": options,
        "targets": [
            {"refId": chr(ord("A") + i), "datasource": SOURCE, "range": kind == "timeseries", "instant": kind != "timeseries"} | q
            for i, q in enumerate(queries)
        ],
    }


def graph(title, description, unit, *queries, width=8, limit=None, top=None, stacked=False):
    """Lines over time, from 0; with a line where it becomes serious."""
    custom = {"lineWidth": 1, "fillOpacity": 30 if stacked else 8, "showPoints": "never", "spanNulls": True}
    if stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    if limit is not None:
        custom["thresholdsStyle"] = {"mode": "dashed"}
    defaults = {"min": 0, "custom": custom} | ({"max": top} if top is not None else {})
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, description, unit, queries, width, options, defaults, limit)


def number(title, description, unit, expr, width=3, limit=None, low=None):
    """One figure, now. It is red from `limit` on, or below `low`."""
    options = {
        "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "auto", "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    made = panel("stat", title, description, unit, [query(expr)], width, options, {}, limit)
    if low is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": low}]
        made["fieldConfig"]["defaults"]["thresholds"]["steps"] = steps
    return made


def table(title, description, unit, expr, width=12):
    """A line per series, now."""
    made = panel("table", title, description, unit, [query(expr)], width, {"showHeader": True}, {})
    made["targets"][0]["format"] = "table"
    made["transformations"] = [{"id": "organize", "options": {"excludeByName": {"Time": True, "__name__": True}}}]
    return made


def row(title, *panels):
    """A heading and its panels."""
    return title, panels


def laid_out(rows):
    """Numbers and places for all panels, in reading order."""
    number_, y = 1, 0
    for title, panels in rows:
        yield {"id": number_, "type": "row", "title": title, "collapsed": False, "panels": [],
               "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}}
        number_, y, x, tallest = number_ + 1, y + 1, 0, 0
        for made in panels:
            width, height = made["gridPos"]["w"], made["gridPos"]["h"]
            if x + width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            yield made | {"id": number_, "gridPos": {"x": x, "y": y, "w": width, "h": height}}
            number_, x, tallest = number_ + 1, x + width, max(tallest, height)
        y += tallest


def dashboard(name, title, description, *rows):
    """A dashboard with links to all others, and the alerts that wake somebody marked in every graph."""
    return {
        "uid": f"comptoir-{name}", "title": title, "description": description, "tags": [TAG],
        "schemaVersion": 39, "version": 1, "editable": False, "graphTooltip": 1,
        "timezone": "browser", "refresh": "10s", "time": {"from": "now-1h", "to": "now"},
        "timepicker": {}, "templating": {"list": []},
        "links": [{
            "type": "dashboards", "title": "Comptoir", "tags": [TAG], "asDropdown": False, "icon": "external link",
            "includeVars": False, "keepTime": True, "targetBlank": False, "tooltip": "", "url": "",
        }],
        "annotations": {"list": [{
            "name": "Alerts", "datasource": SOURCE, "enable": True, "hide": False, "iconColor": "red",
            "expr": 'ALERTS{alertstate="firing",severity="page"}', "titleFormat": "{{alertname}}",
            "tagKeys": "module,service,peer", "step": "10s",
        }]},
        "panels": list(laid_out(rows)),
    }
