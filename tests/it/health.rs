//! What a module says of its database and its peers, and what a process says of itself.

use comptoir::process::Module;
use serde_json::{Value, json};

use crate::app::{Options, TOPOLOGIES, TestApp, Topology};

async fn health(app: &TestApp, module: Module) -> Value {
    let path = format!("{}/health", module.prefixes()[0]);
    app.get(&path).await.expect(200)
}

/// What `/health/<what>` of every process answers, on both listeners.
async fn probes(app: &TestApp, what: &str) -> Vec<u16> {
    let mut bases: Vec<String> = app.inside.clone();
    bases.extend(Module::ALL.map(|module| app.base(module).to_owned()));
    let mut answers = Vec::new();
    for base in bases {
        let request = app.http.get(format!("{base}/health/{what}"));
        answers.push(request.send().await.unwrap().status().as_u16());
    }
    answers.sort_unstable();
    answers.dedup();
    answers
}

#[actix_web::test]
async fn a_peer_that_is_away_is_down_for_those_that_ask_it() {
    let mut app = TestApp::start(Topology::Split).await;
    let up = json!({"auth": "up", "store": "up", "inventory": "up"});
    let before = health(&app, Module::Sales).await;
    assert_eq!(
        (&before["status"], &before["database"]),
        (&json!("up"), &json!("up"))
    );
    assert_eq!(before["peers"], up);
    app.service(Module::Inventory).kill();
    app.eventually("sales misses inventory", async || {
        health(&app, Module::Sales).await["peers"]["inventory"] == "down"
    })
    .await;
    let after = health(&app, Module::Sales).await;
    assert_eq!(
        (&after["status"], &after["database"]),
        (&json!("degraded"), &json!("up"))
    );
    assert_eq!(
        after["peers"],
        json!({"auth": "up", "store": "up", "inventory": "down"})
    );
}

#[actix_web::test]
async fn a_database_that_gives_no_answer_is_down_and_its_process_not_ready() {
    for topology in TOPOLOGIES {
        let options = Options {
            background: topology != Topology::Whole,
            ..Options::default()
        };
        let app = TestApp::start_with(topology, options).await;
        assert_eq!(probes(&app, "ready").await, [200], "{topology:?}");
        let db = app.db(Module::Sales);
        db.execute("REVOKE USAGE ON SCHEMA sales FROM comptoir_sales");
        let sales = health(&app, Module::Sales).await;
        assert_eq!(
            (&sales["status"], &sales["database"]),
            (&json!("degraded"), &json!("down"))
        );
        assert_eq!(
            health(&app, Module::Store).await["database"],
            "up",
            "{topology:?}"
        );
        let ready: &[u16] = match topology {
            Topology::Whole => &[503],
            _ => &[200, 503],
        };
        assert_eq!(probes(&app, "ready").await, ready, "{topology:?}");
        // It lives: to start it again would not help.
        assert_eq!(probes(&app, "live").await, [200], "{topology:?}");
        db.execute("GRANT USAGE ON SCHEMA sales TO comptoir_sales");
        assert_eq!(
            health(&app, Module::Sales).await["status"],
            "up",
            "{topology:?}"
        );
    }
}
