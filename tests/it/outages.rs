//! One of four services is killed, or hangs, under load.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use comptoir::process::Module;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, Options, PASSWORD, TestApp, Topology},
    books::{assert_books_agree, soon},
    crash::signal,
    tills::{Desk, Shop, Tills},
};

const ROUNDS: usize = 12;

/// Four services with the product's own patience, and a shop whose first product runs out.
async fn given() -> (TestApp, Shop, Desk) {
    let options = Options {
        hold_ttl: Duration::from_secs(1),
        peer_timeout: Duration::from_millis(2_500),
        ..Options::default()
    };
    let app = TestApp::start_with(Topology::Split, options).await;
    let (store, mut products) = (app.given_store().await, Vec::new());
    for n in 0..5 {
        let product = app.given_product(100).await;
        let stock = if n == 0 { 300 } else { 1_000_000 };
        app.given_stock(store, product, stock).await;
        products.push(product);
    }
    let desk = Desk {
        http: app.http.clone(),
        base: app.base(Module::Sales).to_owned(),
        token: app.admin.clone(),
    };
    let registers = Vec::new();
    let shop = Shop {
        store,
        products,
        registers,
    };
    (app, shop, desk)
}

/// What got no answer is settled by its key, and then everything is right.
async fn assert_nothing_lost_doubled_or_oversold(app: &TestApp, tills: &Tills, desk: &Desk) {
    tills.repeat_what_got_no_answer(desk).await;
    tills.assert_acknowledged_are_kept(desk).await;
    assert_books_agree(app).await;
    let recorded = app
        .db(Module::Sales)
        .number("SELECT count(*) FROM sales.sales WHERE state = 'recorded'");
    assert_eq!(
        usize::try_from(recorded).unwrap(),
        tills.sold(),
        "I3, I6, I7"
    );
}

/// Every service as often as the others, in an order of chance.
fn victims() -> Vec<Module> {
    let mut victims = Module::ALL.repeat(ROUNDS / Module::ALL.len());
    let chance = RandomState::new();
    let mut turn = 0_u32;
    victims.sort_by_cached_key(|_| {
        turn += 1;
        chance.hash_one(turn)
    });
    victims
}

#[actix_web::test]
async fn twelve_kills_of_one_of_four_services_lose_double_and_oversell_nothing() {
    let (mut app, shop, desk) = given().await;
    let (tills, done) = (Tills::default(), AtomicBool::new(false));
    let killing = async {
        for (round, module) in victims().into_iter().enumerate() {
            println!("round {round}: {module}");
            tills.sell_more(15 + round * 7 % 40).await;
            let http = app.http.clone();
            let service = app.service(module);
            service.kill();
            let before = tills.attempts();
            soon("sales are tried all the same", || {
                tills.attempts() > before + 20
            })
            .await;
            service.start_again();
            service.ready(&http).await;
        }
        tills.sell_more(50).await;
        done.store(true, Ordering::Relaxed);
    };
    futures::join!(tills.sell(&desk, &shop, &done), killing);
    assert!(tills.sold() >= ROUNDS * 15, "{} sales", tills.sold());
    assert_nothing_lost_doubled_or_oversold(&app, &tills, &desk).await;
}

/// Longest time that a till waits for a refusal, and that any other request takes.
const REFUSAL: Duration = Duration::from_secs(3);
const UNDISTURBED: Duration = Duration::from_secs(1);
const HANGS_FOR: Duration = Duration::from_secs(10);

/// One request that does not need the store service.
struct Probe {
    began: Instant,
    took: Duration,
    status: u16,
}

/// Sends the same request again and again; it must not need the store service.
async fn probe(
    app: &TestApp,
    (method, path, body): (Method, &str, Option<Value>),
    done: &AtomicBool,
) -> Vec<Probe> {
    let mut probes = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let began = Instant::now();
        let reply = app
            .send(method.clone(), path, &app.admin, None, body.as_ref())
            .await;
        probes.push(Probe {
            began,
            took: began.elapsed(),
            status: reply.status,
        });
        // Ten a second each: they are to be undisturbed, not the load.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    probes
}

#[actix_web::test]
async fn a_store_service_that_hangs_costs_sales_a_503_and_nothing_else_anything() {
    let (mut app, shop, desk) = given().await;
    let (tills, done) = (Tills::default(), AtomicBool::new(false));
    let today = chrono::Utc::now().date_naive();
    let report = format!("/api/sales/reports/revenue?from={today}&to={today}&group_by=store");
    let one_product = format!("/api/inventory/products/{}", shop.products[1]);
    let sign_in = json!({"email": ADMIN, "password": PASSWORD});
    let undisturbed = [
        (Method::POST, "/api/auth/login", Some(sign_in)),
        (Method::GET, "/api/auth/me", None),
        (Method::GET, "/api/users", None),
        (Method::GET, "/api/inventory/products", None),
        (Method::GET, &one_product, None),
        (Method::GET, "/api/sales", None),
        (Method::GET, "/api/returns", None),
        (Method::GET, &report, None),
    ];
    let store = app.service(Module::Store).pid();
    let hang = Mutex::new((Instant::now(), Instant::now()));
    let hanging = async {
        tills.sell_more(50).await;
        let from = Instant::now();
        signal(store, "-STOP");
        tokio::time::sleep(HANGS_FOR).await;
        signal(store, "-CONT");
        *hang.lock().unwrap() = (from, Instant::now());
        tills.sell_more(50).await;
        done.store(true, Ordering::Relaxed);
    };
    let names: Vec<_> = undisturbed
        .iter()
        .map(|(m, p, _)| format!("{m} {p}"))
        .collect();
    let probing = join_all(undisturbed.map(|request| probe(&app, request, &done)));
    let (_, probes, ()) = futures::join!(tills.sell(&desk, &shop, &done), probing, hanging);

    let (from, to) = *hang.lock().unwrap();
    assert_sales_were_refused(&tills, from, to);
    for (name, probes) in names.iter().zip(probes) {
        assert_undisturbed(name, &probes, from, to);
    }
    assert_nothing_lost_doubled_or_oversold(&app, &tills, &desk).await;
}

fn assert_sales_were_refused(tills: &Tills, from: Instant, to: Instant) {
    let attempts = tills.attempts.lock().unwrap();
    let during: Vec<_> = attempts
        .iter()
        .filter(|a| a.began > from && a.began + a.took < to)
        .collect();
    assert!(during.len() >= 16, "{} sales were tried", during.len());
    for attempt in &during {
        let refusal = Some((503, Some("unavailable".to_owned())));
        assert_eq!(attempt.answer, refusal);
        assert!(attempt.took < REFUSAL, "{:?}", attempt.took);
    }
    let longest = during.iter().map(|a| a.took).max();
    println!(
        "{} sales refused, at the latest after {longest:?}",
        during.len()
    );
}

fn assert_undisturbed(name: &str, probes: &[Probe], from: Instant, to: Instant) {
    let mut times: Vec<Duration> = Vec::new();
    for probe in probes {
        assert_eq!(probe.status, 200, "{name}");
        if probe.began > from && probe.began < to {
            times.push(probe.took);
        }
    }
    times.sort_unstable();
    let (middle, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{name}: {} answers, {middle:?}, at most {longest:?}",
        times.len()
    );
    assert!(times.len() >= 30, "{name}: {} answers in 10 s", times.len());
    assert!(longest < UNDISTURBED, "{name}: {longest:?}");
}
