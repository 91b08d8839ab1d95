use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, rt, web};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::*;
use crate::{call::SYSTEM, metrics::CLASSIC};

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("no")]
struct No;

/// Answers the statuses of `script` one after the other, then 200 for ever.
struct Callee {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    server: ServerHandle,
}

impl Callee {
    fn start(listener: TcpListener, script: &'static [u16]) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let (address, counter) = (listener.local_addr().unwrap(), asked.clone());
        let server = HttpServer::new(move || {
            let counter = counter.clone();
            let answer = move || {
                let nth = counter.fetch_add(1, Ordering::SeqCst);
                let status = script.get(nth).copied().unwrap_or(200);
                let body: serde_json::Value = if status == 409 {
                    serde_json::to_value(No).unwrap()
                } else {
                    "yes".into()
                };
                std::future::ready(HttpResponse::build(status.try_into().unwrap()).json(body))
            };
            App::new().default_service(web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        rt::spawn(server);
        Self {
            address,
            asked,
            server: handle,
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn remote(address: SocketAddr) -> Remote {
    counted(address, &Metrics::default())
}

fn counted(address: SocketAddr, metrics: &Metrics) -> Remote {
    let base = format!("http://{address}").parse().unwrap();
    let tokens = ServiceTokens::new(&"a-secret-of-at-least-thirty-two-bytes".to_owned().into());
    let time = Duration::from_secs(5);
    let peer = Peer::new("callee", base, time, tokens, metrics).unwrap();
    Remote::new("port", peer)
}

async fn call(remote: &Remote) -> Result<String, CallError<No>> {
    remote.call("method", &Cx::system(), &()).await
}

async fn ask(remote: &Remote) -> Result<String, NoAnswer> {
    remote.ask("method", &Cx::system(), &()).await
}

/// A port where nobody listens: freed just now.
fn nobody() -> SocketAddr {
    listener().local_addr().unwrap()
}

#[actix_web::test]
async fn what_may_be_repeated_is_asked_again_and_nothing_else() {
    let callee = Callee::start(listener(), &[503, 503]);
    assert_eq!(ask(&remote(callee.address)).await.unwrap(), "yes");
    assert_eq!(callee.asked(), 3);

    let callee = Callee::start(listener(), &[503]);
    let answer = call(&remote(callee.address)).await;
    assert!(matches!(answer, Err(CallError::NoAnswer(_))), "{answer:?}");
    assert_eq!(callee.asked(), 1, "it may have had its effect");
}

#[actix_web::test]
async fn the_number_of_tries_is_bounded() {
    let callee = Callee::start(listener(), &[503; 9]);
    let answer = ask(&remote(callee.address)).await;
    assert!(answer.unwrap_err().reason.contains("503"));
    assert_eq!(callee.asked(), 3);
}

#[actix_web::test]
async fn a_call_that_never_left_is_tried_again() {
    let address = nobody();
    let remote = remote(address);
    let answer = call(&remote).await;
    assert!(matches!(answer, Err(CallError::NoAnswer(_))), "{answer:?}");
    // The callee comes up while we try: within the pauses or at one of the next calls.
    let callee = Callee::start(TcpListener::bind(address).unwrap(), &[]);
    assert_eq!(call(&remote).await.unwrap(), "yes");
    assert_eq!(callee.asked(), 1);
}

#[actix_web::test]
async fn a_refusal_is_an_answer_and_never_opens_the_circuit() {
    let callee = Callee::start(listener(), &[409; 40]);
    let remote = remote(callee.address);
    for _ in 0..40 {
        assert!(matches!(call(&remote).await, Err(CallError::Refused(No))));
    }
    assert_eq!(call(&remote).await.unwrap(), "yes");
}

#[actix_web::test]
async fn a_peer_that_is_away_is_left_alone_and_found_again() {
    let address = nobody();
    let metrics = Metrics::default();
    let remote = counted(address, &metrics);
    let says = |series: &str| metrics.text(CLASSIC).contains(series);
    let shown = |open: u8| {
        says(&format!(
            "comptoir_peer_circuit_open{{peer=\"callee\"}} {open}.0"
        ))
    };
    assert!(shown(0));
    let gone = |answer: &Result<String, CallError<No>>| match answer {
        Err(CallError::NoAnswer(error)) => error.reason.contains("has not answered lately"),
        other => panic!("{other:?}"),
    };
    let mut calls = 0;
    while !gone(&call(&remote).await) {
        calls += 1;
        assert!(calls <= OPENS_AFTER, "the circuit never opened");
    }
    assert!(shown(1));
    let turned_away = "comptoir_peer_tries_total{peer=\"callee\",outcome=\"open\"} 1\n";
    assert!(says(turned_away));
    // Open: nothing is sent, even though the peer is there again.
    let callee = Callee::start(TcpListener::bind(address).unwrap(), &[]);
    assert!(gone(&call(&remote).await));
    assert_eq!(callee.asked(), 0);
    let deadline = Instant::now() + Duration::from_secs(20);
    while call(&remote).await.is_err() {
        assert!(Instant::now() < deadline, "the circuit never closed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(shown(0));
    assert_eq!(ask(&remote).await.unwrap(), "yes");
    callee.server.stop(false).await;
}

#[actix_web::test]
async fn every_try_has_its_outcome() {
    let metrics = Metrics::default();
    let tries = || {
        let text = metrics.text(CLASSIC);
        ["answered", "unsent", "lost"].map(|outcome| {
            let name =
                format!("comptoir_peer_tries_total{{peer=\"callee\",outcome=\"{outcome}\"}} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&name));
            line.unwrap().parse::<u32>().unwrap()
        })
    };
    let away = counted(nobody(), &metrics);
    assert_eq!(tries(), [0, 0, 0]);
    assert!(call(&away).await.is_err());
    assert_eq!(tries(), [0, 3, 0], "nothing left, so it was tried again");
    let callee = Callee::start(listener(), &[503, 409]);
    let there = counted(callee.address, &metrics);
    assert!(call(&there).await.is_err());
    assert_eq!(tries(), [0, 3, 1]);
    assert!(matches!(call(&there).await, Err(CallError::Refused(No))));
    assert_eq!(tries(), [1, 3, 1], "a refusal is an answer");
}

#[actix_web::test]
async fn the_callers_deadline_ends_a_call_that_hangs() {
    // It listens and never accepts: the request is sent, no answer comes.
    let silent = listener();
    let remote = remote(silent.local_addr().unwrap());
    let cx = Cx {
        actor: SYSTEM,
        deadline: Instant::now() + Duration::from_millis(100),
        trace_id: String::new(),
    };
    let answer: Result<String, CallError<No>> = remote.call("method", &cx, &()).await;
    assert!(matches!(answer, Err(CallError::NoAnswer(_))), "{answer:?}");
    assert!(Instant::now() >= cx.deadline, "it waited for its deadline");
    let late = remote.ask::<_, String>("method", &cx, &()).await;
    assert!(late.is_err(), "no time is left for another call");
}
