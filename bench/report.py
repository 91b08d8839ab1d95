"""Medians and ratios of the rounds, as tables in Markdown."""

from statistics import median

from settings import PRODUCTS, STORES, Settings, cores, output

# (what is measured, the product's side, [(the floor's name, its side)])
SCENARIOS = (
    ("sale of 2 lines", "sale", (
        ("statement by statement", "sale_statements"),
        ("one statement", "sale_one_statement"),
    )),
    ("product by id", "product", (("select by primary key", "product"),)),
    ("page of 50 products", "page", (("select by keyset", "page"),)),
)


def header(settings: Settings, measured, database, folder):
    """What the figures depend on."""
    processor = output("sh", "-c", "grep -m1 '^model name' /proc/cpuinfo | cut -d: -f2").strip()
    disk = output("df", "--output=fstype", str(folder)).splitlines()[-1]
    promises = ", ".join(f"{n} {database.ask(f'SHOW {n}')}" for n in ("fsync", "synchronous_commit"))
    return "\n".join((
        f"- {measured}",
        f"- {cores()} cores ({processor}) shared by load generator, product and database",
        f"- PostgreSQL {database.ask('SHOW server_version')}: {promises}; data on {disk}",
        f"- {STORES} stores, {PRODUCTS} products; medians of {settings.rounds} rounds, "
        f"{settings.seconds} s a run",
    ))


def speed(rounds, connections):
    """The main table. `rounds` is a list of {(side, script, connections): Figure}."""
    rows = [
        "| scenario | connections | Comptoir/s | p50 ms | p99 ms | floor | floor/s | ratio (range) |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |",
    ]
    for title, script, floors in SCENARIOS:
        for count in connections:
            ours = [figures["wrk", script, count] for figures in rounds]
            for name, floor in floors:
                theirs = [figures["pgbench", floor, count] for figures in rounds]
                rows.append(_row(title, count, ours, name, theirs))
    return "\n".join(rows)


def _row(title, connections, ours, name, theirs):
    errors = sum(figure.errors for figure in ours + theirs)
    if errors:
        return f"| {title} | {connections} | no figure: {errors} errors | | | {name} | | |"
    ratios = [a.per_second / b.per_second for a, b in zip(ours, theirs)]
    cells = (
        title, connections,
        f"{median(f.per_second for f in ours):,.0f}",
        f"{median(f.p50_ms for f in ours):.1f}",
        f"{median(f.p99_ms for f in ours):.1f}",
        name,
        f"{median(f.per_second for f in theirs):,.0f}",
        f"**{median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f})",
    )
    return f"| {' | '.join(map(str, cells))} |"


def compared(rounds, connections):
    """Two programs side by side. `rounds` is a list of {(side, connections): Figure}."""
    rows = [
        "| connections | before/s | after/s | ratio (range) | p99 ms | service µs | PostgreSQL µs |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for count in connections:
        pairs = [(figures["before", count], figures["after", count]) for figures in rounds]
        if errors := sum(figure.errors for pair in pairs for figure in pair):
            rows.append(f"| {count} | no figure: {errors} errors | | | | | |")
            continue
        ratios = [after.per_second / before.per_second for before, after in pairs]

        def both(value, form):
            return [format(median(map(value, side)), form) for side in zip(*pairs)]

        cells = (
            count, *both(lambda f: f.per_second, ",.0f"),
            f"**{median(ratios):.3f}** ({min(ratios):.3f}–{max(ratios):.3f})",
            " → ".join(both(lambda f: f.p99_ms, ".1f")),
            " → ".join(both(lambda f: f.spent.service * 1e6 / max(f.requests, 1), ",.0f")),
            " → ".join(both(lambda f: f.spent.postgres * 1e6 / max(f.requests, 1), ",.0f")),
        )
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


def cost(rounds, connections):
    """What one request costs, everything that follows from it included."""
    rows = [
        "| | connections | service µs | PostgreSQL µs | WAL bytes | s until events delivered |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for title, script, floors in SCENARIOS:
        sides = [(title, "wrk", script)]
        sides += [(f"floor: {title}, {name}", "pgbench", floor) for name, floor in floors]
        for name, side, script in sides:
            for count in connections:
                rows.append(_cost(name, side, count, [r[side, script, count] for r in rounds]))
    return "\n".join(rows)


def _cost(name, side, connections, figures):
    def each(value):
        return median(value(f) / max(f.requests, 1) for f in figures)

    product = side == "wrk"
    cells = (
        name, connections,
        f"{each(lambda f: f.spent.service * 1e6):,.0f}" if product else "",
        f"{each(lambda f: f.spent.postgres * 1e6):,.0f}",
        f"{each(lambda f: f.spent.wal):,.0f}",
        f"{median(f.drain_seconds for f in figures):.1f}" if product else "",
    )
    return f"| {' | '.join(map(str, cells))} |"
