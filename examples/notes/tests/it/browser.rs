//! A small client that keeps the session's cookie.

use serde_json::{Value, json};
use ureq::{Agent, http::Request};

pub struct Browser {
    agent: Agent,
    url: String,
    pub cookie: Option<String>,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub location: Option<String>,
    pub set_cookie: Option<String>,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The titles, or whatever the field is, of a list's items.
    #[track_caller]
    pub fn each(&self, field: &str) -> Vec<String> {
        let json = self.json();
        let items = json["items"]
            .as_array()
            .unwrap_or_else(|| panic!("no list: {json}"));
        items
            .iter()
            .map(|item| item[field].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Browser {
    pub fn new(url: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            // Whoever answers before the whole request has arrived closes the connection.
            .max_idle_connections(0)
            .build()
            .into();
        Self {
            agent,
            url: url.to_owned(),
            cookie: None,
            headers: Vec::new(),
        }
    }

    pub fn sign_in(&mut self, email: &str, password: &str) {
        let reply = self.post(
            "/api/session",
            &json!({ "email": email, "password": password }),
        );
        assert_eq!(reply.status, 200, "{}", reply.body);
        let cookie = reply.set_cookie.unwrap();
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None)
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, Some(("application/json", body.to_string())))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send("PATCH", path, Some(("application/json", body.to_string())))
    }

    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let text = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect::<Vec<_>>()
            .join("&");
        self.send(
            "POST",
            path,
            Some(("application/x-www-form-urlencoded", text)),
        )
    }

    pub fn sql(&self, tenant: &str, sql: &str) -> Reply {
        self.post(
            &format!("/api/tenants/{tenant}/sql"),
            &json!({ "sql": sql }),
        )
    }

    pub fn send(&self, method: &str, path: &str, body: Option<(&str, String)>) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let response = match body {
            Some((kind, body)) => self
                .agent
                .run(request.header("content-type", kind).body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = response.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let header = |name| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let (location, set_cookie) = (header("location"), header("set-cookie"));
        Reply {
            status: response.status().as_u16(),
            body: response.body_mut().read_to_string().unwrap(),
            location,
            set_cookie,
        }
    }
}

pub fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
