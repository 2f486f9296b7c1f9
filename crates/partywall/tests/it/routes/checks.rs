//! What is wrong with routes is found before anything is served.

use partywall::web::{Endpoint, Parameter, Routes, RoutesError};

use super::{
    models::{project, remark, task},
    project::{App, permissions, routes},
};

fn add(endpoint: Endpoint<App>) -> Result<(), RoutesError> {
    routes().route(endpoint).check(&permissions())
}

fn get(path: &str) -> Endpoint<App> {
    Endpoint::get(path, async || "")
}

#[test]
fn good_routes_are_good() {
    routes().check(&permissions()).unwrap();
    add(get("/tenants/{tenant}/others").require("project.read")).unwrap();
    add(Endpoint::post("/me", async || "").signed_in()).unwrap();
}

#[test]
fn i56_a_route_without_a_policy_does_not_start() {
    let refused = add(get("/tenants/{tenant}/others")).unwrap_err();
    assert!(
        matches!(&refused, RoutesError::NoPolicy { .. }),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("GET /tenants/{tenant}/others"),
        "{refused}"
    );
}

#[test]
fn a_policy_that_does_not_fit_its_path_is_refused() {
    let others = "/tenants/{tenant}/others";
    let refused = add(get(others).signed_in()).unwrap_err();
    assert!(
        matches!(refused, RoutesError::TenantUnchecked { .. }),
        "{refused}"
    );
    let refused = add(get("/others").require("project.read")).unwrap_err();
    assert!(matches!(refused, RoutesError::NoTenant { .. }), "{refused}");
    add(get("/others").require("project.read").of_current_account()).unwrap();
    let refused = add(get(others).require("project.raed")).unwrap_err();
    assert!(
        matches!(refused, RoutesError::UnknownPermission { .. }),
        "{refused}"
    );
    let refused = add(get("/projects/{project}").public("why not")).unwrap_err();
    assert!(
        matches!(refused, RoutesError::RowUnchecked { .. }),
        "{refused}"
    );
    let refused = add(get("/more").signed_in().in_transaction()).unwrap_err();
    assert!(
        matches!(refused, RoutesError::NoTransaction { .. }),
        "{refused}"
    );
}

#[test]
fn one_address_is_served_once() {
    let again = get("/tenants/{tenant}/projects/{project}").require("project.read");
    let refused = add(again).unwrap_err();
    assert!(
        matches!(refused, RoutesError::Collision { .. }),
        "{refused}"
    );
    // Another name for the parameter is the same address to a router.
    let renamed = Endpoint::post("/tenants/{tenant}/projects/{label}", async || "");
    let refused = add(renamed.require("project.read")).unwrap_err();
    assert!(
        matches!(refused, RoutesError::Collision { .. }),
        "{refused}"
    );
    let refused = add(get("/other").public("x").named("me")).unwrap_err();
    assert!(matches!(refused, RoutesError::Name { .. }), "{refused}");
}

#[test]
fn a_nested_row_has_its_parent() {
    let add = |path: &str| add(get(path).require("project.read"));
    let refused = add("/tenants/{tenant}/tasks/{task}").unwrap_err();
    assert!(matches!(refused, RoutesError::NoParent { .. }), "{refused}");
    let refused = add("/tenants/{tenant}/projects/{project}/remarks/{remark}").unwrap_err();
    assert!(matches!(refused, RoutesError::NoParent { .. }), "{refused}");
    let refused = add("/tenants/{tenant}/what/{what}").unwrap_err();
    assert!(
        matches!(refused, RoutesError::UnknownParameter { .. }),
        "{refused}"
    );
    let twice = routes().parameter(Parameter::row::<task::Entity>("task"));
    let refused = twice.check(&permissions()).unwrap_err();
    assert!(
        matches!(refused, RoutesError::ParameterTwice(_)),
        "{refused}"
    );
    let unrelated: Routes<App> = Routes::new()
        .parameter(Parameter::row::<project::Entity>("project"))
        .parameter(Parameter::row::<remark::Entity>("remark"))
        .route(get("/tenants/{tenant}/{project}/{remark}").require("project.read"));
    let refused = unrelated.check(&permissions()).unwrap_err();
    assert!(
        matches!(refused, RoutesError::Unrelated { .. }),
        "{refused}"
    );
}

#[test]
fn what_is_merged_unchecked_is_counted() {
    let files = routes().bare("/files", "files for everybody", axum::Router::new());
    assert_eq!(files.bare_routers().count(), 1);
    let nested: Routes<App> = Routes::new().nest("/api", files);
    assert_eq!(nested.bare_routers().next().unwrap().at, "/api/files");
    assert!(
        nested
            .table()
            .contains("| `/api/files` | any | | unchecked: files for everybody |")
    );
    assert!(nested.endpoints().any(|endpoint| endpoint.path() == "/api"));
    assert!(
        nested
            .table()
            .contains("| `/api/me` | GET | me | signed in |")
    );
}
