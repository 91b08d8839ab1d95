//! The command line, as a script sees it: what it prints, and its exit code.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use comptoir::process::Module;
use futures::future::join_all;

use crate::{
    crash::{Server, signal},
    services::binary,
};

fn comptoir(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command
        .args(arguments)
        .current_dir(testkit::scratch("cli"))
        .env_remove("DATABASE_URL");
    command.envs(environment.iter().copied()).output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_settings_are_reported_all_at_once() {
    let output = comptoir(
        &["serve"],
        &[
            ("COMPTOIR__HTTP__PORT", "99999"),
            ("COMPTOIR__NO__SUCH", "1"),
            ("COMPTOIR__AUTH__BCRYPT_COST", "4"),
            ("DATABASE_URL", "mysql://x"),
        ],
    );
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for name in ["http.port", "no.such", "auth.bcrypt_cost", "database.url"] {
        assert!(said.contains(&format!("\n  {name}")), "{name}: {said}");
    }
}

#[test]
fn a_server_that_may_forget_what_it_acknowledged_is_refused() {
    // The tests' own cluster runs without fsync.
    let url = testkit::cluster().url("postgres");
    let output = comptoir(&["check"], &[("DATABASE_URL", url.as_str())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("fsync = off"),
        "{}",
        errors(&output)
    );
}

#[test]
fn the_committed_documents_pass_the_check_and_old_ones_do_not() {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi");
    assert!(
        comptoir(&["openapi", "--check", "--dir", here], &[])
            .status
            .success()
    );
    let empty = testkit::scratch("openapi");
    let output = comptoir(
        &["openapi", "--check", "--dir", empty.to_str().unwrap()],
        &[],
    );
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
}

#[actix_web::test]
async fn health_says_whether_the_server_is_there() {
    let data = testkit::scratch("health");
    let mut server = Server::start(&data).await;
    let port = server.base.rsplit_once(':').unwrap().1.to_owned();
    let health = |bind| {
        let of = [
            ("COMPTOIR__HTTP__PORT", port.as_str()),
            ("COMPTOIR__HTTP__BIND", bind),
        ];
        comptoir(&["health"], &of)
    };
    for bind in ["127.0.0.1", "0.0.0.0"] {
        let output = health(bind);
        assert!(output.status.success(), "{bind}: {}", errors(&output));
    }
    signal(server.child.id(), "-TERM");
    server.child.wait().unwrap();
    let output = health("127.0.0.1");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        errors(&output).contains("/health/live"),
        "{}",
        errors(&output)
    );
    let _ = fs::remove_dir_all(&data);
}

fn keys(folder: &Path, names: &[&str]) -> Output {
    let output = comptoir(&[&["keys", folder.to_str().unwrap()], names].concat(), &[]);
    assert!(output.status.success(), "{}", errors(&output));
    output
}

#[test]
fn keys_makes_what_is_missing_and_changes_nothing() {
    let folder = testkit::scratch("keys").join("new");
    keys(&folder, &["pepper", "database-password"]);
    let names = |folder| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(
        names(&folder),
        ["database-password", "pepper"].map(String::from).into()
    );
    let pepper = fs::read_to_string(folder.join("pepper")).unwrap();
    assert_eq!(pepper.len(), 64);
    keys(&folder, &[]);
    let all = [
        "database-password",
        "internal-secret",
        "pepper",
        "signing-key.pem",
    ];
    assert_eq!(names(&folder), all.map(String::from).into());
    assert_eq!(fs::read_to_string(folder.join("pepper")).unwrap(), pepper);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in all {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    let output = comptoir(&["keys", folder.to_str().unwrap(), "peper"], &[]);
    assert_eq!(output.status.code(), Some(2), "{}", errors(&output));
}

#[test]
fn a_service_without_auth_makes_all_but_the_signing_key() {
    let folder = testkit::scratch("keys");
    let run = |names: &[&str]| {
        let mut command = Command::new(binary(&[Module::Sales]));
        let command = command.arg("keys").arg(&folder).args(names);
        command.output().unwrap()
    };
    let refused = run(&[]);
    assert_eq!(refused.status.code(), Some(1));
    let reason = "signing-key.pem cannot be made: this binary has no auth module";
    assert!(errors(&refused).contains(reason), "{}", errors(&refused));
    assert!(run(&["internal-secret"]).status.success());
    keys(&folder, &[]);
    assert!(run(&[]).status.success(), "all are there");
}

#[test]
fn of_many_that_make_keys_at_once_each_has_the_same() {
    let folder = testkit::scratch("keys");
    let said: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| keys(&folder, &[]).stdout))
            .collect();
        runs.into_iter()
            .map(|run| String::from_utf8(run.join().unwrap()).unwrap())
            .collect()
    });
    for name in [
        "database-password",
        "internal-secret",
        "pepper",
        "signing-key.pem",
    ] {
        let made = format!("made  {}\n", folder.join(name).display());
        let makers = said.iter().filter(|said| said.contains(&made)).count();
        assert_eq!(makers, 1, "{name} was made {makers} times");
    }
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        4,
        "nothing else is left there"
    );
}

#[actix_web::test]
async fn sigterm_and_ctrl_c_stop_everything_cleanly() {
    for name in ["-TERM", "-INT"] {
        let data = testkit::scratch("stop");
        let mut server = Server::start(&data).await;
        assert!(data.join("cluster/postmaster.pid").exists());
        signal(server.child.id(), name);
        let status = server.child.wait().unwrap();
        assert!(status.success(), "{name}: {status}");
        assert!(
            !data.join("cluster/postmaster.pid").exists(),
            "{name} left the database running"
        );
        let _ = std::fs::remove_dir_all(&data);
    }
}

#[actix_web::test]
async fn processes_that_start_at_once_on_an_empty_folder_share_it() {
    let data = testkit::scratch("first");
    join_all((0..3).map(|_| Server::start(&data))).await;
    let _ = std::fs::remove_dir_all(&data);
}

#[actix_web::test]
async fn a_signal_while_the_demo_is_loading_is_heard() {
    let data = testkit::scratch("early");
    let mut server = Server::start_with(&data, true).await;
    signal(server.child.id(), "-INT");
    let deadline = Instant::now() + Duration::from_secs(30);
    let status = loop {
        if let Some(status) = server.child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "the signal was not heard");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(status.success(), "{status}");
    let said = std::fs::read_to_string(data.join("server.out")).unwrap();
    assert!(
        !said.contains("Log in as"),
        "the demo was loaded before the signal: {said}"
    );
    let _ = std::fs::remove_dir_all(&data);
}
