//! What a visitor does and sees, by the WebDriver protocol.

use std::{
    fmt::Debug,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use ureq::Agent;

/// A browser that looks at a site.
pub struct Tab {
    agent: Agent,
    session: String,
    site: String,
}

/// How long something may take to show up.
const PATIENCE: Duration = Duration::from_secs(10);
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Tab {
    pub(super) fn open(driver: &str, site: &str, capabilities: &Value) -> Self {
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let mut tab = Self {
            agent,
            session: format!("{driver}/session"),
            site: site.to_owned(),
        };
        let opened = tab.post("", &wanted);
        tab.session = format!("{driver}/session/{}", opened["sessionId"].as_str().unwrap());
        tab
    }

    /// Sends a command, and panics with what the browser says against it.
    #[track_caller]
    fn post(&self, command: &str, body: &Value) -> Value {
        self.try_post(command, body)
            .unwrap_or_else(|error| panic!("{command} {body}: {error}"))
    }

    fn try_post(&self, command: &str, body: &Value) -> Result<Value, String> {
        let answer = self.agent.post(format!("{}{command}", self.session));
        answered(answer.send_json(body))
    }

    fn get(&self, command: &str) -> Value {
        let answer = self.agent.get(format!("{}{command}", self.session)).call();
        answered(answer).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    // ── places ──

    #[track_caller]
    pub fn go(&self, path: &str) {
        self.post("/url", &json!({ "url": format!("{}{path}", self.site) }));
    }

    /// Path, query and fragment.
    pub fn place(&self) -> String {
        let url = self.get("/url").as_str().unwrap().to_owned();
        url.strip_prefix(&self.site).unwrap_or(&url).to_owned()
    }

    pub fn title(&self) -> String {
        self.get("/title").as_str().unwrap().to_owned()
    }

    pub fn back(&self) {
        self.post("/back", &json!({}));
    }

    pub fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    /// Opens another tab of the same browser and goes on there.
    pub fn new_tab(&self) -> String {
        let opened = self.post("/window/new", &json!({ "type": "tab" }));
        let handle = opened["handle"].as_str().unwrap().to_owned();
        self.to_tab(&handle);
        handle
    }

    pub fn to_tab(&self, handle: &str) {
        self.post("/window", &json!({ "handle": handle }));
    }

    pub fn this_tab(&self) -> String {
        self.get("/window").as_str().unwrap().to_owned()
    }

    // ── elements ──

    fn found(&self, using: &str, value: &str) -> Vec<String> {
        let found = self.post("/elements", &json!({ "using": using, "value": value }));
        let found = found.as_array().unwrap().iter();
        found
            .map(|id| id[ELEMENT].as_str().unwrap().to_owned())
            .collect()
    }

    /// The one element of a CSS selector, once it is there.
    #[track_caller]
    fn one(&self, css: &str) -> String {
        wait(css, || self.found("css selector", css).into_iter().next())
    }

    pub fn count(&self, css: &str) -> usize {
        self.found("css selector", css).len()
    }

    /// What a visitor sees of the first element of a selector; nothing where there is none.
    pub fn text(&self, css: &str) -> String {
        let seen = self
            .found("css selector", css)
            .into_iter()
            .next()
            .map(|id| {
                let url = format!("{}/element/{id}/text", self.session);
                // It may have been swapped in between.
                answered(self.agent.get(url).call()).unwrap_or_default()
            });
        seen.unwrap_or_default()
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until there is something.
    #[track_caller]
    pub fn sees_one(&self, css: &str) {
        self.one(css);
    }

    /// Waits until a visitor sees a text.
    #[track_caller]
    pub fn sees(&self, css: &str, text: &str) {
        wait_for(|| {
            let seen = self.text(css);
            if seen.contains(text) {
                Ok(())
            } else {
                Err((css, seen, self.place()))
            }
        });
    }

    /// Waits until a visitor does not see a text any more.
    #[track_caller]
    pub fn sees_no(&self, css: &str, text: &str) {
        wait_for(|| {
            let seen = self.text(css);
            if seen.contains(text) {
                Err((css, seen, self.place()))
            } else {
                Ok(())
            }
        });
    }

    #[track_caller]
    pub fn is_at(&self, place: &str) {
        wait_for(|| {
            let now = self.place();
            if now == place { Ok(()) } else { Err(now) }
        });
    }

    /// Clicks, as soon as there is something to click on.
    #[track_caller]
    pub fn click(&self, css: &str) {
        wait_for(|| {
            let id = self.one(css);
            self.try_post(&format!("/element/{id}/click"), &json!({}))
        });
    }

    /// Presses what has a text: a button, a link, or what opens a menu.
    #[track_caller]
    pub fn press(&self, text: &str) {
        let path = format!(
            "(//main//*|//dialog//*|//header//*)[(self::a or self::button or self::summary) and normalize-space()='{text}']"
        );
        wait_for(|| {
            let id = self
                .found("xpath", &path)
                .into_iter()
                .next()
                .ok_or("not there")?;
            self.try_post(&format!("/element/{id}/click"), &json!({}))
                .map_err(|_| "cannot be clicked")
        });
    }

    /// Types, after whatever is there already.
    #[track_caller]
    pub fn type_into(&self, css: &str, text: &str) {
        wait_for(|| {
            let id = self.one(css);
            self.try_post(&format!("/element/{id}/value"), &json!({ "text": text }))
        });
    }

    /// Types in the place of whatever is there.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) {
        let id = self.one(css);
        self.post(&format!("/element/{id}/clear"), &json!({}));
        self.type_into(css, text);
    }

    /// A key that is pressed wherever the visitor is.
    pub fn key(&self, key: char) {
        let keys = [
            json!({"type": "keyDown", "value": key}),
            json!({"type": "keyUp", "value": key}),
        ];
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": keys });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    // ── the inside ──

    /// Runs a script, past whatever the page allows, and returns what it returns.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs a script that tells when it is done: by calling its last argument.
    #[track_caller]
    pub fn run_async(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Runs a script before any of a page's own, from the next page on.
    pub fn run_first(&self, script: &str) {
        self.command(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({ "source": script }),
        );
    }

    /// The focused element: its id, or else its name.
    pub fn focus(&self) -> String {
        let focused =
            self.run("const e = document.activeElement; return e.id || e.name || e.tagName");
        focused.as_str().unwrap().to_owned()
    }

    fn command(&self, command: &str, parameters: &Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &body);
    }

    /// How large the screen is, and whether it is a phone's.
    pub fn screen(&self, width: u32, height: u32, is_phone: bool) {
        let screen = json!({
            "width": width, "height": height, "screenWidth": width, "screenHeight": height,
            "deviceScaleFactor": if is_phone { 2 } else { 1 }, "mobile": is_phone,
        });
        self.command("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// Whether the visitor prefers `light` or `dark`. That nothing moves, in any case.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.command(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
    }

    /// What the browser has complained about since this was asked last.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        entries
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A picture, for whoever wants to look at it.
    pub fn picture(&self) -> String {
        self.get("/screenshot").as_str().unwrap().to_owned()
    }
}

fn answered(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value, String> {
    let mut answer = answer.map_err(|error| error.to_string())?;
    let body: Value = answer
        .body_mut()
        .read_json()
        .map_err(|error| error.to_string())?;
    if answer.status().is_success() {
        Ok(body["value"].clone())
    } else {
        Err(body["value"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }
}

#[track_caller]
fn wait<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    wait_for(|| found().ok_or(what))
}

/// Tries until it works, and panics with the last reason why it does not.
#[track_caller]
pub fn wait_for<T, E: Debug>(mut attempt: impl FnMut() -> Result<T, E>) -> T {
    let since = Instant::now();
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(why) if since.elapsed() > PATIENCE => panic!("still not so: {why:?}"),
            Err(_) => sleep(Duration::from_millis(30)),
        }
    }
}
