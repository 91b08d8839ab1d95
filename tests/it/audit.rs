//! The audit trail of every module: complete, readable by those who may, and tampering shows.

use comptoir::process::Module;
use kernel::{auth::Role, migrate};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestDb;

use crate::{
    app::{TOPOLOGIES, TestApp, Topology, id},
    sales::sale,
};

async fn trail(app: &TestApp, path: &str, token: &str) -> Vec<Value> {
    let page = app.send(Method::GET, path, token, None, None).await;
    page.expect(200)["items"].as_array().unwrap().clone()
}

fn actions(trail: &[Value]) -> Vec<&str> {
    trail
        .iter()
        .map(|e| e["action"].as_str().unwrap())
        .collect()
}

#[actix_web::test]
async fn every_module_tells_who_changed_what() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let store = app.given_store().await;
        let product = app.given_product(250).await;
        app.given_stock(store, product, 5).await;
        let path = format!("/api/stores/{store}");
        app.patch(&path, &json!({"name": "Renamed"}))
            .await
            .expect(200);
        let sold = app
            .post("/api/sales", &sale(store, &[(product, 1)], 250))
            .await;
        let sold = id(&sold);
        let void = json!({"reason": "wrong customer"});
        let path = format!("/api/sales/{sold}/void");
        app.post(&path, &void).await.expect(200);

        let changes = trail(
            &app,
            &format!("/api/stores/audit?subject_id={store}"),
            &app.admin,
        )
        .await;
        assert_eq!(actions(&changes), ["store.update", "store.create"]);
        assert_eq!(changes[0]["before"]["name"], "Test shop");
        assert_eq!(changes[0]["after"]["name"], "Renamed");
        assert_eq!(changes[0]["store_id"], store.to_string());
        assert_eq!(changes[1]["before"], Value::Null);
        let changes = trail(
            &app,
            &format!("/api/sales/audit?subject_id={sold}"),
            &app.admin,
        )
        .await;
        assert_eq!(actions(&changes), ["sale.void"]);
        assert_eq!(changes[0]["after"]["reason"], "wrong customer");
        let path = format!("/api/inventory/audit?subject_id={product}");
        assert_eq!(
            actions(&trail(&app, &path, &app.admin).await),
            ["product.create"]
        );
        let me = app.get("/api/auth/me").await.expect(200);
        let path = format!("/api/auth/audit?subject_id={}", me["id"].as_str().unwrap());
        assert_eq!(
            actions(&trail(&app, &path, &app.admin).await),
            ["user.created"]
        );

        // Page by page it is the same trail, and a manager's part of it is their store's.
        let whole = trail(&app, "/api/stores/audit", &app.admin).await;
        let first = app.get("/api/stores/audit?limit=1").await.expect(200);
        let next = first["next_cursor"].as_str().unwrap();
        let second = app
            .get(&format!("/api/stores/audit?limit=1&cursor={next}"))
            .await
            .expect(200);
        assert_eq!(
            [&first["items"][0], &second["items"][0]],
            [&whole[0], &whole[1]]
        );
        let elsewhere = app.given_store().await;
        let manager = app.user(Role::Manager, Some(elsewhere)).await;
        let seen = trail(&app, "/api/stores/audit", &manager).await;
        assert_eq!(actions(&seen), ["store.create"]);
        assert_eq!(seen[0]["store_id"], elsewhere.to_string());
        assert_eq!(
            trail(&app, "/api/inventory/audit", &manager).await,
            [] as [Value; 0]
        );
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_row_that_was_changed_or_removed_is_found_in_every_module() {
    for tamper in [
        "UPDATE {m}.audit SET action = 'nothing' WHERE id = (SELECT max(id::text)::uuid FROM {m}.audit)",
        "DELETE FROM {m}.audit a WHERE seq = 1 AND EXISTS \
             (SELECT FROM {m}.audit b WHERE b.subject_id = a.subject_id AND b.seq = 2)",
    ] {
        let app = TestApp::start(Topology::Whole).await;
        let store = app.given_store().await;
        let product = app.given_product(250).await;
        app.given_stock(store, product, 5).await;
        let change = json!({"name": "Renamed"});
        app.patch(&format!("/api/stores/{store}"), &change)
            .await
            .expect(200);
        app.patch(&format!("/api/inventory/products/{product}"), &change)
            .await
            .expect(200);
        let user = json!({"email": "a@test.example", "name": "A", "password": crate::app::PASSWORD, "grants": []});
        let user = id(&app.post("/api/users", &user).await);
        app.patch(&format!("/api/users/{user}"), &change)
            .await
            .expect(200);
        let sold = id(&app
            .post("/api/sales", &sale(store, &[(product, 1)], 250))
            .await);
        let void = json!({"reason": "wrong customer"});
        app.post(&format!("/api/sales/{sold}/void"), &void)
            .await
            .expect(200);
        app.assert_invariants().await;
        for module in [
            Module::Auth,
            Module::Store,
            Module::Inventory,
            Module::Sales,
        ] {
            // A sale has one entry, which is not a chain to take the first link out of.
            if module == Module::Sales && tamper.starts_with("DELETE") {
                continue;
            }
            app.db(module)
                .execute(&tamper.replace("{m}", module.name()));
            let broken = app
                .violations(&format!(
                    "AUDIT no row of {module}'s trail was changed or removed"
                ))
                .await;
            assert!(broken > 0, "{module}: {tamper}");
        }
    }
}

