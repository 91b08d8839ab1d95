"""Whether alerts, their runbooks and their tests belong together, and name only metrics there are."""

import re

import yaml

from compose import DEPLOY

PROMETHEUS, DOCS = DEPLOY / "prometheus", DEPLOY.parent / "docs"
RUNBOOKS = DOCS / "runbooks"
HEADINGS = ["What it means", "Is money at stake?", "First look", "What to do", "How it clears"]
#: What others call their metrics: Traefik, the node exporter, Prometheus itself.
FOREIGN = re.compile(r"(traefik|node|process|prometheus)_\w+|up|ALERTS")
ANNOTATIONS = {"summary", "description", "runbook_url"}


def rules():
    """Every rule of every file."""
    for path in sorted((PROMETHEUS / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts():
    """The alerts: name -> rule."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def pages():
    """The runbooks: name -> text. The list of them is the page README."""
    return {path.stem: path.read_text() for path in RUNBOOKS.glob("*.md")}


def expectations():
    """What the unit tests expect of alerts: name -> whether it is to fire, each time."""
    found = {}
    for path in sorted((PROMETHEUS / "tests").glob("*.yml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test.get("promql_expr_test") or []:
                if name := re.match(r'ALERTS\{alertname="(\w+)"', case["expr"]):
                    found.setdefault(name[1], []).append(bool(case.get("exp_samples")))
    return found


def asked():
    """Everything that the unit tests ask, as one text."""
    found = (yaml.safe_load(path.read_text()) for path in (PROMETHEUS / "tests").glob("*.yml"))
    cases = (case for file in found for test in file["tests"] for case in test.get("promql_expr_test") or [])
    return "\n".join(case["expr"] for case in cases)


def documented():
    """The metrics that the product has, a histogram's parts included."""
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+)", (DOCS / "metrics.md").read_text(), re.M):
        yield name
        if kind == "histogram":
            yield from (f"{name}_{part}" for part in ("bucket", "count", "sum"))


def metrics(expression):
    """The series that an expression is made of, recorded ones included."""
    plain = re.sub(r'"[^"]*"|\{[^}]*\}|\$__\w+|\[[^\]]*\]|\boffset \w+', "", expression)
    plain = re.sub(r"\b(by|on|ignoring|group_left) \([^)]*\)", "", plain)
    names = re.findall(r"\b[a-zA-Z_][\w:]*\b(?!\s*\()", plain)
    return set(names) - {"and", "or", "unless", "by", "on", "ignoring", "group_left"}


def of_alert(name, rule, page, expected):
    """What is wrong with one alert, its page and its tests."""
    severity = rule.get("labels", {}).get("severity")
    if severity not in ("page", "ticket", "none"):
        yield f"{name}: severity is neither page nor ticket nor none"
    if rule.get("annotations", {}).keys() != ANNOTATIONS:
        yield f"{name}: annotations are not {sorted(ANNOTATIONS)}"
    elif rule["annotations"]["runbook_url"] != f"docs/runbooks/{name}.md":
        yield f"{name}: leads to another runbook"
    if page is None:
        yield f"{name}: no runbook"
    else:
        if re.findall(r"^## (.*)$", page, re.M) != HEADINGS:
            yield f"{name}: the runbook has other headings"
        if f"Severity `{severity}`" not in page:
            yield f"{name}: the runbook tells another severity"
    if True not in expected:
        yield f"{name}: no test in which it fires"
    # What nobody is told of by itself is there always.
    if severity != "none" and False not in expected:
        yield f"{name}: no test in which it does not fire"


def findings(rules_, pages_, expectations_, documented_):
    """Everything that does not fit."""
    known = {rule["alert"]: rule for rule in rules_ if "alert" in rule}
    records = {rule["record"] for rule in rules_ if "record" in rule}
    found = []
    for name, rule in known.items():
        found += of_alert(name, rule, pages_.get(name), expectations_.get(name, []))
        line = f"| [{name}]({name}.md) | {rule['labels'].get('severity')} |"
        if line not in pages_["README"]:
            found.append(f"{name}: the list of runbooks has no such line")
    for rule in rules_:
        name = rule.get("alert") or rule["record"]
        for metric in metrics(rule["expr"]) - documented_ - records:
            if ":" in metric:
                found.append(f"{name}: nothing records {metric}")
            elif not FOREIGN.fullmatch(metric):
                found.append(f"{name}: there is no metric {metric}")
    for page, text in pages_.items():
        if page not in known and page != "README":
            found.append(f"{page}: a runbook of no alert")
        links = set(re.findall(r"\]\((\w+)\.md\)", text))
        found += [f"{page}: links to {link}, which is no runbook" for link in links - pages_.keys()]
    return sorted(found)
