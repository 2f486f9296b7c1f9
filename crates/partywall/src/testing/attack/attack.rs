use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use uuid::Uuid;

use super::{Attempt, Caller, Case, Report, Side, Target, difference::differs};
use crate::web::{Access, Endpoint, Routes};

/// The attack on all endpoints of some routes.
///
/// ```no_run
/// # async fn example<S: Clone + Send + Sync + 'static>(
/// #     routes: partywall::web::Routes<S>, target: impl partywall::testing::Target) {
/// use partywall::testing::Attack;
///
/// let report = Attack::new(&routes).run(&target).await;
/// report.assert_held();
/// println!("{report}");
/// # }
/// ```
#[derive(Debug)]
pub struct Attack<'a, S> {
    routes: &'a Routes<S>,
    skipped: Vec<(String, String)>,
}

const TENANT: &str = "tenant";

/// Methods that an address may not have; the last is nobody's.
const METHODS: [&str; 8] = [
    "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND",
];

impl<'a, S> Attack<'a, S>
where
    S: Clone + Send + Sync + 'static,
{
    /// On all endpoints.
    #[must_use]
    pub fn new(routes: &'a Routes<S>) -> Self {
        Self {
            routes,
            skipped: Vec::new(),
        }
    }

    /// Leaves an endpoint out, and says so in the report.
    #[must_use]
    pub fn without(mut self, endpoint: &str, why: &str) -> Self {
        self.skipped.push((endpoint.to_owned(), why.to_owned()));
        self
    }

    /// Sends everything.
    pub async fn run(&self, target: &impl Target) -> Report {
        let mut report = Report::default();
        for endpoint in self.routes.endpoints() {
            let shown = endpoint.to_string();
            let name = endpoint.name().unwrap_or(&shown);
            if let Some((_, why)) = self.skipped.iter().find(|(skipped, _)| skipped == name) {
                report.notes.push(format!("{name} was left out: {why}"));
                continue;
            }
            let Some(case) = target.case(name).await else {
                report.left_out.push(shown);
                continue;
            };
            let run = Run {
                methods: self.methods(endpoint),
                routes: self.routes,
                endpoint,
                name,
                target,
                case,
            };
            run.everything(&mut report).await;
        }
        for (skipped, _) in &self.skipped {
            let mut names = self.routes.endpoints().map(|endpoint| {
                let name = endpoint.name().map(str::to_owned);
                name.unwrap_or_else(|| endpoint.to_string())
            });
            if !names.any(|name| name == *skipped) {
                let mistake = format!("{skipped} is left out, and there is no such endpoint");
                report.mistakes.push(mistake);
            }
        }
        report
    }

    /// The methods that an endpoint's address is tried with: all, but where the address has another
    /// endpoint that more people may use.
    fn methods(&self, endpoint: &Endpoint<S>) -> Vec<String> {
        let own = endpoint.method().to_string();
        let is_alike = |other: &Endpoint<S>| {
            let (one, two) = (endpoint.access(), other.access());
            one.map(std::mem::discriminant) == two.map(std::mem::discriminant)
        };
        let mut others = self
            .routes
            .endpoints()
            .filter(|other| other.path() == endpoint.path());
        if others.all(is_alike) {
            METHODS.map(str::to_owned).to_vec()
        } else {
            vec![own]
        }
    }
}

/// The attack on one endpoint.
struct Run<'a, S, T> {
    methods: Vec<String>,
    routes: &'a Routes<S>,
    endpoint: &'a Endpoint<S>,
    name: &'a str,
    target: &'a T,
    case: Case,
}

/// How an address is made.
#[derive(Clone, Copy, Debug)]
enum Address<'a> {
    /// Of A's tenant and rows.
    Own,
    /// Of A's, but for one parameter.
    But(&'a str, &'a str),
    /// Of B's tenant and rows.
    Theirs,
    /// Of a tenant and rows that are nowhere.
    Nowhere,
    /// Of the suspended tenant, and of rows that are nowhere.
    Suspended,
}

