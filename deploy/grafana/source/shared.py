"""The pages across modules: databases with the outbox, and the gateway."""

from blocks import graph, named, number, or_zero, quantile, query, rate, table
from pages import dashboard, row

POOLS = row(
    "Connections",
    graph("Connections in use", "Part of the pool, in the replica where it is most.", "percentunit",
          query("module:comptoir_db_connections:ratio", "{{module}}"), limit=1, top=1),
    graph("Waiting for a connection", "Pieces of work that wait now. Alert: PoolExhausted.", "short",
          query("sum by (module) (comptoir_db_waiting)", "{{module}}"), limit=1),
    graph("Time until there was one", "The 99th percentile, those included that got none.", "s",
          query("module:comptoir_db_wait_duration_seconds:p99_1m", "{{module}}")),
    graph("Databases that answer", "1: it gives its figures within 5 s. Alert: DatabaseDown.", "short",
          query("min by (module) (comptoir_database_up)", "{{module}}"), top=1),
    graph("Open connections", "In use and idle, of all replicas; PostgreSQL allows 100 to each server.", "short",
          query("sum by (module, state) (comptoir_db_connections)", "{{module}} {{state}}")),
    graph("Work that was not done", "By module and cause, per second. Alert: DatabaseFailing.", "ops",
          query(rate("comptoir_db_failures_total", "module, cause"), "{{module}} {{cause}}")),
)

WORK = row(
    "Work",
    graph("Statements", "Per second.", "ops", query(rate("comptoir_db_statement_duration_seconds_count", "module, kind"), "{{module}} {{kind}}")),
    graph("Time per statement", "The 99th percentile until the server answered. A commit waits for the disk.", "s",
          query(quantile(0.99, "comptoir_db_statement_duration_seconds", "module, kind"), "{{module}} {{kind}}")),
    graph("Time per piece of work", "How long a connection was taken: the ten kinds of work with the highest 99th percentile.", "s",
          query(f"topk(10, {quantile(0.99, 'comptoir_db_operation_duration_seconds', 'module, operation')})", "{{module}} {{operation}}")),
    graph("Who has the connections", "Connections that a kind of work has on average: the ten largest.", "short",
          query("topk(10, sum by (module, operation) (rate(comptoir_db_operation_duration_seconds_sum[$__rate_interval])))",
                "{{module}} {{operation}}")),
    graph("Size of a group commit", "Requests that were written together, on average.", "short",
          query("sum by (module, writer) (rate(comptoir_batch_size_sum[$__rate_interval])) "
                "/ clamp_min(sum by (module, writer) (rate(comptoir_batch_size_count[$__rate_interval])), 0.001)", "{{module}} {{writer}}")),
    graph("Queue of the group commits", "Part that is used. At 1 requests are turned away.", "percentunit",
          query("module_writer:comptoir_batch_waiting:ratio", "{{module}} {{writer}}"), width=12, limit=1, top=1),
    graph("Turned away by a group commit", "Requests per second that found its queue full and got a 503.", "reqps",
          query(rate("comptoir_batch_refused_total", "module, writer"), "{{module}} {{writer}}"), width=12),
)

OUTBOX = row(
    "Outbox",
    graph("Events that wait", "To be delivered, per sender.", "short", query("max by (module) (comptoir_outbox_waiting)", "{{module}}")),
    graph("Age of the oldest event", "How late the news of a module is. Alert: OutboxStuck.", "s",
          query("max by (module) (comptoir_outbox_oldest_age_seconds)", "{{module}}"), limit=60),
    graph("Parked", "Events that were refused 20 times, and the things that are behind because of them. Alert: EventsParked.", "short",
          query("max by (module) (comptoir_outbox_parked_events)", "{{module}} events"),
          query("max by (module) (comptoir_outbox_parked_aggregates)", "{{module}} things"), limit=1),
    graph("Handed over, by outcome", "Per second. `refused` came too early or could not be read, `unanswered` found nobody.", "ops",
          query(rate("comptoir_relay_events_total", "module, outcome"), "{{module}} {{outcome}}")),
    graph("Events in the stream", "With NATS: that a module has still to take, and that it took and has not applied. Alert: EventsUnapplied.", "short",
          query(or_zero("max by (module) (comptoir_nats_events_waiting)"), "{{module}} waiting"),
          query(or_zero("max by (module) (comptoir_nats_events_unapplied)"), "{{module}} unapplied")),
    graph("Time of a pass", "Of each loop, the 99th percentile.", "s",
          query(quantile(0.99, "comptoir_worker_run_duration_seconds", "module, worker"), "{{module}} {{worker}}")),
    graph("Passes that failed", "Of each loop, per second. Alert: WorkerStuck, when none gets through.", "ops",
          query(rate("comptoir_worker_runs_total", "module, worker", 'outcome="failed"'), "{{module}} {{worker}}")),
)

