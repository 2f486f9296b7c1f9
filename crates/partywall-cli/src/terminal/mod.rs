//! What people see: text in colours where there is a terminal, wrapped, with progress beside it on standard error.

mod progress;
mod prose;
mod style;

pub(crate) use progress::Progress;
pub(crate) use prose::{columns, fitted, one_line, shown, wrapped};
pub(crate) use style::{BOLD, CODE, DIM, GOOD, HIGH, WARN, of, paint};

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::{
    args::{Colour, Common},
    failure::{Failure, said},
    interrupt::Interrupt,
};

/// How wide output is at most: it is read in logs and pasted into tickets too.
const WIDEST: usize = 100;

/// Standard output and standard error.
pub(crate) struct Terminal {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    /// Whether nobody reads the output any more (`| head`): the rest is dropped, and the exit code stays what it is.
    broken: bool,
    quiet: bool,
    choice: ColorChoice,
}

impl Terminal {
    pub(crate) fn new(common: &Common) -> Self {
        let choice = match common.color {
            Colour::Auto => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        Self {
            out: AutoStream::new(io::stdout(), choice),
            err: AutoStream::new(io::stderr(), choice),
            broken: false,
            quiet: common.quiet,
            choice,
        }
    }

    /// How many columns there are.
    pub(crate) fn width(&self) -> usize {
        let columns = std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok());
        columns.unwrap_or(WIDEST).clamp(40, WIDEST)
    }

    /// Whether somebody sits there who can answer.
    pub(crate) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether standard output is a person's terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether standard error shows colours, for those who write to it by themselves.
    pub(crate) fn is_coloured(&self) -> bool {
        match self.choice {
            ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => self.err.current_choice() != ColorChoice::Never,
        }
    }

    /// Writes the one document of a command.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(document)?;
        writeln!(self, "{text}")?;
        Ok(())
    }

    /// Says something beside the result.
    pub(crate) fn remark(&mut self, text: &str) {
        if !self.quiet {
            // Nobody who can be told that standard error is gone.
            let _ = writeln!(self.err, "{text}");
        }
    }

    /// Shows progress for what takes over a second.
    pub(crate) fn progress(&self, what: &str) -> Progress {
        Progress::new(
            what,
            !self.quiet && io::stderr().is_terminal(),
            self.is_coloured(),
        )
    }

    /// Asks a question that is answered with yes or no; anything but yes is no, and so is Ctrl-C.
    pub(crate) async fn ask(&mut self, question: &str, interrupt: &Interrupt) -> io::Result<bool> {
        write!(self.err, "{question} [y/N] ")?;
        self.err.flush()?;
        // On a thread of its own, so that Ctrl-C is heard meanwhile.
        let mut reading = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            io::stdin().read_line(&mut answer).map(|_| answer)
        });
        let answer = loop {
            let waited = tokio::time::timeout(Duration::from_millis(50), &mut reading).await;
            match waited {
                Ok(read) => break read.map_err(io::Error::other)??,
                Err(_) if interrupt.is_stopped() => {
                    writeln!(self.err)?;
                    return Ok(false);
                }
                Err(_) => {}
            }
        };
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Says why it could not be done, and what to do about it.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        let mut lines = vec![format!(
            "{} {}",
            paint(HIGH, "error:"),
            shown(&failure.to_string())
        )];
        let mut source = std::error::Error::source(failure);
        let mut last = failure.to_string();
        while let Some(cause) = source {
            let driver = cause.downcast_ref::<tokio_postgres::Error>();
            let text = driver.map_or_else(|| cause.to_string(), said);
            if text != last {
                lines.push(format!(
                    "  {} {}",
                    paint(DIM, "because:"),
                    shown(text.trim_end())
                ));
            }
            last = text;
            source = if driver.is_some() {
                None
            } else {
                cause.source()
            };
        }
        if let Some(mend) = failure.mend() {
            lines.push(format!("  {} {}", paint(GOOD, "try:"), shown(&mend)));
        }
        for line in lines {
            let _ = writeln!(self.err, "{line}");
        }
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Ok(bytes.len());
        }
        match self.out.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.broken = true;
                Ok(bytes.len())
            }
            done => done,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.out.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.broken = true;
                Ok(())
            }
            done => done,
        }
    }
}
