use std::fmt;

use anstyle::{AnsiColor, Effects, Style};
use partywall_audit::Severity;

pub(crate) const HIGH: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
const MEDIUM: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
const LOW: Style = AnsiColor::Cyan.on_default().effects(Effects::BOLD);
const PERF: Style = AnsiColor::Magenta.on_default().effects(Effects::BOLD);
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
pub(crate) const CODE: Style = AnsiColor::Cyan.on_default();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// Text in a style, which the stream takes away where there is no colour.
pub(crate) struct Painted<T>(Style, T);

/// Paints.
pub(crate) const fn paint<T>(style: Style, it: T) -> Painted<T> {
    Painted(style, it)
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.render())?;
        self.1.fmt(f)?;
        write!(f, "{}", self.0.render_reset())
    }
}

/// How severities look.
pub(crate) fn of(severity: Severity) -> Style {
    match severity {
        Severity::High => HIGH,
        Severity::Medium => MEDIUM,
        Severity::Low => LOW,
        Severity::Perf => PERF,
        _ => BOLD,
    }
}
