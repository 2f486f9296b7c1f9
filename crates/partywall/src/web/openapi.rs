//! The document that describes routes (OpenAPI 3.1), made of the same value that serves them.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use utoipa::openapi::{
    Components, Content, ContentBuilder, HttpMethod, Info, ObjectBuilder, OpenApi, OpenApiBuilder,
    Paths, PathsBuilder, Ref, RefOr, Required, ResponseBuilder, SecurityRequirement,
    extensions::ExtensionsBuilder,
    path::{
        Operation, OperationBuilder, Parameter as Described, ParameterBuilder, ParameterIn,
        PathItem, PathItemBuilder,
    },
    request_body::RequestBodyBuilder,
    schema::{Schema, Type},
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{Access, Body, Endpoint, Routes, SessionCookie};

const PROBLEM: &str = "Problem";
const SESSION: &str = "session";
const KEY: &str = "key";

impl<S> Routes<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Describes the endpoints that `shown` keeps.
    ///
    /// Each operation has the endpoint's name as its id, what it reads and answers, the problems that
    /// the check before it may answer with, and who may use it (`x-access`).
    #[must_use]
    pub fn openapi(&self, info: Info, shown: impl Fn(&Endpoint<S>) -> bool) -> OpenApi {
        let mut items: BTreeMap<&str, PathItemBuilder> = BTreeMap::new();
        let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
        schemas.insert(PROBLEM.to_owned(), problem());
        for endpoint in self.endpoints().filter(|endpoint| shown(endpoint)) {
            let Some(method) = method(endpoint.method()) else {
                continue;
            };
            let bodies = endpoint
                .inputs()
                .chain(endpoint.outputs().filter_map(|(_, body)| body));
            for body in bodies {
                schemas.insert(body.name().to_owned(), body.schema());
                schemas.extend(body.parts());
            }
            let item = items.remove(endpoint.path()).unwrap_or_default();
            let operation = self.operation(endpoint);
            items.insert(endpoint.path(), item.operation(method, operation));
        }
        let paths = items
            .into_iter()
            .fold(PathsBuilder::new(), |paths, (path, item)| {
                paths.path(path, PathItem::from(item))
            });
        let mut components = Components::new();
        components.schemas.extend(schemas);
        let cookie = ApiKeyValue::new(SessionCookie::NAME);
        components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme(KEY, SecurityScheme::Http(bearer));
        OpenApiBuilder::new()
            .info(info)
            .paths(Paths::from(paths))
            .components(Some(components))
            .build()
    }

    fn operation(&self, endpoint: &Endpoint<S>) -> Operation {
        let mut operation = OperationBuilder::new()
            .operation_id(endpoint.name())
            .summary(Some(endpoint.about()).filter(|about| !about.is_empty()));
        if let Some(heading) = endpoint.heading() {
            operation = operation.tag(heading);
        }
        for parameter in self.described(endpoint) {
            operation = operation.parameter(parameter);
        }
        for parameter in endpoint
            .query_shape()
            .map(super::Query::parameters)
            .unwrap_or_default()
        {
            operation = operation.parameter(parameter);
        }
        let mut inputs = endpoint.inputs().peekable();
        if inputs.peek().is_some() {
            let body = RequestBodyBuilder::new().required(Some(Required::True));
            let body = inputs.fold(body, |all, body| {
                all.content(body.content_type, content(body))
            });
            operation = operation.request_body(Some(body.build()));
        }
        let mut answers: BTreeMap<u16, ResponseBuilder> = BTreeMap::new();
        for (status, body) in endpoint.outputs() {
            let reason = status.canonical_reason().unwrap_or("an answer");
            let answer = answers
                .remove(&status.as_u16())
                .unwrap_or_else(|| ResponseBuilder::new().description(reason));
            let answer = match body {
                Some(body) => answer.content(body.content_type, content(body)),
                None => answer,
            };
            answers.insert(status.as_u16(), answer);
        }
        for (status, why) in problems(endpoint) {
            answers.entry(status).or_insert_with(|| {
                let schema = Ref::from_schema_name(PROBLEM);
                let content = ContentBuilder::new().schema(Some(schema)).build();
                ResponseBuilder::new()
                    .description(why)
                    .content("application/problem+json", content)
            });
        }
        for (status, answer) in answers {
            operation = operation.response(status.to_string(), answer.build());
        }
        if let Some(access) = endpoint.access() {
            let nothing: [&str; 0] = [];
            if !matches!(access, Access::Public { .. }) {
                operation = operation.security(SecurityRequirement::new(SESSION, nothing));
            }
            if matches!(access, Access::Account { .. }) {
                operation = operation.security(SecurityRequirement::new(KEY, nothing));
            }
            let access = ExtensionsBuilder::new().add("x-access", access.to_string());
            operation = operation.extensions(Some(access.build()));
        }
        operation.build()
    }

    /// The parameters of an endpoint's path.
    fn described(&self, endpoint: &Endpoint<S>) -> Vec<Described> {
        endpoint
            .path()
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| {
                let known = self.parameters.iter().find(|known| known.name() == name);
                let (schema, about) = match known {
                    None => (string(None), "an id or a slug"),
                    Some(known) => match known.format() {
                        Some("uuid") => (string(Some("uuid")), "an id, in its canonical form"),
                        Some(_) => {
                            let number = ObjectBuilder::new().schema_type(Type::Integer);
                            (Schema::from(number.build()), "a number")
                        }
                        None => (string(None), "a text"),
                    },
                };
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .description(Some(about))
                    .schema(Some(schema))
                    .build()
            })
            .collect()
    }
}

