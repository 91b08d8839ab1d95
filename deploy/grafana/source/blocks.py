"""What dashboards are built of: a few kinds of panels, each with what it asks Prometheus."""

SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH, HEIGHT = 24, 8


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


def named(made, value, text):
    """A figure of which one value is none, but says something."""
    made["fieldConfig"]["defaults"]["mappings"] = [{"type": "value", "options": {value: {"text": text, "color": "text", "index": 0}}}]
    return made


def table(title, description, unit, expr, width=12, first=()):
    """A line per series, now; `first` are the columns to begin with."""
    made = panel("table", title, description, unit, [query(expr)], width, {"showHeader": True}, {})
    made["targets"][0]["format"] = "table"
    order = {name: place for place, name in enumerate(first)}
    hidden = {"Time": True, "__name__": True}
    made["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden, "indexByName": order}}]
    return made


def linked(made, column, title, url):
    """A table of which a column leads somewhere."""
    value = [{"title": title, "url": url}]
    made["fieldConfig"]["overrides"].append(
        {"matcher": {"id": "byName", "options": column}, "properties": [{"id": "links", "value": value}]}
    )
    return made


def page(text):
    """Text in Markdown, over the whole width."""
    height = 3 + text.count("\n") * 2 // 3
    return {
        "type": "text", "title": "", "gridPos": {"w": WIDTH, "h": height},
        "options": {"mode": "markdown", "content": text}, "transparent": True,
    }
