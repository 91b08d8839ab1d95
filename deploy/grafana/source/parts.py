"""Panels that every module's dashboard has: its golden signals, its database, its events and loops."""

from blocks import graph, or_zero, quantile, query, rate
from pages import row

REQUESTS = "comptoir_http_request_duration_seconds"


def golden(module):
    """Traffic, errors, latency and saturation of a module's routes."""
    of = f'module="{module}"'
    return row(
        "Golden signals",
        graph("Requests by route", "Requests that were answered, per second.", "reqps",
              query(rate(f"{REQUESTS}_count", "method, route", of), "{{method}} {{route}}")),
        graph("Errors by route and status", "Answers of 500 and above, per second. 503: a peer, the database or a queue; 500: a bug.",
              "reqps", query(or_zero(rate(f"{REQUESTS}_count", "method, route, status", of + ',status=~"5.."')),
                             "{{method}} {{route}} {{status}}")),
        graph("Share of errors", "Part of the answers of the last minute that were 500 and above. Alert: RequestsFailing.",
              "percentunit", query(f"module:comptoir_http_errors:ratio1m{{{of}}}", "5xx"), limit=0.05),
        graph("Time to answer", "Of all routes of the module, over the last minute.", "s",
              *(query(f"module:{REQUESTS}:{q}_1m{{{of}}}", q) for q in ("p50", "p95", "p99"))),
        graph("Slowest routes", "The five routes with the highest 99th percentile.", "s",
              query(f"topk(5, {quantile(0.99, REQUESTS, 'method, route', of)})", "{{method}} {{route}}")),
        graph("Refused by status", "Answers from 400 to 499, per second: what clients did wrong, or could not have.", "reqps",
              query(or_zero(rate(f"{REQUESTS}_count", "status", of + ',status=~"4.."')), "{{status}}")),
    )


def database(module):
    """The module's way to its database."""
    of = f'module="{module}"'
    return row(
        "Database",
        graph("Connections", "Of all replicas together: in use, idle, and how many there may be.", "short",
              query(f"sum by (state) (comptoir_db_connections{{{of}}})", "{{state}}"),
              query(f"sum(comptoir_db_connections_limit{{{of}}})", "limit")),
        graph("Waiting for a connection", "Pieces of work that wait now. Alert: PoolExhausted, when somebody always does.", "short",
              query(f"sum(comptoir_db_waiting{{{of}}})", "waiting"), limit=1),
        graph("Time until there was one", "The slowest hundredth of all waits, and those that failed.", "s",
              query(f"module:comptoir_db_wait_duration_seconds:p99_1m{{{of}}}", "p99")),
        graph("Time per piece of work", "How long the connection was taken: the five kinds of work with the highest 99th percentile.", "s",
              query(f"topk(5, {quantile(0.99, 'comptoir_db_operation_duration_seconds', 'operation', of)})", "{{operation}}")),
        graph("Time per statement", "Until the server answered. A commit waits for the disk.", "s",
              query(quantile(0.99, "comptoir_db_statement_duration_seconds", "kind", of), "{{kind}} p99")),
        graph("Work that the database did not do", "By cause, per second. Alert: DatabaseFailing.", "ops",
              query(rate("comptoir_db_failures_total", "cause", of), "{{cause}}")),
    )


def events(module):
    """What the module tells the others, and its loops."""
    of = f'module="{module}"'
    return row(
        "Events and loops",
        graph("Events that wait", "To be delivered, and those that wait for a person. Alert: EventsParked.", "short",
              query(f"max(comptoir_outbox_waiting{{{of}}})", "waiting"),
              query(f"max(comptoir_outbox_parked_events{{{of}}})", "parked")),
        graph("Age of the oldest event", "How late its news is. Alert: OutboxStuck.", "s",
              query(f"max(comptoir_outbox_oldest_age_seconds{{{of}}})", "oldest"), limit=60),
        graph("Handed over, by outcome", "Events per second. `refused` came too early, `unanswered` found nobody.", "ops",
              query(rate("comptoir_relay_events_total", "outcome", of), "{{outcome}}")),
        graph("Passes of the loops", "Per second, and those that failed.", "ops",
              query(rate("comptoir_worker_runs_total", "worker, outcome", of), "{{worker}} {{outcome}}"), width=12),
        graph("Since the last pass", "In the replica where it is longest ago. Alert: WorkerStuck.", "s",
              query(f"max by (worker) (time() - (comptoir_worker_last_run_timestamp_seconds{{{of}}} > 0))", "{{worker}}"), width=12),
    )


def calls(*ports):
    """The calls of some ports, seen by the caller, in one process and between several."""
    of = f'port=~"{"|".join(ports)}"'
    metric = "comptoir_port_call_duration_seconds"
    return row(
        "Calls of its contracts",
        graph("Calls", "Per second, whether in the same process or over HTTP.", "reqps",
              query(rate(f"{metric}_count", "port, method, transport", of), "{{port}}.{{method}} {{transport}}"), width=6),
        graph("Without an answer", "Calls that came to nothing, per second. A refusal is an answer.", "reqps",
              query(or_zero(rate(f"{metric}_count", "port, method", of + ',outcome="no_answer"')), "{{port}}.{{method}}"), width=6),
        graph("Time of a call", "The 99th percentile on the caller's side, repeats included.", "s",
              query(quantile(0.99, metric, "port, method", of), "{{port}}.{{method}}"), width=6),
        graph("Time to serve a call", "The 99th percentile on this side: what is missing to the time of a call is the way. "
              "0 in one process, where it is the same.", "s",
              query(or_zero(quantile(0.99, "comptoir_port_served_duration_seconds", "port, method", of)), "{{port}}.{{method}}"), width=6),
    )
