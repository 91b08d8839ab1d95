//! Every path of the product with its methods, so that a wrong method is a 405 and not a 404.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, dev::ResourceDef, web};

use crate::problem::Problem;

/// One path template and the methods it has.
#[derive(Debug)]
struct Route {
    path: ResourceDef,
    is_literal: bool,
    methods: Vec<String>,
}

/// The paths of the modules that run here.
#[derive(Debug, Clone, Default)]
pub struct RouteTable(Arc<Vec<Route>>);

impl RouteTable {
    /// From path templates such as `/api/sales/{id}`, each with its methods in capitals.
    pub fn new(routes: Vec<(String, Vec<String>)>) -> Self {
        let build = |(path, methods): (String, _)| Route {
            is_literal: !path.contains('{'),
            path: ResourceDef::new(path),
            methods,
        };
        Self(Arc::new(routes.into_iter().map(build).collect()))
    }

    /// The methods of this path; empty where there is no such path. A literal path goes before a
    /// template that would match it as well: `health` is no id.
    pub fn allowed(&self, path: &str) -> Vec<&str> {
        let matching = || self.0.iter().filter(|route| route.path.is_match(path));
        let literal = matching().any(|route| route.is_literal);
        matching()
            .filter(|route| route.is_literal || !literal)
            .flat_map(|route| route.methods.iter().map(String::as_str))
            .collect()
    }

    /// The template that this path is of.
    pub(crate) fn template(&self, path: &str) -> Option<&str> {
        let matching = || self.0.iter().filter(|route| route.path.is_match(path));
        let literal = matching().find(|route| route.is_literal);
        literal.or_else(|| matching().next())?.path.pattern()
    }

    /// What to say to a request that reached a template with a segment that cannot be its
    /// parameter: 405 if the path exists with other methods, otherwise nothing.
    pub fn misdirected(&self, request: &HttpRequest) -> Option<Problem> {
        let allowed = self.allowed(request.path());
        let wrong = !allowed.is_empty() && !allowed.contains(&request.method().as_str());
        wrong.then(|| Problem::no_method(&allowed))
    }
}

/// The default service: 405 with `Allow` where the path exists, 404 otherwise.
pub async fn fallback(request: HttpRequest, table: web::Data<RouteTable>) -> HttpResponse {
    let allowed = table.allowed(request.path());
    if allowed.is_empty() {
        Problem::no_route()
    } else {
        Problem::no_method(&allowed)
    }
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_path_goes_before_a_template() {
        let routes = [
            ("/s/{id}", vec!["GET", "PATCH"]),
            ("/s/health", vec!["GET"]),
            ("/s", vec!["POST"]),
        ];
        let owned = |methods: Vec<&str>| methods.into_iter().map(str::to_owned).collect();
        let table = RouteTable::new(
            routes
                .map(|(path, methods)| (path.to_owned(), owned(methods)))
                .to_vec(),
        );
        assert_eq!(table.allowed("/s/health"), ["GET"]);
        assert_eq!(table.allowed("/s/7"), ["GET", "PATCH"]);
        assert_eq!(table.allowed("/s"), ["POST"]);
        assert!(table.allowed("/x").is_empty());
        assert_eq!(table.template("/s/health"), Some("/s/health"));
        assert_eq!(table.template("/s/7"), Some("/s/{id}"));
        assert_eq!(table.template("/x"), None);
    }
}
