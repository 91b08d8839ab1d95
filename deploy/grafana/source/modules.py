"""One page per module: what is its own first, then what all modules have."""

from blocks import graph, number, or_zero, quantile, query, rate
from pages import dashboard, row
from parts import calls, database, events, golden

BATCHES = "Requests that wait to be written together, and how many may. More are turned away with a 503."


def batches(module):
    """Group commit, where the module has it."""
    of = f'module="{module}"'
    return row(
        "Writing together",
        graph("Waiting for a group commit", BATCHES, "short",
              query(f"sum by (writer) (comptoir_batch_waiting{{{of}}})", "{{writer}}"),
              query(f"sum by (writer) (comptoir_batch_limit{{{of}}})", "{{writer}} limit"), width=6),
        graph("Part of the queue that is used", "In the replica where it is most.", "percentunit",
              query(f"module_writer:comptoir_batch_waiting:ratio{{{of}}}", "{{writer}}"), width=6, limit=1, top=1),
        graph("Size of a group", "Requests in one commit: more of them, when more come at once.", "short",
              query(quantile(0.5, "comptoir_batch_size", "writer", of), "{{writer}} p50"),
              query(quantile(0.99, "comptoir_batch_size", "writer", of), "{{writer}} p99"), width=6),
        graph("Turned away", "Requests per second that found the queue full and got a 503.", "reqps",
              query(rate("comptoir_batch_refused_total", "writer", of), "{{writer}}"), width=6),
    )


def caches(*names):
    """How often what is remembered is enough."""
    of = f'cache=~"{"|".join(names)}"'
    hits = rate("comptoir_cache_requests_total", "cache", of + ',result="hit"')
    return row(
        "What is remembered",
        graph("Found", "Part of the look-ups that needed no question.", "percentunit",
              query(f"{hits} / clamp_min({rate('comptoir_cache_requests_total', 'cache', of)}, 0.001)", "{{cache}}"), width=12, top=1),
        graph("Entries", "In all replicas together.", "short",
              query(f"sum by (cache) (comptoir_cache_entries{{{of}}})", "{{cache}}"), width=12),
    )


LOGINS = row(
    "Signing in",
    graph("Logins by outcome", "Per minute. `throttled` has to wait, `busy` met a full queue, `failed` is our fault. "
          "Alerts: LoginsThrottled, LoginsTurnedAway.", "short",
          query("sum by (outcome) (rate(comptoir_logins_total[$__rate_interval])) * 60", "{{outcome}}")),
    graph("Refreshes by outcome", "Per minute. `reused`: a token came twice, and its session was ended. Alert: RefreshTokensReused.", "short",
          query("sum by (outcome) (rate(comptoir_refreshes_total[$__rate_interval])) * 60", "{{outcome}}")),
    graph("Password checks", "That run, that wait, and how many may wait.", "short",
          query("sum(comptoir_bcrypt_running)", "running"), query("sum(comptoir_bcrypt_waiting)", "waiting"),
          query("sum(comptoir_bcrypt_waiting_limit)", "limit")),
    graph("Part of the queue that is used", "At 1 logins are turned away.", "percentunit",
          query("service:comptoir_bcrypt_waiting:ratio", "{{service}}"), limit=1, top=1),
    graph("Time of a password check", "Until it had its core, and the work itself.", "s",
          query(quantile(0.99, "comptoir_bcrypt_wait_duration_seconds"), "wait p99"),
          query(quantile(0.5, "comptoir_bcrypt_duration_seconds"), "work p50")),
    graph("Turned away", "Checks per second that found the queue full.", "ops", query(rate("comptoir_bcrypt_refused_total"), "refused")),
)

TRUST = row(
    "Whom the processes believe",
    graph("Age of what they know", "Since auth last said who signs tokens and which sessions ended. Over ten seconds, who signed out may still go on.",
          "s", query("max by (service) (comptoir_trust_age_seconds)", "{{service}}"), width=12, limit=10),
    graph("Not ready", "Processes that take no requests. Alert: NotReady.", "short",
          query("count by (service) (comptoir_ready) - sum by (service) (comptoir_ready)", "{{service}}"), width=12, limit=1),
)

HOLDS = row(
    "Goods that are held",
    number("Open", "Holds that wait for the news of their sale.", "short", "max(comptoir_holds_open)", width=6),
    number("Overdue", "Older than `store.hold_seconds`: the next pass of the sweeper settles them.", "short", "max(comptoir_holds_overdue)", width=6),
    number("Transfers under way", "Sent and not wholly received.", "short", "max(comptoir_transfers_in_transit)", width=6),
    number("Goods under way", "Base units in them.", "short", "max(comptoir_transfer_units_in_transit)", width=6),
    graph("Holds by state", "Read from the database, alike in every replica.", "short",
          query("max(comptoir_holds_open)", "open"), query("max(comptoir_holds_overdue)", "overdue")),
    graph("Age of the oldest hold", "Some seconds at most, while events arrive. Alert: HoldsUnsettled.", "s",
          query("max(comptoir_holds_oldest_age_seconds)", "oldest"), limit=180),
    graph("Requests to hold goods", "Per second. `short`: the shelf has too little.", "ops",
          query(rate("comptoir_holds_taken_total", "outcome"), "{{outcome}}")),
    graph("Holds that ended", "Per second: by the event of their sale, or by the sweeper's question.", "ops",
          query(rate("comptoir_holds_settled_total", "state, by"), "{{state}} by {{by}}")),
    graph("Sweeper", "Passes per second. Alert: WorkerStuck.", "ops",
          query(rate("comptoir_worker_runs_total", "outcome", 'worker="sweeper"'), "{{outcome}}")),
    graph("Time of a pass of the sweeper", "With its questions to sales.", "s",
          query(quantile(0.99, "comptoir_worker_run_duration_seconds", "", 'worker="sweeper"'), "p99")),
)