/// Rows from before every module had the same table survive the way there, back, and there again.
#[test]
fn the_trail_survives_its_migration_down_and_up() {
    for module in [Module::Store, Module::Inventory, Module::Sales] {
        let db = TestDb::empty();
        let (url, migrations) = (db.url(), || module.migrations().unwrap());
        migrate::up(&url, module.name(), migrations()).unwrap();
        let is_there = |column: &str| {
            db.number(&format!(
                "SELECT count(*) FROM information_schema.columns WHERE table_schema = '{module}' \
                     AND table_name = 'audit' AND column_name = '{column}'"
            )) == 1
        };
        while is_there("subject_id") && is_there("hash") {
            migrate::down(&url, module.name(), migrations(), false).unwrap();
        }
        let row = match module {
            Module::Store => {
                "(store_id, seq, actor_id, action, after, trace_id, recorded_at, hash) SELECT \
                gen_random_uuid(), 1, gen_random_uuid(), 'store.create', '{}', '', now(), ''"
            }
            Module::Inventory => {
                "(id, resource_id, actor_id, action, trace_id, recorded_at) SELECT \
                gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'product.create', '', now()"
            }
            _ => {
                "(id, subject_id, store_id, actor_id, action, trace_id, at) SELECT \
                gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'sale.void', '', now()"
            }
        };
        db.execute(&format!(
            "INSERT INTO {module}.audit {row} FROM generate_series(1, 3)"
        ));
        let told = "(actor_id, action, trace_id, coalesce(after, 'null'))::text";
        let rows = || {
            db.text(&format!(
                "SELECT string_agg({told}, ';' ORDER BY actor_id) FROM {module}.audit"
            ))
        };
        let before = rows();
        for _ in 0..2 {
            migrate::up(&url, module.name(), migrations()).unwrap();
            assert_eq!(rows(), before, "{module}");
            let mut conn = db.connect();
            kernel::diesel::connection::SimpleConnection::batch_execute(
                &mut conn,
                &format!("SET search_path = {module}"),
            )
            .unwrap();
            assert_eq!(
                kernel::audit::count_broken(&mut conn).unwrap(),
                0,
                "{module}"
            );
            drop(conn);
            while is_there("subject_id") && is_there("hash") {
                migrate::down(&url, module.name(), migrations(), false).unwrap();
            }
            assert_eq!(rows(), before, "{module}");
        }
    }
}
