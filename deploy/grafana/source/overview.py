"""The first page: is it well, who suffers, and what does the chain earn."""

from blocks import graph, linked, number, or_zero, query, rate, table
from pages import RUNBOOKS, dashboard, row

#: What fires, with all that it says of itself. The `Watchdog` fires always.
ALERTS = linked(
    table("Alerts", "All that fire or are about to, each with its page in *Runbooks*. A single line with 0 means none.", "short",
          'ALERTS{alertname!="Watchdog"} or on () vector(0)', width=24,
          first=("alertname", "severity", "alertstate", "module", "service", "peer", "instance")),
    "alertname", "Its runbook", f"/d/comptoir-{RUNBOOKS}",
)

HEALTH = row(
    "Is it well?",
    number("Alerts that wake somebody", "How many fire now. Which: the table below.", "short",
           'count(ALERTS{alertstate="firing",severity="page"}) or vector(0)', limit=1),
    number("Sales per minute", "Recorded in the last minute, repeats apart.", "short",
           "sum(rate(comptoir_sales_recorded_total[1m])) * 60"),
    number("Sales that fail", "Part of the attempts of the last minute that got a 5xx. Alert: SalesFailing.", "percentunit",
           "sale:comptoir_http_errors:ratio1m", limit=0.05),
    number("Time of a sale", "99th percentile of the last minute. Alert: SalesSlow.", "s",
           "sale:comptoir_http_request_duration_seconds:p99_1m", limit=1),
    number("Modules that run", "Out of four. Alert: ModuleDown.", "short",
           "count(count by (module) (comptoir_db_connections_limit))", low=4),
    number("Oldest event", "How late the latest news is. Alert: OutboxStuck.", "s",
           "max(comptoir_outbox_oldest_age_seconds)", limit=60),
    number("Oldest hold", "How long goods have been held for a sale that nobody knows of. Alert: HoldsUnsettled.", "s",
           "max(comptoir_holds_oldest_age_seconds)", limit=180),
    number("Free space on disk", "Of the disk with the volumes. Alert: DiskFull.", "percentunit",
           "min(device:node_filesystem_avail:ratio)", low=0.1),
    ALERTS,
)

GOLDEN = row(
    "Golden signals per module",
    graph("Requests", "Answered per second. `none` are Swagger UI, health and paths that do not exist.", "reqps",
          query("module:comptoir_http_requests:rate1m", "{{module}}"), width=6),
    graph("Share of errors", "Part of the answers that were 500 and above. Alert: RequestsFailing.", "percentunit",
          query('module:comptoir_http_errors:ratio1m{module!="none"}', "{{module}}"), width=6, limit=0.05),
    graph("Time to answer", "The 99th percentile.", "s",
          query("module:comptoir_http_request_duration_seconds:p99_1m", "{{module}}"), width=6),
    graph("Connections in use", "Part of the pool, in the replica where it is most. Alert: PoolExhausted, when it is full and somebody waits.",
          "percentunit", query("module:comptoir_db_connections:ratio", "{{module}}"), width=6, limit=1, top=1),
)

BUSINESS = row(
    "What the chain does",
    graph("Sales per minute", "Recorded, voided, and returns.", "short",
          query("sum(rate(comptoir_sales_recorded_total[$__rate_interval])) * 60", "sales"),
          query("sum(rate(comptoir_sales_voided_total[$__rate_interval])) * 60", "voided"),
          query("sum(rate(comptoir_returns_recorded_total[$__rate_interval])) * 60", "returns"), width=6),
    graph("Revenue per hour", "In minor units (cents) of each currency, at the pace of the moment; what is paid back is apart.", "short",
          query("sum by (currency) (rate(comptoir_sales_revenue_minor_units_total[$__rate_interval])) * 3600", "{{currency}}"),
          query(or_zero("sum by (currency) (rate(comptoir_returns_refunded_minor_units_total[$__rate_interval])) * 3600"),
                "paid back {{currency}}"), width=6),
    graph("Sales that were refused", "Per minute and reason. `unavailable` and `failed` are ours, the others the shop's.", "short",
          query("sum by (reason) (rate(comptoir_sales_refused_total[$__rate_interval])) * 60", "{{reason}}"), width=6),
    graph("Lines per sale", "How large baskets are.", "short",
          query("sum(rate(comptoir_sales_lines_total[$__rate_interval])) "
                "/ clamp_min(sum(rate(comptoir_sales_recorded_total[$__rate_interval])), 0.001)", "lines"), width=6),
    number("Sales in 24 hours", "Recorded, repeats apart.", "short", "sum(increase(comptoir_sales_recorded_total[24h]))", width=4),
    number("Revenue in 24 hours", "In minor units, all currencies of the chain as they are. What a process sold before Prometheus first "
           "asked it is missing; the reports have it all.", "short",
           "sum by (currency) (increase(comptoir_sales_revenue_minor_units_total[24h]))", width=5),
    number("Returns in 24 hours", "Recorded.", "short", "sum(increase(comptoir_returns_recorded_total[24h]))", width=4),
    number("Refused for stock in 24 hours", "Sales that a shelf could not serve.", "short",
           'sum(increase(comptoir_sales_refused_total{reason="stock"}[24h]))', width=4),
    number("Transfers under way", "Sent and not wholly received.", "short", "max(comptoir_transfers_in_transit)", width=3),
    number("Goods under way", "Base units in them.", "short", "max(comptoir_transfer_units_in_transit)", width=4),
)

