//! The table of every setting: the README's is made from it.

/// One setting: its name, its default in words of the configuration file, and what it does.
pub type Setting = (&'static str, &'static str, &'static str);

/// Every setting there is.
pub const SETTINGS: &[Setting] = &[
    (
        "mode",
        "development",
        "`production` refuses demo data, default secrets and an embedded database",
    ),
    (
        "modules",
        "all",
        "which of the compiled modules run here: `all`, or for example `store,inventory`",
    ),
    ("http.bind", "127.0.0.1", "address of the public listener"),
    (
        "http.port",
        "0",
        "its port; `0` means 3030 for several modules, 3031 to 3034 for one alone",
    ),
    (
        "http.workers",
        "0",
        "HTTP threads; `0` means half of the cores, at least one",
    ),
    (
        "http.in_flight",
        "2000",
        "requests answered at once; more get a 503",
    ),
    (
        "http.time_limit_ms",
        "30000",
        "longest time for one request, in milliseconds; streams apart",
    ),
    (
        "http.drain_ms",
        "0",
        "how long it goes on answering after a stop was asked for and readiness went off, so that gateways look elsewhere first, in milliseconds",
    ),
    (
        "http.trusted_proxies",
        "",
        "addresses and networks of gateways whose `X-Forwarded-For` is believed, comma separated",
    ),
    (
        "internal.bind",
        "127.0.0.1",
        "address of the internal listener: `/metrics`, and ports for peers where one is remote",
    ),
    (
        "internal.port",
        "0",
        "its port; `0` means the public port + 1000",
    ),
    (
        "internal.secret",
        "",
        "shared by our own processes, at least 32 characters; needed when a peer is remote",
    ),
    (
        "internal.secret_file",
        "",
        "a file that holds it instead, for example a container's secret",
    ),
    (
        "internal.timeout_ms",
        "2500",
        "longest wait for a peer's answer, in milliseconds",
    ),
    (
        "peers.auth",
        "http://127.0.0.1:4031",
        "internal listener of auth, where it runs elsewhere",
    ),
    (
        "peers.store",
        "http://127.0.0.1:4032",
        "internal listener of store, where it runs elsewhere",
    ),
    (
        "peers.inventory",
        "http://127.0.0.1:4033",
        "internal listener of inventory, where it runs elsewhere",
    ),
    (
        "peers.sales",
        "http://127.0.0.1:4034",
        "internal listener of sales, where it runs elsewhere",
    ),
    (
        "events.nats_url",
        "",
        "`nats://user:password@host:4222`, several separated by commas: events between processes go through NATS JetStream; empty: over HTTP",
    ),
    (
        "events.nats_drain",
        "false",
        "`true`: publish over HTTP, and only take what JetStream still has: the step before `events.nats_url` is emptied",
    ),
    (
        "database.url",
        "",
        "`postgres://…`; empty starts the embedded PostgreSQL. `DATABASE_URL` does the same",
    ),
    (
        "database.auth_url",
        "",
        "a database of its own for auth; `AUTH_DATABASE_URL` does the same",
    ),
    (
        "database.store_url",
        "",
        "a database of its own for store; `STORE_DATABASE_URL` does the same",
    ),
    (
        "database.inventory_url",
        "",
        "a database of its own for inventory; `INVENTORY_DATABASE_URL` does the same",
    ),
    (
        "database.sales_url",
        "",
        "a database of its own for sales; `SALES_DATABASE_URL` does the same",
    ),
    (
        "database.password_file",
        "",
        "a file with the password for each of these URLs that has none",
    ),
    (
        "database.pool_size",
        "8",
        "connections per module; one more gathers its figures",
    ),
    (
        "database.wait_ms",
        "2000",
        "longest wait for a free connection, in milliseconds",
    ),
    (
        "database.durable",
        "true",
        "`false` accepts a PostgreSQL that may forget what was acknowledged, for tests (development mode only)",
    ),
    (
        "embedded.data_dir",
        "",
        "where the embedded PostgreSQL keeps its data; empty means a folder of the user's",
    ),
    (
        "auth.signing_keys",
        "",
        "Ed25519 PEM files, comma separated; the first signs, all verify, a file's stem is its `kid`; empty keeps one in the data folder",
    ),
    (
        "auth.pepper",
        "",
        "mixed into every password, at least 32 characters; empty keeps one in the data folder",
    ),
    ("auth.pepper_file", "", "a file that holds it instead"),
    (
        "auth.bcrypt_cost",
        "12",
        "cost of a password hash, 10 to 16",
    ),
    (
        "auth.access_seconds",
        "600",
        "life of an access token, at most 600",
    ),
    (
        "auth.refresh_idle_seconds",
        "28800",
        "a session ends when unused for so long",
    ),
    (
        "auth.refresh_absolute_seconds",
        "86400",
        "a session ends after so long in any case",
    ),
    (
        "auth.admin_email",
        "admin@demo.comptoir.test",
        "the first admin, made when there is no user at all",
    ),
    (
        "auth.admin_password",
        "",
        "their password; empty makes a random one and prints it once",
    ),
    (
        "store.hold_seconds",
        "60",
        "after so long an unfinished sale is looked into",
    ),
    (
        "store.sweep_ms",
        "5000",
        "how often such sales are looked for, in milliseconds",
    ),
    (
        "demo.load",
        "true",
        "load the demo chain into an empty database at start (development mode only)",
    ),
    (
        "log.filter",
        "auto",
        "what is logged, in the syntax of `RUST_LOG`; `auto` is `info` in production mode and `info,access=warn` otherwise, where `access` is a line per request; of other crates than our own never more than `info`",
    ),
    (
        "log.json",
        "auto",
        "`true`, `false`, or `auto`: JSON in production mode",
    ),
    (
        "traces.otlp_url",
        "",
        "a collector of OpenTelemetry, for example `http://collector:4318` (no https), that spans are sent to; empty: none are made",
    ),
    (
        "traces.ratio",
        "1",
        "which part of the traces that begin here is sent, from 0 to 1",
    ),
];