SALES = row(
    "Sales",
    graph("Recorded and repeated", "Per second. A repeat is answered with the sale that stands.", "ops",
          query(rate("comptoir_sales_recorded_total"), "recorded"), query(rate("comptoir_sales_replayed_total"), "repeated"),
          query(rate("comptoir_sales_voided_total"), "voided"), query(rate("comptoir_returns_recorded_total"), "returned")),
    graph("Refused, by reason", "Per second. `unavailable`: no answer from store or inventory in time; `failed`: sales or its database. "
          "Alerts: SalesFailing, SalesRefused.", "ops", query(rate("comptoir_sales_refused_total", "reason"), "{{reason}}")),
    graph("Time of a sale", "POST /api/sales over the last minute. Alert: SalesSlow.", "s",
          query("sale:comptoir_http_request_duration_seconds:p50_1m", "p50"),
          query("sale:comptoir_http_request_duration_seconds:p99_1m", "p99"), limit=1),
    graph("Where the time goes", "99th percentiles: the calls that a sale makes, the wait for a connection, and a commit of sales.", "s",
          query(quantile(0.99, "comptoir_port_call_duration_seconds", "port", 'port=~"stock|stores|catalog"'), "{{port}}"),
          query('module:comptoir_db_wait_duration_seconds:p99_1m{module="sales"}', "connection"),
          query(quantile(0.99, "comptoir_db_statement_duration_seconds", "kind", 'module="sales",kind="commit"'), "{{kind}}")),
    graph("Sales that fail", "Part of the attempts of the last minute that got a 5xx.", "percentunit",
          query("sale:comptoir_http_errors:ratio1m", "5xx"), limit=0.05),
    graph("Revenue per hour", "In minor units of each currency, at the pace of the moment; what is paid back is apart.", "short",
          query("sum by (currency) (rate(comptoir_sales_revenue_minor_units_total[$__rate_interval])) * 3600", "{{currency}}"),
          query(or_zero("sum by (currency) (rate(comptoir_returns_refunded_minor_units_total[$__rate_interval])) * 3600"),
                "paid back {{currency}}")),
)

CATALOGUE = row(
    "Catalogue and supply",
    graph("Questions about articles", "Of sales and store, per second: what an article is, and costs. What sales remembers is not asked.", "reqps",
          query(rate("comptoir_port_call_duration_seconds_count", "method", 'port="catalog"'), "{{method}}")),
    graph("Time of an answer", "The 99th percentile, on the caller's side. A sale waits for it.", "s",
          query(quantile(0.99, "comptoir_port_call_duration_seconds", "method", 'port="catalog"'), "{{method}}")),
    graph("Remembered by sales", "Part of its look-ups of articles that needed no question.", "percentunit",
          query(f"""{rate('comptoir_cache_requests_total', '', 'cache="products",result="hit"')}
                / clamp_min({rate('comptoir_cache_requests_total', '', 'cache="products"')}, 0.001)""", "found"), top=1),
    graph("What it asks the others", "Calls per second: stock and transfers of store, what sales sold.", "reqps",
          query(rate("comptoir_port_call_duration_seconds_count", "port, method", 'port=~"levels|transfers|demand"'), "{{port}}.{{method}}")),
    graph("Passes of the loop `transfers`", "Per second. It makes the transfers of requests that were approved. Alert: WorkerStuck.", "ops",
          query(rate("comptoir_worker_runs_total", "outcome", 'module="inventory",worker="transfers"'), "{{outcome}}")),
    graph("Goods under way", "Base units in transfers that were sent and not wholly received.", "short",
          query("max(comptoir_transfer_units_in_transit)", "units")),
)

#: Module -> title, what is its own, and the contracts that it offers to the others.
PAGES = {
    "auth": ("Auth", [LOGINS, TRUST, caches("tokens")], ["sessions"]),
    "store": ("Store", [HOLDS, batches("store")], ["stock", "stores", "levels", "transfers", "store_events"]),
    "inventory": ("Inventory", [CATALOGUE], ["catalog", "inventory_events"]),
    "sales": ("Sales", [SALES, batches("sales"), caches("profiles", "products")], ["sale_outcomes", "demand", "sales_events"]),
}

DASHBOARDS = {
    module: dashboard(
        module, title, f"The module {module}: its routes, its database, its events, the calls of its contracts.",
        *own, golden(module), calls(*ports), database(module), events(module),
    )
    for module, (title, own, ports) in PAGES.items()
}
