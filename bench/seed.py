"""Fills the product through its own API, and writes down what the load generator may choose from."""

from pathlib import Path
from urllib.parse import quote

from settings import PAGE, PRODUCTS, STOCK, STORES, Unusable

ITEMS_PER_ADJUSTMENT = 500


def seed(product, inputs: Path):
    """Stores, products and stock; `inputs` gets stores.txt, products.txt and pages.txt."""
    token = product.login()
    stores = [_create_store(product, token, n) for n in range(1, STORES + 1)]
    _import_products(product, token)
    products, pages = _read_products(product, token)
    for store in stores:
        for start in range(0, len(products), ITEMS_PER_ADJUSTMENT):
            _stock(product, token, store, products[start:start + ITEMS_PER_ADJUSTMENT])
    _write(inputs / "stores.txt", stores)
    _write(inputs / "products.txt", [f"{id} {price}" for id, price in products])
    _write(inputs / "pages.txt", pages)


def _create_store(product, token, number):
    body = {
        "code": f"BENCH{number}",
        "name": f"Bench store {number}",
        "kind": "sales",
        "settings": {"timezone": "Europe/Berlin", "currency": "EUR", "tax_mode": "included"},
    }
    return product.call("POST", "/api/stores", body, token)["id"]


def _import_products(product, token):
    rows = ["sku,name,unit,price,currency,tax_rate"]
    for n in range(1, PRODUCTS + 1):
        cents = 49 + n % 1_950
        rows.append(f"BENCH-{n:06},Bench product {n:06},each,{cents // 100}.{cents % 100:02},EUR,19")
    body = "\n".join(rows).encode()
    report = product.call("POST", "/api/inventory/imports/products", body, token, "text/csv")
    if report["created"] != PRODUCTS:
        raise Unusable(f"{PRODUCTS} products were sent, the answer was {report}")


def _read_products(product, token):
    """(id, price) of every product, and the path of every page of the list."""
    products, pages = [], []
    first = path = f"/api/inventory/products?limit={PAGE}"
    while path:
        pages.append(path)
        page = product.call("GET", path, token=token)
        products += [(item["id"], item["price"]["amount"]) for item in page["items"]]
        cursor = page["next_cursor"]
        path = cursor and f"{first}&cursor={quote(cursor, safe='')}"
    if len(products) != PRODUCTS or len(set(products)) != PRODUCTS:
        raise Unusable(f"the list gave {len(products)} products instead of {PRODUCTS}")
    return products, pages


def _stock(product, token, store, products):
    items = [
        {"type": "adjust", "store_id": store, "product_id": id, "delta": STOCK, "reason": "opening"}
        for id, _ in products
    ]
    product.call("POST", "/api/stocks/adjustments", {"items": items}, token)


def _write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))