CALLS = row(
    "Calls between modules",
    graph("Calls by outcome", "In the same process or over HTTP, per second.", "reqps",
          query(rate("comptoir_port_call_duration_seconds_count", "transport, outcome"), "{{transport}} {{outcome}}"), width=6),
    graph("Without an answer", "Which contract came to nothing, per second.", "reqps",
          query(or_zero(rate("comptoir_port_call_duration_seconds_count", "port", 'outcome="no_answer"')), "{{port}}"), width=6),
    graph("Tries that failed, by peer", "HTTP requests to another process: `unsent` nobody listens, `lost` it hangs, `open` not tried. "
          "0 in one process, which has no peers. Alert: PeerAway.", "reqps",
          query(or_zero(rate("comptoir_peer_tries_total", "service, peer, outcome", 'outcome!="answered"')),
                "{{service}} to {{peer}}: {{outcome}}"), width=6),
    graph("Circuits that are open", "1: a call found it open within 15 s and was not even tried, and none was answered since. 0 in one process.", "short",
          query(or_zero("max by (service, peer) (comptoir_peer_circuit_open)"), "{{service}} to {{peer}}"), width=6, top=1),
)

MACHINE = row(
    "Processes and machine",
    graph("Requests at once", "Part of what a process answers at the same time. At 1 it turns others away.",
          "percentunit", query("service:comptoir_http_requests_in_flight:ratio", "{{service}}"), width=6, limit=1),
    graph("Turned away or ended", "Requests that no handler finished, by cause. Alerts: RequestsCut, RequestsLate.", "reqps",
          query(rate("comptoir_http_requests_cut_total", "service, cause"), "{{service}} {{cause}}"), width=6),
    graph("Bugs that were met", "Panics per minute, of requests, database work and loops. Alert: RequestPanicked.", "short",
          query("sum by (service) (rate(comptoir_panics_total[$__rate_interval])) * 60", "{{service}}"), width=6),
    graph("Processor", "Cores that each process uses, and the load of the machine.", "short",
          query('rate(process_cpu_seconds_total{job="comptoir"}[$__rate_interval])', "{{service}} {{instance}}"),
          query("node_load1", "load"), width=6),
    graph("Memory", "In use by each process; a container has 512 MiB. Alert: MemoryHigh.", "bytes",
          query('process_resident_memory_bytes{job="comptoir"}', "{{service}} {{instance}}"), width=6, limit=400 * 1024 * 1024),
    graph("Open files", "Part of what a process may have. Alert: FilesRunOut.", "percentunit",
          query("service:process_open_fds:ratio", "{{service}}"), width=6, limit=0.8),
    graph("Threads", "Of each process.", "short",
          query('process_threads{job="comptoir"}', "{{service}} {{instance}}"), width=6),
    graph("Warnings and errors in the logs", "Lines per minute. Alert: ErrorsLogged.", "short",
          query("sum by (service, level) (rate(comptoir_log_events_total[$__rate_interval])) * 60", "{{service}} {{level}}"), width=6),
    graph("Memory and disk that are left", "Of the whole machine. Alerts: DiskFull, DiskFilling.", "percentunit",
          query("device:node_filesystem_avail:ratio", "disk {{device}}"),
          query("node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "memory"), width=6, top=1),
    table("What runs", "Version and modules of each process, and for how long.", "s",
          'time() - process_start_time_seconds{job="comptoir"} * on (instance) group_left (version, modules) comptoir_build_info',
          width=24, first=("service", "instance", "version", "modules")),
)

DASHBOARDS = {
    "overview": dashboard(
        "overview", "Overview", "Golden signals of every module, what the chain does, processes and machine.",
        HEALTH, GOLDEN, BUSINESS, CALLS, MACHINE,
    ),
}