GATEWAY = row(
    "What clients see",
    graph("Requests by service", "Per second, whoever answered.", "reqps",
          query(rate("traefik_service_requests_total", "service"), "{{service}}")),
    graph("Errors by service and status", "500 and above, per second. 502: a connection broke; 503: nobody there, or the breaker; 504: too slow. "
          "Alert: GatewayErrors.", "reqps", query(or_zero(rate("traefik_service_requests_total", "service, code", 'code=~"5.."')), "{{service}} {{code}}")),
    graph("Answers by status", "At the entry points: refusals of the gateway itself (429) are here, too.", "reqps",
          query(rate("traefik_entrypoint_requests_total", "code", 'entrypoint!="traefik"'), "{{code}}")),
    graph("Time to answer", "As clients see it, over all services.", "s",
          *(query(quantile(q, "traefik_entrypoint_request_duration_seconds", "", 'entrypoint!="traefik"'), f"p{q * 100:.0f}")
            for q in (0.5, 0.95, 0.99))),
    graph("Time per service", "The 99th percentile of what the services took, seen from the gateway.", "s",
          query(quantile(0.99, "traefik_service_request_duration_seconds", "service"), "{{service}}")),
    graph("Refused for their number", "Answers 429 per second: rate limit and requests at once, per client address.", "reqps",
          query(or_zero(rate("traefik_entrypoint_requests_total", "", 'code="429"')), "429")),
)

GATEWAY_STATE = row(
    "The gateway itself",
    named(number("Certificate ends in", "The latest of each name, and of those the one that ends first. Alert: CertificateEnds.", "dtdurations",
                 or_zero("min(max by (cn) (traefik_tls_certs_not_after)) - time()"), width=6, low=14 * 86400), "0", "no HTTPS"),
    number("Configuration is from", "When the gateway last read the labels.", "dateTimeFromNow",
           "traefik_config_last_reload_success * 1000", width=6),
    number("Open connections", "From clients and from Prometheus.", "short", "sum(traefik_open_connections)", width=6),
    number("Answers to Prometheus", "1: the gateway is there. Alert: GatewayDown.", "short", 'min(up{job="traefik"})', width=6, low=1),
    graph("Replicas that are well", "As the gateway's health check finds them. Alert: ReplicaOut.", "short",
          query("sum by (service) (traefik_service_server_up)", "{{service}}")),
    graph("Tries on another replica", "Requests that reached no replica at first, per second.", "reqps",
          query(or_zero(rate("traefik_service_retries_total", "service")), "{{service}}")),
    graph("Traffic", "Bytes per second, in and out.", "Bps",
          query(rate("traefik_entrypoint_requests_bytes_total"), "in"), query(rate("traefik_entrypoint_responses_bytes_total"), "out")),
    graph("Processor", "Cores in use by the gateway.", "short",
          query('rate(process_cpu_seconds_total{job="traefik"}[$__rate_interval])', "cores"), width=6),
    graph("Memory", "In use by the gateway; its container has 512 MiB.", "bytes",
          query('process_resident_memory_bytes{job="traefik"}', "memory"), width=6),
    table("Replicas", "1: up, 0: left out.", "short", "traefik_service_server_up", first=("service", "url")),
)

DASHBOARDS = {
    "database": dashboard("database", "Database and events", "Pools, statements, group commits, outbox and loops of all modules.",
                          POOLS, WORK, OUTBOX),
    "gateway": dashboard("gateway", "Gateway", "Traefik: what clients see, replicas, the certificate.", GATEWAY, GATEWAY_STATE),
}
