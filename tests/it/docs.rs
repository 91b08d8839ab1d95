//! The documentation tells the truth: the tours work as printed, the settings are all there, and
//! no link leads nowhere.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use comptoir::{config::SETTINGS, openapi::DOCUMENTS};
use serde_json::{Value, json};

use crate::{crash::signal, openapi::operations};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The pages with commands to follow, in the order in which they are followed here.
const TOURS: [&str; 2] = ["README.md", "docs/a-day.md"];

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

#[test]
fn the_table_of_settings_is_current() {
    let mut table = String::from("| setting | default | meaning |\n| --- | --- | --- |\n");
    for (name, default, meaning) in SETTINGS {
        let default = if default.is_empty() {
            String::new()
        } else {
            format!("`{default}`")
        };
        writeln!(table, "| `{name}` | {default} | {meaning} |").unwrap();
    }
    let (start, end) = ("<!-- settings -->\n", "<!-- /settings -->");
    let text = page("README.md");
    let (before, rest) = text.split_once(start).expect("the mark");
    let (found, after) = rest.split_once(end).expect("the closing mark");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(
            Path::new(ROOT).join("README.md"),
            format!("{before}{start}{table}{end}{after}"),
        )
        .unwrap();
    } else {
        assert!(
            found == table,
            "run `UPDATE=1 cargo test --test it settings`, then review the diff"
        );
    }
}

#[test]
fn no_link_leads_nowhere() {
    for page in pages(Path::new(ROOT)) {
        let text = fs::read_to_string(&page).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = link.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(
                page.parent().unwrap().join(target).exists(),
                "{}: {link}",
                page.display()
            );
        }
    }
}

fn pages(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (
            entry.path(),
            entry.file_name().to_string_lossy().into_owned(),
        );
        if path.is_dir() && !name.starts_with('.') && !name.starts_with("target") && name != "data"
        {
            pages.extend(self::pages(&path));
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
    pages
}

/// The commands of the tour, and what they are said to print.
fn tour(text: &str) -> Vec<(String, Vec<String>)> {
    let mut steps = Vec::new();
    for part in text.split("```sh tour\n").skip(1) {
        let (commands, rest) = part.split_once("\n```").unwrap();
        let expected = rest
            .split_once("```text\n")
            .unwrap()
            .1
            .split_once("\n```")
            .unwrap()
            .0;
        steps.push((
            commands.to_owned(),
            expected.lines().map(str::to_owned).collect(),
        ));
    }
    steps
}

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // SIGTERM, so that the embedded server is stopped in order.
        if matches!(self.0.try_wait(), Ok(None)) {
            signal(self.0.id(), "-TERM");
        }
        let _ = self.0.wait();
    }
}

