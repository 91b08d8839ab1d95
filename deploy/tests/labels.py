"""Whether Traefik understood every label. It is silent about most of what it does not understand."""

import re

SECTIONS = ("routers", "services", "middlewares")
LABEL = re.compile(r"traefik\.http\.(routers|services|middlewares)\.([^.]+)\.(.+)")
#: Labels for the provider itself, which are not in what Traefik shows.
PROVIDER = {"traefik.enable", "traefik.docker.allownonrunning"}


def lower(value):
    """Keys in small letters: labels are written so, Traefik shows its own spelling."""
    if isinstance(value, dict):
        return {key.lower(): lower(inner) for key, inner in value.items()}
    return [lower(inner) for inner in value] if isinstance(value, list) else value


def seconds(text):
    """A duration in seconds, or `None`."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?(?:(\d+)ms)?", str(text))
    if not found or not any(found.groups()):
        return None
    hours, minutes, secs, millis = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + secs + millis / 1000


def same(wanted, got):
    """Whether a label's text means the value that Traefik shows."""
    wanted = wanted.strip()
    if isinstance(got, bool):
        return wanted.lower() == str(got).lower()
    if isinstance(got, list):
        parts = [part.strip() for part in wanted.split(",")]
        return len(parts) == len(got) and all(
            shown in (part, f"{part}@docker") for part, shown in zip(parts, map(str, got))
        )
    if isinstance(got, dict):
        return wanted.lower() == "true"
    if isinstance(got, (int, float)):
        return re.fullmatch(r"[\d.]+", wanted) is not None and float(wanted) == got
    return wanted == got or (seconds(wanted) is not None and seconds(wanted) == seconds(got))


def dig(node, parts):
    """The value at the end of a dotted path; `KeyError` where there is none."""
    for part in parts:
        if not isinstance(node, dict):
            raise KeyError(part)
        node = node[part]
    return node


def check_label(key, value, shown):
    """What is wrong with one label, or `None`."""
    found = LABEL.fullmatch(key)
    if not found:
        return f"{key}: not a label that Traefik reads"
    section, name, parts = found[1], f"{found[2]}@docker", found[3].split(".")
    try:
        node = shown[section][name]
        if parts == ["loadbalancer", "server", "port"]:
            servers = dig(node, ["loadbalancer"]).get("servers") or []
            wrong = [server["url"] for server in servers if not server["url"].endswith(f":{value}")]
            return f"{key}={value}: servers are {wrong}" if wrong or not servers else None
        got = dig(node, parts)
    except KeyError:
        # Zero values are left out of what Traefik shows.
        return None if value in ("false", "0") else f"{key}={value}: not in Traefik's configuration"
    return None if same(value, got) else f"{key}={value}: Traefik has {got!r}"


def missing_partners(labels):
    """Labels that do nothing, or something else, without another one beside them."""
    def has(key):
        return key in labels

    for key in labels:
        if found := re.match(r"(traefik\.http\.routers\.[^.]+)\.", key):
            if not has(found[1] + ".rule"):
                yield f"{key}: the router has no rule, so Traefik makes one up"
        if found := re.match(r"(traefik\.http\.services\.[^.]+\.loadbalancer\.healthcheck)\.", key):
            if not has(found[1] + ".path"):
                yield f"{key}: a health check without a path never runs"
        if found := re.match(r"(traefik\.http\.middlewares\.[^.]+\.ratelimit)\.", key):
            if not has(found[1] + ".average"):
                yield f"{key}: a rate limit without an average limits nothing"
        if key.endswith(".rule") and re.search(r"\{[^}]*\}", labels[key]) and "Regexp" not in labels[key]:
            yield f"{key}: a pattern of Traefik 2, which version 3 takes literally"
        if key.endswith("circuitbreaker.expression"):
            for ratio in re.findall(r"Ratio\([^)]*\)\s*[<>]=?\s*([\d.]+)", labels[key]):
                if float(ratio) > 1:
                    yield f"{key}: ratios go from 0 to 1, {ratio} is never reached"


def unhealthy(shown, defined):
    """What Traefik itself marks as broken, and what nothing uses."""
    routers, middlewares = shown["routers"].values(), shown["middlewares"]
    used = {name for router in routers for name in router.get("middlewares") or []}
    for middleware in middlewares.values():
        used |= set((middleware.get("chain") or {}).get("middlewares") or [])
    for section in SECTIONS:
        for name, node in shown[section].items():
            if not name.endswith("@docker"):
                continue
            if node.get("status") != "enabled":
                yield f"{name}: {section} {node.get('status')} {node.get('error')}"
            if section == "services" and name in defined and not node.get("usedby"):
                yield f"{name}: a service that no router uses"
            if section == "middlewares" and name not in used:
                yield f"{name}: a middleware that no router uses"


def findings(model, rawdata, complaints):
    """Everything that is wrong with the labels of a model, given what Traefik made of them."""
    shown = {section: lower(rawdata.get(section) or {}) for section in SECTIONS}
    found, defined = [], set()
    for service, spec in model.services.items():
        labels = {k.lower(): v for k, v in model.labels(service).items() if k.lower().startswith("traefik.")}
        if (spec.get("deploy") or {}).get("labels"):
            found.append(f"{service}: labels under `deploy` are read by Swarm only")
        if labels and labels.get("traefik.enable") != "true":
            found.append(f"{service}: has labels, but traefik.enable is not true")
        for key in labels.keys() - PROVIDER:
            found.append(check_label(key, labels[key], shown))
            if parts := LABEL.fullmatch(key):
                defined.add(f"{parts[2]}@docker")
        found += missing_partners(labels)
    found += unhealthy(shown, defined)
    found += [f"log: {line}" for line in complaints]
    return sorted({line for line in found if line})
