//! A real NATS server with JetStream for one test, as `deploy/nats.conf` sets it up.

use std::{
    fs::{File, OpenOptions},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// Runs from `start` until it is killed or dropped; what it stored outlives it.
pub struct Nats {
    data: PathBuf,
    port: u16,
    monitor: u16,
    child: Option<Child>,
}

impl Nats {
    /// A server that is still to be started.
    pub fn prepare() -> Self {
        Self {
            data: testkit::scratch("nats"),
            port: testkit::free_port(),
            monitor: testkit::free_port(),
            child: None,
        }
    }

    pub async fn running() -> Self {
        let mut nats = Self::prepare();
        nats.start().await;
        nats
    }

    /// With the login in it, as the setting has it.
    pub fn url(&self) -> String {
        format!("nats://comptoir:only%2Ffor%2Ftests@127.0.0.1:{}", self.port)
    }

    pub async fn start(&mut self) {
        let program = std::env::var("NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
        let log = self.log();
        let child = Command::new(&program)
            .args([
                "-c",
                concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/nats.conf"),
            ])
            .args(["--user", "comptoir", "--pass", "only/for/tests"])
            .args(["--addr", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--http_port", &self.monitor.to_string(), "--store_dir"])
            .arg(&self.data)
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn();
        self.child = Some(child.unwrap_or_else(|e| panic!("{program}: {e}; see NATS_SERVER")));
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.ask("healthz").await.is_none() {
            let said = std::fs::read_to_string(self.data.join("log")).unwrap();
            let running = self.child.as_mut().unwrap().try_wait().unwrap().is_none();
            assert!(running && Instant::now() < deadline, "no NATS: {said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn log(&self) -> File {
        let path = self.data.join("log");
        let mut options = OpenOptions::new();
        options.create(true).append(true).open(path).unwrap()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// What the monitoring port says, once it does.
    async fn ask(&self, path: &str) -> Option<Value> {
        let url = format!("http://127.0.0.1:{}/{path}", self.monitor);
        let reply = reqwest::get(url).await.ok()?;
        reply.error_for_status().ok()?.json().await.ok()
    }

    async fn stream(&self) -> Value {
        let path = "jsz?streams=true&consumers=true&config=true";
        let found = self.ask(path).await.expect("NATS answers");
        found["account_details"][0]["stream_detail"][0].clone()
    }

    /// Events that no consumer has acknowledged yet.
    pub async fn waiting(&self) -> u64 {
        self.stream().await["state"]["messages"]
            .as_u64()
            .unwrap_or(0)
    }

    /// Events that were ever stored.
    pub async fn stored(&self) -> u64 {
        self.stream().await["state"]["last_seq"]
            .as_u64()
            .unwrap_or(0)
    }

    /// A number that the server tells of a consumer, for example `/delivered/consumer_seq`: how
    /// often any event was handed out to it.
    pub async fn of_consumer(&self, name: &str, pointer: &str) -> u64 {
        let stream = self.stream().await;
        let consumers = stream["consumer_detail"].as_array().expect("consumers");
        let found = consumers.iter().find(|c| c["name"] == name);
        let consumer = found.unwrap_or_else(|| panic!("no {name} in {stream}"));
        consumer.pointer(pointer).and_then(Value::as_u64).unwrap()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
        // The next run removes what cannot be removed now.
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
