//! A real browser, which ends with its test.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Lines},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};

use super::tab::Tab;
use crate::world::folder;

/// A driver, and the browsers that it has started.
pub struct Chrome {
    driver: Child,
    /// Stays open: it may have more to say.
    _printed: Lines<BufReader<ChildStdout>>,
    url: String,
    /// Of the browsers' profiles.
    folder: PathBuf,
    browser: PathBuf,
    started: AtomicU32,
}

/// Ends the driver and what it started once its input ends: also where the tests were killed, and no
/// code of theirs runs. It is the first of a process group of its own.
const WATCHED: &str = r#""$@" & read -r _; kill -s KILL 0"#;

/// The example is asked for on this machine, and nothing else is.
const FLAGS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--window-size=1280,800",
];

impl Chrome {
    pub fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = folder(&format!("chrome_{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut driver = Command::new("/bin/sh")
            .args(["-c", WATCHED, "sh"])
            .arg(program("PARTYWALL_CHROMEDRIVER", "chromedriver"))
            .arg("--port=0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = printed
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                Some(port.trim_end_matches('.').to_owned())
            })
            .expect("ChromeDriver says its port");
        Self {
            driver,
            _printed: printed,
            url: format!("http://127.0.0.1:{port}"),
            folder,
            browser: program("PARTYWALL_CHROMIUM", "chromium"),
            started: AtomicU32::new(0),
        }
    }

    /// A browser of its own, that runs scripts and looks at a site.
    pub fn open(&self, site: &str) -> Tab {
        self.browser(site, &json!({}))
    }

    /// One whose visitor has turned scripts off.
    pub fn open_without_scripts(&self, site: &str) -> Tab {
        let off = json!({ "profile.managed_default_content_settings.javascript": 2 });
        self.browser(site, &off)
    }

    fn browser(&self, site: &str, preferences: &Value) -> Tab {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let mut flags = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!(
            "--user-data-dir={}/{number}",
            self.folder.display()
        ));
        Tab::open(
            &self.url,
            site,
            &json!({
                "goog:loggingPrefs": { "browser": "ALL" },
                "goog:chromeOptions": {
                    "binary": self.browser, "args": flags, "prefs": preferences,
                },
            }),
        )
    }

    /// The processes that look into this browser's folder.
    #[cfg(target_os = "linux")]
    pub fn processes(folder: &Path) -> Vec<String> {
        let wanted = folder.display().to_string();
        let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(&wanted))
            .collect()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Also when the test panics.
impl Drop for Chrome {
    fn drop(&mut self) {
        drop(self.driver.stdin.take());
        let _ = self.driver.wait();
        // A browser may take a moment to notice that its driver is gone.
        for _ in 0..100 {
            if fs::remove_dir_all(&self.folder).is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// The program; a test without it fails and says how to get it.
fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(program) = env::var_os(variable) {
        return program.into();
    }
    let on_path = env::var_os("PATH").unwrap_or_default();
    let places = ["/usr/bin", "/usr/lib/chromium", "/opt/homebrew/bin"];
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.partywall/chromium/bin");
    env::split_paths(&on_path)
        .chain(places.into_iter().map(PathBuf::from))
        .chain([unpacked])
        .map(|folder| folder.join(name))
        .find(|program| program.exists())
        .unwrap_or_else(|| {
            panic!(
                "`{name}` is missing: run `./test`, which gets it, or install it (`apt-get install \
                 chromium chromium-driver`), or set `{variable}` to the program"
            )
        })
}
