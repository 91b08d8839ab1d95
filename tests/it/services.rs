//! The real binary with some of its modules, built once per test run, and processes of it.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use comptoir::process::Module;
use serde_json::Value;

/// `auth`, or `auth,sales`: the modules as Cargo and the settings name them.
pub fn names(modules: &[Module]) -> String {
    let names: Vec<_> = modules.iter().map(|module| module.name()).collect();
    names.join(",")
}

/// The binary with these modules and no other. Whoever asks first builds it, the others wait.
pub fn binary(modules: &[Module]) -> PathBuf {
    if modules.len() == Module::ALL.len() {
        return env!("CARGO_BIN_EXE_comptoir").into();
    }
    static BUILT: LazyLock<Mutex<BTreeMap<String, Result<PathBuf, String>>>> =
        LazyLock::new(Mutex::default);
    let features = names(modules);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let binary = built
        .entry(features.clone())
        .or_insert_with(|| build(&features));
    binary.clone().unwrap_or_else(|why| panic!("{why}"))
}

/// Builds beside this very test run: its compiled dependencies are used again, its profile too,
/// and only the finished binary goes into a folder of its own, so that the one with all modules
/// stays what it is.
fn build(features: &str) -> Result<PathBuf, String> {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let profile = Path::new(env!("CARGO_BIN_EXE_comptoir")).parent();
    let profile = profile.and_then(Path::file_name).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_BUILD_BUILD_DIR", own.parent().unwrap())
        .args(["build", "--package", "comptoir", "--bin", "comptoir"])
        // Everything it needs is part of what this test was built from.
        .args(["--locked", "--offline"])
        .args(["--no-default-features", "--features", features])
        .arg("--profile")
        .arg(if profile == "debug" {
            "dev".as_ref()
        } else {
            profile
        })
        .arg("--target-dir")
        .arg(own.join("split").join(features.replace(',', "-")))
        .arg("--message-format=json-render-diagnostics")
        .output()
        .map_err(|e| format!("cargo: {e}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the build with {features} alone failed:\n{errors}"));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| format!("the build with {features} made no binary:\n{errors}"))
}

/// A process of the product, killed when it is dropped; what it said is shown when the test fails.
pub struct Service {
    pub modules: Vec<Module>,
    pub base: String,
    binary: PathBuf,
    environment: Vec<(String, String)>,
    log: PathBuf,
    child: Child,
}

impl Service {
    /// Starts it with nothing but `environment` for settings. `ready` waits until it answers.
    pub fn start(modules: &[Module], environment: Vec<(String, String)>, base: String) -> Self {
        let folder = testkit::scratch(&names(modules).replace(',', "-"));
        let (binary, log) = (binary(modules), folder.join("service.out"));
        let child = spawn(&binary, &environment, &log);
        Self {
            modules: modules.to_vec(),
            base,
            binary,
            environment,
            log,
            child,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it has printed since its first start.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGKILL: it gets no chance to tidy up.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// A setting for its next start.
    pub fn tell(&mut self, variable: &str, value: &str) {
        self.environment.push((variable.into(), value.into()));
    }

    /// The same again, at the same address.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.binary, &self.environment, &self.log);
    }

    /// Waits until it says that requests should be sent to it. Fails after 60 s, or when it ended.
    pub async fn ready(&mut self, http: &reqwest::Client) {
        let (name, deadline) = (
            names(&self.modules),
            Instant::now() + Duration::from_secs(60),
        );
        while !self.is_ready(http).await {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{name} ended: {ended:?}");
            assert!(Instant::now() < deadline, "{name} is not ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn is_ready(&self, http: &reqwest::Client) -> bool {
        let request = http.get(format!("{}/health/ready", self.base));
        request.send().await.is_ok_and(|r| r.status().is_success())
    }
}

fn spawn(binary: &Path, environment: &[(String, String)], log: &Path) -> Child {
    let log_file = OpenOptions::new().create(true).append(true).open(log);
    let log_file = log_file.unwrap();
    let mut command = testkit::tied_command(binary);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("COMPTOIR") || text.ends_with("DATABASE_URL") {
            command.env_remove(name);
        }
    }
    command
        // Where no configuration file lies about.
        .current_dir(log.parent().unwrap())
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log_file.try_clone().unwrap())
        .stderr(log_file)
        .spawn()
        .unwrap()
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have been killed and waited for by the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{} said:\n{}", names(&self.modules), self.said());
        }
        if let Some(folder) = self.log.parent() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

#[test]
fn a_build_that_fails_says_why() {
    let said = build("no-such-module").unwrap_err();
    assert!(said.contains("does not contain this feature"), "{said}");
}