/// The first command of the README: what a newcomer starts.
fn start(data: &Path) -> (Demo, String) {
    let port = testkit::free_port();
    let log = data.join("out.log");
    let out = fs::File::create(&log).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_comptoir"))
        .current_dir(data)
        .env("COMPTOIR__EMBEDDED__DATA_DIR", data)
        .env("COMPTOIR__HTTP__PORT", port.to_string())
        .env("COMPTOIR__LOG__FILTER", "warn")
        .env_remove("DATABASE_URL")
        .stdout(Stdio::from(out.try_clone().unwrap()))
        .stderr(Stdio::from(out))
        .spawn()
        .unwrap();
    let mut demo = Demo(child);
    let deadline = Instant::now() + Duration::from_secs(180);
    // The banner comes when the demo chain is loaded.
    while !fs::read_to_string(&log).unwrap().contains("Log in as") {
        assert!(
            demo.0.try_wait().unwrap().is_none(),
            "{}",
            fs::read_to_string(&log).unwrap()
        );
        assert!(
            Instant::now() < deadline,
            "{}",
            fs::read_to_string(&log).unwrap()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    (demo, format!("http://127.0.0.1:{port}"))
}

/// Does what a page says, and compares what that prints.
fn follow(name: &str, base: &str) {
    let steps = tour(&page(name));
    assert!(steps.len() >= 5, "{name}");
    let mut script = String::from("set -eu\n");
    for (number, (commands, _)) in steps.iter().enumerate() {
        writeln!(script, "echo '--- {number}'\n{commands}").unwrap();
    }
    let mut shell = Command::new("bash")
        .env("BASE", base)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    shell
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = shell.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {said}\n{errors}");
    for (number, (commands, expected)) in steps.iter().enumerate() {
        let part = said
            .split(&format!("--- {number}\n"))
            .nth(1)
            .unwrap()
            .split("--- ")
            .next()
            .unwrap();
        for line in expected {
            assert!(
                part.contains(line.as_str()),
                "{name}: {commands}\nprinted\n{part}\nand not\n{line}"
            );
        }
    }
}

#[actix_web::test]
async fn the_tours_and_every_example_work_on_the_demo_data() {
    let data = testkit::scratch("tour");
    let (demo, base) = start(&data);
    for name in TOURS {
        follow(name, &base);
    }
    let (tried, failing) = try_examples(&base).await;
    assert!(failing.is_empty(), "{}", failing.join("\n"));
    assert!(tried > 50, "only {tried} examples");
    drop(demo);
    // What is left behind is removed by the next run.
    let _ = fs::remove_dir_all(&data);
}

/// Operations whose example would end the session it is made with.
const ENDS_THE_SESSION: [&str; 4] = [
    "/api/auth/logout",
    "/api/auth/logout-all",
    "/api/auth/password",
    "/api/auth/refresh",
];

/// Every example of the document, sent as it stands; answers how many there are, and what did not
/// work.
async fn try_examples(base: &str) -> (usize, Vec<String>) {
    let http = reqwest::Client::new();
    let login = json!({"email": "admin@demo.comptoir.test", "password": "shelf-candle-42-river"});
    let tokens: Value = http
        .post(format!("{base}/api/auth/login"))
        .json(&login)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = tokens["access_token"]
        .as_str()
        .expect("the demo's admin signs in");
    let document: Value = serde_json::from_str(DOCUMENTS[0].2).unwrap();
    let mut operations = operations(&document);
    // What takes things away comes last, so that the other examples still find them.
    let rank = |(method, path, _): &(String, String, Value)| match method.as_str() {
        "GET" => 0,
        "POST" if !["archive", "void"].iter().any(|end| path.ends_with(end)) => 1,
        "PATCH" => 2,
        _ => 3,
    };
    operations.sort_by_key(rank);
    let (mut tried, mut failing) = (0, Vec::new());
    for (method, path, operation) in operations {
        let body = operation["requestBody"]["content"]["application/json"].get("example");
        if ENDS_THE_SESSION.contains(&path.as_str()) {
            continue;
        }
        let Some(url) = with_examples(&path, &operation) else {
            continue;
        };
        let mut request = http
            .request(method.parse().unwrap(), format!("{base}{url}"))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        if operation["requestBody"]["content"]
            .get("text/csv")
            .is_some()
        {
            continue;
        }
        tried += 1;
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        // 409: another example has used or archived it already.
        if !(200..300).contains(&status) && status != 409 {
            failing.push(format!(
                "{method} {url}: {status} {}",
                reply.text().await.unwrap()
            ));
        }
    }
    (tried, failing)
}

/// The path with the document's example parameters; `None` where a required one has no example.
fn with_examples(path: &str, operation: &Value) -> Option<String> {
    let (mut url, mut query) = (path.to_owned(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let example = parameter["example"].as_str();
        match (parameter["in"].as_str().unwrap(), example) {
            ("path", Some(example)) => url = url.replace(&format!("{{{name}}}"), example),
            ("query", Some(example)) => query.push(format!("{name}={example}")),
            ("path", None) => return None,
            _ if parameter["required"] == true => return None,
            _ => {}
        }
    }
    Some(if query.is_empty() {
        url
    } else {
        format!("{url}?{}", query.join("&"))
    })
}
