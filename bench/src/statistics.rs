//! Medians and their spread.

use std::fmt;

/// The middle of some figures, and the smallest and largest of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    high: f64,
}

impl Spread {
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures
            .into_iter()
            .filter(|figure| figure.is_finite())
            .collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| percentile(&sorted, share).unwrap_or(f64::NAN);
        Self {
            median: at(0.5),
            low: at(0.0),
            high: at(1.0),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.median, self.low, self.high)
    }
}

/// The value below which a share of the sorted figures lies; nothing of nothing.
pub(crate) fn percentile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    let last = sorted.len().checked_sub(1)?;
    let index = (last as f64 * share).round() as usize;
    sorted.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends() {
        let spread = Spread::of([3.0, 1.0, f64::NAN, 2.0]);
        assert_eq!(spread.to_string(), "2.00 (1.00–3.00)");
        assert_eq!(percentile(&[1, 2, 3, 4, 5], 0.99), Some(5));
        assert_eq!(percentile::<u8>(&[], 0.5), None);
    }
}
