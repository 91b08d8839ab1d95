//! One service on its own: what it says at its start, and how it does without the others.

use comptoir::process::Module;

use crate::{
    app::{Options, Topology},
    books::soon,
    topology::Site,
};

#[actix_web::test]
async fn a_service_says_what_runs_here_and_waits_for_auth_by_itself() {
    let http = reqwest::Client::new();
    let site = Site::new(Topology::Split, Options::default());
    let mut sales = site.service(Module::Sales);
    soon("it says that it listens", || {
        sales.said().contains("Stop with")
    })
    .await;
    let said = sales.said();
    let line = |start: &str| {
        let mut lines = said.lines().map(str::trim);
        lines
            .find(|line| line.starts_with(start))
            .unwrap_or_else(|| panic!("{said}"))
    };
    assert_eq!(
        line("Comptoir listens on"),
        format!("Comptoir listens on   {}", sales.base)
    );
    assert_eq!(line("Modules here"), "Modules here          sales");
    let elsewhere = [Module::Auth, Module::Store, Module::Inventory]
        .map(|module| format!("{module} at {}/", site.internal(module)))
        .join(", ");
    assert_eq!(
        line("Modules elsewhere"),
        format!("Modules elsewhere     {elsewhere}")
    );

    // It lives, but cannot tell whom to believe.
    let live = http.get(format!("{}/health/live", sales.base)).send().await;
    assert_eq!(live.unwrap().status(), 200);
    assert!(!sales.is_ready(&http).await);
    let mut auth = site.service(Module::Auth);
    auth.ready(&http).await;
    sales.ready(&http).await;
    // Once learnt, trust outlives auth.
    auth.kill();
    assert!(sales.is_ready(&http).await);
}
