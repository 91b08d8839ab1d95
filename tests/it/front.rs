//! One address for a product of several services: sends each request to the module it belongs to.
//! Just enough of a gateway for a client that knows one address only.

use std::net::TcpListener;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use comptoir::process::Module;

use crate::app::TestApp;

/// Every service's address, behind one that lives as long as the test's runtime.
pub fn open(app: &TestApp) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let routes = Module::ALL.map(|module| (module, app.base(module).to_owned()));
    let state = web::Data::new((app.http.clone(), routes));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(web::PayloadConfig::new(64 * 1024 * 1024))
            .default_service(web::to(forward))
    });
    let server = server.workers(1).disable_signals().listen(listener);
    actix_web::rt::spawn(server.unwrap().run());
    address
}

async fn forward(
    request: HttpRequest,
    body: web::Bytes,
    state: web::Data<(reqwest::Client, [(Module, String); 4])>,
) -> HttpResponse {
    let (http, routes) = &**state;
    let owns = |module: &Module| {
        module
            .prefixes()
            .iter()
            .any(|p| request.path().starts_with(p))
    };
    let Some((_, base)) = routes.iter().find(|(module, _)| owns(module)) else {
        return HttpResponse::NotFound().finish();
    };
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    let mut onward = http.request(method, format!("{base}{}", request.uri()));
    for (name, value) in request.headers() {
        // What concerns one connection only stays there.
        if !["host", "connection", "content-length"].contains(&name.as_str()) {
            onward = onward.header(name.as_str(), value.as_bytes());
        }
    }
    let answer = onward.body(body).send().await.unwrap();
    let status = actix_web::http::StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers() {
        if !["connection", "content-length", "transfer-encoding"].contains(&name.as_str()) {
            response.append_header((name.as_str(), value.as_bytes()));
        }
    }
    response.body(answer.bytes().await.unwrap())
}