impl<S, T: Target> Run<'_, S, T>
where
    S: Clone + Send + Sync + 'static,
{
    async fn everything(&self, report: &mut Report) {
        let before = self.target.rows().await;
        match self.endpoint.access() {
            Some(access @ Access::Account { policy, .. }) => {
                self.strangers(report).await;
                self.foreign_rows(report).await;
                self.theirs(report).await;
                if let Some(why) = &self.case.any_member {
                    let note = format!("{} is open to any member: {why}", self.name);
                    report.notes.push(note);
                } else if policy.permissions().is_empty() {
                    let note = format!("{} asks for no permission", self.name);
                    report.notes.push(note);
                } else {
                    self.denied(report, Caller::Powerless, Address::Own).await;
                }
                if access.admits_closed() {
                    let note = format!("{} is for closed tenants as well", self.name);
                    report.notes.push(note);
                } else {
                    self.denied(report, Caller::Suspended, Address::Suspended)
                        .await;
                }
            }
            Some(Access::SignedIn) => self.anonymous(report).await,
            Some(Access::Public { .. }) | None => {}
        }
        if before != self.target.rows().await {
            report.attempts.push(Attempt {
                endpoint: self.name.to_owned(),
                method: self.endpoint.method().to_string(),
                caller: Caller::Other,
                what: "after all attempts".to_owned(),
                status: 0,
                wrong: Some("rows have changed".to_owned()),
            });
        }
        self.control(report).await;
    }

    /// Whoever has no account in the tenant: all methods, with the answer that nothing gives.
    async fn strangers(&self, report: &mut Report) {
        self.anonymous(report).await;
        for method in &self.methods {
            let own = self.send(method, Caller::Other, Address::Own).await;
            let nowhere = self.send(method, Caller::Other, Address::Nowhere).await;
            let wrong = differs(StatusCode::NOT_FOUND, &own, &nowhere);
            self.note(
                report,
                method,
                Caller::Other,
                "another tenant's address",
                &own,
                wrong,
            );
        }
    }

    async fn anonymous(&self, report: &mut Report) {
        for method in &self.methods {
            let own = self.send(method, Caller::Anonymous, Address::Own).await;
            let nowhere = self.send(method, Caller::Anonymous, Address::Nowhere).await;
            let wrong = differs(StatusCode::UNAUTHORIZED, &own, &nowhere);
            self.note(
                report,
                method,
                Caller::Anonymous,
                "not signed in",
                &own,
                wrong,
            );
        }
    }

    /// A member with rows of another tenant, at each place of the path.
    async fn foreign_rows(&self, report: &mut Report) {
        for parameter in parameters(self.endpoint.path()).filter(|name| *name != TENANT) {
            let Some(foreign) = self.target.value(Side::Foreign, parameter).await else {
                if self.routes.looks_up(parameter) {
                    report.mistakes.push(format!(
                        "{}: there is no foreign value for `{{{parameter}}}`, so nothing was tried",
                        self.name
                    ));
                }
                continue;
            };
            let own = self.value(parameter, Address::Own).await;
            for method in &self.methods {
                let asked = Address::But(parameter, &foreign);
                let foreign = self.send(method, Caller::Member, asked).await;
                let nothing = nowhere(&own);
                let missing = Address::But(parameter, &nothing);
                let missing = self.send(method, Caller::Member, missing).await;
                let wrong = differs(StatusCode::NOT_FOUND, &foreign, &missing);
                let what = format!("another tenant's `{parameter}`");
                self.note(report, method, Caller::Member, &what, &foreign, wrong);
            }
        }
    }

    /// B's rows are there for B, or else asking for them has shown nothing. The method is nobody's, so
    /// nothing is done.
    async fn theirs(&self, report: &mut Report) {
        let path = self.endpoint.path();
        let names_tenant = parameters(path).any(|name| name == TENANT);
        if !names_tenant || !parameters(path).any(|name| self.routes.looks_up(name)) {
            return;
        }
        let method = "PROPFIND";
        let answer = self.send(method, Caller::Other, Address::Theirs).await;
        let is_there = matches!(
            answer.status(),
            StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED
        );
        let wrong = (!is_there)
            .then(|| "the other tenant has no such rows, so nothing was shown".to_owned());
        let what = "its own tenant's rows";
        self.note(report, method, Caller::Other, what, &answer, wrong);
    }

    /// Whoever is told that they may not.
    async fn denied(&self, report: &mut Report, caller: Caller, address: Address<'_>) {
        let method = self.endpoint.method().as_str();
        let answer = self.send(method, caller, address).await;
        let wrong = (answer.status() != StatusCode::FORBIDDEN).then(|| "wanted 403".to_owned());
        self.note(
            report,
            method,
            caller,
            "the rightful address",
            &answer,
            wrong,
        );
    }

    /// The endpoint as it is meant to be used.
    async fn control(&self, report: &mut Report) {
        let method = self.endpoint.method().as_str();
        // The attempts before may not have used anything up, but a case is for one use.
        let Some(case) = self.target.case(self.name).await else {
            report.left_out.push(self.endpoint.to_string());
            return;
        };
        let control = Run {
            case,
            ..self.clone()
        };
        let answer = control.send(method, Caller::Member, Address::Own).await;
        let status = answer.status();
        let works = status.is_success() || status.is_redirection();
        let wrong = (!works).then(|| {
            let body = String::from_utf8_lossy(answer.body());
            format!("the rightful use failed, so nothing was shown: {body}")
        });
        self.note(
            report,
            method,
            Caller::Member,
            "the rightful use",
            &answer,
            wrong,
        );
    }

    fn note(
        &self,
        report: &mut Report,
        method: &str,
        caller: Caller,
        what: &str,
        answer: &Response<Bytes>,
        wrong: Option<String>,
    ) {
        report.attempts.push(Attempt {
            endpoint: self.name.to_owned(),
            method: method.to_owned(),
            caller,
            what: what.to_owned(),
            status: answer.status().as_u16(),
            wrong,
        });
    }

    async fn send(&self, method: &str, caller: Caller, address: Address<'_>) -> Response<Bytes> {
        let path = self.path(address).await;
        let uri = match self.case.query.as_str() {
            "" => path,
            query => format!("{path}?{query}"),
        };
        let method: Method = method.parse().unwrap_or(Method::GET);
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.case.headers.clone());
            let rightful = self.case.credentials.clone();
            let rightful = rightful.filter(|_| caller == Caller::Member);
            headers.extend(rightful.unwrap_or_else(|| self.target.credentials(caller)));
        }
        let request = request
            .body(self.case.body.clone())
            .expect("a request can be made of a path");
        self.target.send(request).await
    }

    async fn path(&self, address: Address<'_>) -> String {
        let mut path = String::new();
        for segment in self.endpoint.path().split('/').skip(1) {
            path.push('/');
            match parameter(segment) {
                Some(name) => path += &self.value(name, address).await,
                None => path += segment,
            }
        }
        path
    }

    async fn value(&self, parameter: &str, address: Address<'_>) -> String {
        let own = match self.case.parameters.get(parameter) {
            Some(value) => value.clone(),
            None => self
                .target
                .value(Side::Own, parameter)
                .await
                .unwrap_or_else(|| panic!("{}: no value for `{{{parameter}}}`", self.name)),
        };
        match address {
            Address::Own => own,
            Address::But(other, value) if other == parameter => value.to_owned(),
            Address::But(..) => own,
            Address::Theirs => self
                .target
                .value(Side::Foreign, parameter)
                .await
                .unwrap_or(own),
            Address::Suspended if parameter == TENANT => self
                .target
                .value(Side::Suspended, TENANT)
                .await
                .unwrap_or(own),
            // What no tenant owns is the same everywhere.
            Address::Nowhere | Address::Suspended => {
                match self.target.value(Side::Foreign, parameter).await {
                    Some(_) => nowhere(&own),
                    None => own,
                }
            }
        }
    }
}

impl<S, T> Clone for Run<'_, S, T> {
    fn clone(&self) -> Self {
        Self {
            methods: self.methods.clone(),
            case: self.case.clone(),
            ..*self
        }
    }
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(parameter)
}

/// Something of the same form that is nowhere.
fn nowhere(like: &str) -> String {
    if Uuid::try_parse(like).is_ok() {
        Uuid::new_v4().to_string()
    } else if like.parse::<i64>().is_ok() {
        "4611686018427387904".to_owned()
    } else {
        format!("nowhere-{}", Uuid::new_v4().simple())
    }
}
