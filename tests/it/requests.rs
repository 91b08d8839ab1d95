//! A request for every operation of the product that its owner may make, with whatever it needs
//! made fresh: what the access table and the bad-input tests start from.

use kernel::auth::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{PASSWORD, TestApp, id},
    sales::sale,
};

/// What does not change from request to request.
pub struct Fixture {
    pub product: Uuid,
    pub sku: String,
    pub category: Uuid,
    pub import: Uuid,
    /// The other end of every transfer.
    pub depot: Uuid,
}

pub struct Request {
    pub path: String,
    pub body: Option<Value>,
    pub csv: Option<&'static str>,
}

pub fn bare(path: impl Into<String>) -> Request {
    Request {
        path: path.into(),
        body: None,
        csv: None,
    }
}

pub fn with(path: impl Into<String>, body: Value) -> Request {
    Request {
        path: path.into(),
        body: Some(body),
        csv: None,
    }
}

fn unique(stem: &str) -> String {
    format!("{stem}{}", Uuid::now_v7().simple())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

const CSV: &str = "sku,name,unit,price,currency,tax_rate\nCSV-1,From a file,each,1.00,EUR,20\n";

impl Fixture {
    pub async fn new(app: &TestApp) -> Self {
        let product = app.given_product(100).await;
        let found = app
            .get(&format!("/api/inventory/products/{product}"))
            .await
            .expect(200);
        let category = id(&app
            .post(
                "/api/inventory/categories",
                &json!({"name": unique("Category ")}),
            )
            .await);
        let import = app
            .http
            .post(app.url("/api/inventory/imports/products?dry_run=false"))
            .bearer_auth(&app.admin)
            .header("content-type", "text/csv")
            .body(CSV)
            .send()
            .await
            .unwrap();
        let import: Value = import.json().await.unwrap();
        let depot = app.given_store().await;
        app.given_stock(depot, product, 100_000).await;
        Self {
            product,
            sku: text(&found["sku"]).to_owned(),
            category,
            import: text(&import["import_id"]).parse().unwrap(),
            depot,
        }
    }

    /// A shop with goods of the fixture's product.
    pub async fn given_shop(&self, app: &TestApp) -> Uuid {
        let store = app.given_store().await;
        app.given_stock(store, self.product, 100_000).await;
        store
    }

    pub async fn given_sale(&self, app: &TestApp, store: Uuid) -> Value {
        app.post("/api/sales", &sale(store, &[(self.product, 1)], 100))
            .await
            .expect(201)
    }

    fn return_of(sold: &Value) -> Value {
        json!({
            "sale_id": sold["id"],
            "lines": [{"line": 1, "quantity": 1, "disposition": "restock"}],
            "reason": "unwanted",
        })
    }

    async fn given_user(&self, app: &TestApp) -> Uuid {
        id(&app.post("/api/users", &user()).await)
    }

    /// The request for an operation, aimed at `store` where it concerns one. `None` for an
    /// operation that nobody has described yet, which fails the tests that ask.
    pub async fn request(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        let module = path.split('/').nth(2).unwrap_or_default();
        match module {
            "auth" | "users" => self.of_auth(app, method, path, store).await,
            "stores" | "stocks" => self.of_store(app, method, path, store).await,
            "inventory" => self.of_inventory(app, method, path, store).await,
            _ => self.of_sales(app, method, path, store).await,
        }
    }

    async fn of_auth(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        _store: Uuid,
    ) -> Option<Request> {
        let of_user =
            async |suffix: &str| format!("/api/users/{}{suffix}", self.given_user(app).await);
        Some(match (method, path) {
            ("POST", "/api/auth/login") => with(
                path,
                json!({"email": unique("nobody-") + "@test.example", "password": "wrong-password-1"}),
            ),
            ("POST", "/api/auth/refresh") => with(path, json!({"refresh_token": "unknown"})),
            ("POST", "/api/auth/logout" | "/api/auth/logout-all") => bare(path),
            ("POST", "/api/auth/password") => with(
                path,
                json!({"current_password": "wrong-password-1", "new_password": PASSWORD}),
            ),
            (
                "GET",
                "/api/auth/me" | "/api/auth/verify" | "/api/auth/jwks" | "/api/auth/health"
                | "/api/auth/sessions" | "/api/auth/audit" | "/api/auth/events" | "/api/users",
            ) => bare(path),
            ("DELETE", "/api/auth/sessions/{id}") => {
                bare(format!("/api/auth/sessions/{}", Uuid::now_v7()))
            }
            ("POST", "/api/users") => with(path, user()),
            ("GET", "/api/users/{id}") => bare(of_user("").await),
            ("PATCH", "/api/users/{id}") => {
                with(of_user("").await, json!({"name": "Another Name"}))
            }
            ("GET", "/api/users/{id}/grants") => bare(of_user("/grants").await),
            ("PUT", "/api/users/{id}/grants") => {
                with(of_user("/grants").await, json!({"grants": []}))
            }
            ("GET" | "DELETE", "/api/users/{id}/sessions") => bare(of_user("/sessions").await),
            ("POST", "/api/users/{id}/archive") => bare(of_user("/archive").await),
            ("POST", "/api/users/{id}/restore") => bare(of_user("/restore").await),
            ("POST", "/api/users/{id}/password") => with(
                of_user("/password").await,
                json!({"new_password": "wren-thimble-ocean-41"}),
            ),
            _ => return None,
        })
    }

    async fn of_store(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        let here = path
            .replace("{id}", &store.to_string())
            .replace("{store_id}", &store.to_string());
        let filtered = format!("{path}?store_id={store}");
        if path.starts_with("/api/stocks/transfers") {
            return self.of_transfers(app, method, path, store).await;
        }
        if path.starts_with("/api/stocks/counts") {
            return self.of_counts(app, method, path, store).await;
        }
        if path.starts_with("/api/stocks/discrepancies") {
            return self.of_discrepancies(app, method, path, store).await;
        }
        Some(match (method, path) {
            (
                "GET",
                "/api/stores"
                | "/api/stores/health"
                | "/api/stores/events"
                | "/api/stocks/integrity",
            ) => bare(path),
            ("POST", "/api/stores") => with(
                path,
                json!({"code": unique("N"), "name": "New shop", "kind": "sales"}),
            ),
            (
                "GET",
                "/api/stores/{id}" | "/api/stores/{id}/settings" | "/api/stores/{id}/registers",
            ) => bare(here),
            ("PATCH", "/api/stores/{id}") => with(here, json!({"name": "Renamed"})),
            ("PATCH", "/api/stores/{id}/settings") => {
                with(here, json!({"receipt_text": "Thank you"}))
            }
            ("POST", "/api/stores/{id}/archive" | "/api/stores/{id}/restore") => bare(here),
            ("POST", "/api/stores/{id}/registers") => {
                with(here, json!({"code": unique("T"), "name": "Till"}))
            }
            ("GET", "/api/stores/{id}/registers/{register_id}")
            | ("POST", "/api/stores/{id}/registers/{register_id}/archive") => {
                let registers = format!("/api/stores/{store}/registers");
                let register = id(&app
                    .post(&registers, &json!({"code": unique("T"), "name": "Till"}))
                    .await);
                bare(here.replace("{register_id}", &register.to_string()))
            }
            (
                "GET",
                "/api/stocks"
                | "/api/stocks/movements"
                | "/api/stocks/low"
                | "/api/stocks/holds"
                | "/api/stores/audit",
            ) => bare(filtered),
            ("GET", "/api/stocks/as-of") => bare(format!("{filtered}&at=2030-01-01T00:00:00Z")),
            ("GET", "/api/stocks/{store_id}/{product_id}") => {
                bare(format!("/api/stocks/{store}/{}", self.product))
            }
            ("POST", "/api/stocks/adjustments") => with(
                path,
                json!({"items": [
                    {"type": "adjust", "store_id": store, "product_id": self.product, "delta": 1, "reason": "found"},
                ]}),
            ),
            _ => return None,
        })
    }

    async fn of_inventory(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        if path.contains("/reorder-rules")
            || path.contains("/replenishment/")
            || path.contains("/inventory/reports/")
        {
            return self.of_replenishment(app, method, path, store).await;
        }
        let priced = ["prices", "taxes", "promotions"];
        if priced
            .iter()
            .any(|of| path.starts_with(&format!("/api/inventory/{of}")))
        {
            return self.of_prices(app, method, path, store).await;
        }
        let category = async || {
            id(&app
                .post("/api/inventory/categories", &json!({"name": unique("C ")}))
                .await)
        };
        Some(match (method, path) {
            (
                "GET",
                "/api/inventory/health"
                | "/api/inventory/categories"
                | "/api/inventory/products"
                | "/api/inventory/imports"
                | "/api/inventory/exports/products",
            ) => bare(path),
            ("POST", "/api/inventory/categories") => {
                with(path, json!({"name": unique("Category ")}))
            }
            ("GET", "/api/inventory/categories/{id}") => {
                bare(format!("/api/inventory/categories/{}", self.category))
            }
            ("PATCH", "/api/inventory/categories/{id}") => with(
                format!("/api/inventory/categories/{}", category().await),
                json!({"name": unique("Renamed ")}),
            ),
            ("DELETE", "/api/inventory/categories/{id}") => {
                bare(format!("/api/inventory/categories/{}", category().await))
            }
            ("POST", "/api/inventory/products") => with(
                path,
                json!({
                    "sku": unique("P-"), "name": "New", "unit": "each", "price": {"amount": 1, "currency": "EUR"}, "tax_rate": 0,
                }),
            ),
            ("GET", "/api/inventory/products/{id}") => {
                bare(format!("/api/inventory/products/{}", self.product))
            }
            ("PATCH", "/api/inventory/products/{id}") => with(
                format!("/api/inventory/products/{}", self.product),
                json!({"attributes": {"colour": "red"}}),
            ),
            (
                "POST",
                "/api/inventory/products/{id}/archive" | "/api/inventory/products/{id}/restore",
            ) => bare(path.replace("{id}", &app.given_product(1).await.to_string())),
            ("GET", "/api/inventory/audit" | "/api/inventory/events") => bare(path),
            ("GET", "/api/inventory/lookup") => bare(format!("{path}?sku={}", self.sku)),
            ("GET", "/api/inventory/stock") => bare(format!("{path}?product_id={}", self.product)),
            ("POST", "/api/inventory/imports/products") => Request {
                path: path.into(),
                body: None,
                csv: Some(CSV),
            },
            ("GET", "/api/inventory/imports/{id}") => {
                bare(format!("/api/inventory/imports/{}", self.import))
            }
            _ => return None,
        })
    }

    async fn of_sales(
        &self,
        app: &TestApp,
        method: &str,
        path: &str,
        store: Uuid,
    ) -> Option<Request> {
        if let Some(request) = self.of_returns(app, method, path, store).await {
            return Some(request);
        }
        if path.starts_with("/api/sales/shifts") {
            return self.of_shifts(app, method, path, store).await;
        }
        Some(match (method, path) {
            ("GET", "/api/sales/reports/day-close") => {
                bare(format!("{path}?store_id={store}&date=2026-01-15"))
            }
            ("GET", "/api/sales/{id}/receipt" | "/api/returns/{id}/receipt") => {
                self.of_receipt(app, path, store).await
            }
            ("GET", "/api/sales/health" | "/api/sales/events" | "/api/returns/reasons") => {
                bare(path)
            }
            ("GET", "/api/sales" | "/api/returns" | "/api/sales/audit") => {
                bare(format!("{path}?store_id={store}"))
            }
            ("POST", "/api/sales/quote") => with(
                path,
                json!({"store_id": store, "lines": [{"product_id": self.product, "quantity": 1}]}),
            ),
            ("POST", "/api/sales") => with(path, sale(store, &[(self.product, 1)], 100)),
            ("GET", "/api/sales/{id}") => bare(format!(
                "/api/sales/{}",
                text(&self.given_sale(app, store).await["id"])
            )),
            ("POST", "/api/sales/{id}/void") => {
                let sold = self.given_sale(app, store).await;
                with(
                    format!("/api/sales/{}/void", text(&sold["id"])),
                    json!({"reason": "a test"}),
                )
            }
            ("POST", "/api/returns") => {
                with(path, Self::return_of(&self.given_sale(app, store).await))
            }
            ("GET", "/api/returns/{id}") => {
                let sold = self.given_sale(app, store).await;
                bare(format!(
                    "/api/returns/{}",
                    id(&app.post("/api/returns", &Self::return_of(&sold)).await)
                ))
            }
            ("GET", "/api/sales/reports/revenue") => bare(format!(
                "{path}?from=2026-01-01&to=2026-12-31&store_id={store}&group_by=product"
            )),
            (
                "GET",
                "/api/sales/reports/taxes"
                | "/api/sales/reports/top-products"
                | "/api/sales/reports/exceptions",
            ) => bare(format!(
                "{path}?from=2026-01-01&to=2026-12-31&store_id={store}"
            )),
            _ => return None,
        })
    }
}

fn user() -> Value {
    json!({"email": unique("u-") + "@test.example", "name": "Test Person", "password": PASSWORD, "grants": []})
}

/// Every role once, as it is granted at one store.
pub const ROLES: [Role; 5] = Role::ALL;
