//! A small client that keeps the session's cookie.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};
use ureq::{Agent, http::Request};

pub struct Browser {
    agent: Agent,
    url: String,
    pub cookie: Option<String>,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

/// What came back. Two replies are equal if they are byte for byte, but for the date and the request
/// id, which reads `ID` in a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: u16,
    /// All but the date and the request id, in the order of their names.
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Without what is shown there once one has arrived: `#saved`.
    pub location: Option<String>,
    pub set_cookie: Option<String>,
}

impl Reply {
    fn new(status: u16, headers: impl IntoIterator<Item = (String, String)>, body: String) -> Self {
        let mut headers: Vec<_> = headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .filter(|(name, _)| name != "date")
            .collect();
        headers.sort();
        let id = headers.iter().position(|(name, _)| name == "x-request-id");
        let body = match id.map(|at| headers.remove(at).1) {
            Some(id) => body.replace(&id, "ID"),
            None => body,
        };
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        Self {
            status,
            location: header("location").map(|to| to.split('#').next().unwrap().to_owned()),
            set_cookie: header("set-cookie"),
            headers,
            body,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The problem's code.
    #[track_caller]
    pub fn code(&self) -> String {
        let kind = self.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status, "{json}");
        json["code"].as_str().unwrap().to_owned()
    }

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
        self.keep(&reply);
    }

    /// Keeps the cookie that a reply sets, as a browser does: also without TLS on this machine, which
    /// browsers trust.
    #[track_caller]
    pub fn keep(&mut self, reply: &Reply) {
        let cookie = reply.set_cookie.as_ref().expect("a cookie");
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    }

    /// The token that the cookie holds.
    pub fn token(&self) -> &str {
        self.cookie.as_deref().unwrap().split_once('=').unwrap().1
    }

    /// With a header that is sent with every request.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
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

    pub fn put(&self, path: &str, body: &Value) -> Reply {
        self.send("PUT", path, Some(("application/json", body.to_string())))
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
        let headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        Reply::new(
            response.status().as_u16(),
            headers,
            response.body_mut().read_to_string().unwrap(),
        )
    }

    /// Sends a path as it stands, however odd it is: no client has put it in order.
    pub fn raw(&self, method: &str, path: &str, body: &str) -> Reply {
        let mut stream = self.ask(method, path, body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("{method} {path}: {answer}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        Reply::new(
            status.parse().unwrap(),
            headers.map(|(name, value)| (name.to_owned(), value.to_owned())),
            body.to_owned(),
        )
    }

    /// Asks, and leaves it to the caller how fast the answer is read.
    pub fn open(&self, path: &str) -> TcpStream {
        self.ask("GET", path, "")
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        let cookie = self.cookie.iter().map(|cookie| ("cookie", cookie));
        let headers = self.headers.iter().map(|(name, value)| (*name, value));
        for (name, value) in cookie.chain(headers) {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += "Content-Type: application/json\r\n";
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }
}

pub fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
