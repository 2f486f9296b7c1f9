use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// After how long somebody wonders.
const PATIENCE: Duration = Duration::from_secs(1);

/// A line on standard error that says what goes on. It is not shown for what is done within a second, nor where nobody
/// sits at a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shows: bool,
    is_coloured: bool,
    waiting: Option<tokio::task::JoinHandle<()>>,
}

impl Progress {
    pub(super) fn new(what: &str, shows: bool, is_coloured: bool) -> Self {
        let bar = ProgressBar::hidden();
        bar.set_message(what.to_owned());
        let mut progress = Self {
            bar,
            begun: Instant::now(),
            shows,
            is_coloured,
            waiting: None,
        };
        progress.style(false);
        if !shows {
            return progress;
        }
        let bar = progress.bar.clone();
        progress.waiting = Some(tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(120));
        }));
        progress
    }

    fn style(&self, has_length: bool) {
        let template = match (has_length, self.is_coloured) {
            (true, true) => "{spinner:.cyan} {msg} {wide_bar:.cyan/dim} {pos}/{len} {elapsed}",
            (true, false) => "{spinner} {msg} {wide_bar} {pos}/{len} {elapsed}",
            (false, true) => "{spinner:.cyan} {msg} {elapsed:.dim}",
            (false, false) => "{spinner} {msg} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    /// Says how much there is to do.
    pub(crate) fn length(&self, length: usize) {
        self.bar
            .set_length(u64::try_from(length).unwrap_or(u64::MAX));
        self.style(true);
    }

    /// So much more is done.
    pub(crate) fn done(&self, more: usize) {
        self.bar.inc(u64::try_from(more).unwrap_or(0));
    }

    /// Says what goes on now.
    pub(crate) fn says(&self, what: String) {
        self.bar.set_message(what);
    }

    /// Takes the line away while something else is written.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.shows && self.begun.elapsed() > PATIENCE {
            self.bar.suspend(write)
        } else {
            write()
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.abort();
        }
        self.bar.finish_and_clear();
    }
}