fn string(format: Option<&str>) -> Schema {
    let mut object = ObjectBuilder::new().schema_type(Type::String);
    if let Some(format) = format {
        object = object.format(Some(utoipa::openapi::SchemaFormat::Custom(
            format.to_owned(),
        )));
    }
    object.build().into()
}

fn content(body: &Body) -> Content {
    let schema = Ref::from_schema_name(body.name());
    ContentBuilder::new().schema(Some(schema)).build()
}

fn method(method: &Method) -> Option<HttpMethod> {
    match *method {
        Method::GET => Some(HttpMethod::Get),
        Method::POST => Some(HttpMethod::Post),
        Method::PUT => Some(HttpMethod::Put),
        Method::PATCH => Some(HttpMethod::Patch),
        Method::DELETE => Some(HttpMethod::Delete),
        _ => None,
    }
}

/// What the check before an endpoint may answer with, and the reading of what it is sent.
fn problems<S>(endpoint: &Endpoint<S>) -> Vec<(u16, &'static str)> {
    let mut all = Vec::new();
    match endpoint.access() {
        Some(Access::Account { .. }) => all.extend([
            (400, "the request cannot be understood"),
            (401, "nobody is signed in"),
            (
                403,
                "the account may not do this, or its tenant is suspended",
            ),
            (404, "there is nothing here"),
            (409, "this is at odds with how things are"),
        ]),
        Some(Access::SignedIn) => all.extend([
            (400, "the request cannot be understood"),
            (401, "nobody is signed in"),
            (403, "the request comes from another site"),
            (404, "there is nothing here"),
            (409, "this is at odds with how things are"),
        ]),
        Some(Access::Public { .. }) | None => {
            all.push((400, "the request cannot be understood"));
        }
    }
    if endpoint.inputs().next().is_some() || endpoint.query_shape().is_some() {
        all.extend([
            (413, "the body is too long"),
            (415, "a body of this type is not read here"),
            (422, "a value is not as it should be"),
            (429, "too many attempts"),
        ]);
    }
    all.push((503, "too much is going on, try again in a moment"));
    all
}

impl Body {
    /// A problem (RFC 9457), for an endpoint that answers with one on its own account:
    /// `.output(StatusCode::UNAUTHORIZED, Body::problem())` where somebody signs in. What the check
    /// before an endpoint answers with needs no mention.
    #[must_use]
    pub fn problem() -> Self {
        Self::made_by("application/problem+json", PROBLEM, problem)
    }
}

/// The shape of a problem (RFC 9457).
fn problem() -> RefOr<Schema> {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let schema: Value = json!({
        "type": "object",
        "description": "what was not done, and why (RFC 9457)",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": text("a URI reference; `about:blank` says that the status is all there is to it"),
            "title": text("the name of the status"),
            "status": { "type": "integer", "description": "the status" },
            "code": text("what is wrong, for programs"),
            "detail": text("what is wrong, for people"),
            "field": text("the value that is not as it should be"),
            "errors": {
                "type": "array",
                "description": "the values that are not as they should be, where they are told one by one",
                "items": { "type": "object" },
            },
            "request_id": text("the request, for whoever reads the log"),
        },
    });
    serde_json::from_value(schema).unwrap_or_else(|_| RefOr::T(string(None)))
}
