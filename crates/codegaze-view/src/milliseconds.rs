//! Times in milliseconds, for results.

use std::time::Duration;

/// Milliseconds, with full precision.
#[must_use]
pub fn exact(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Milliseconds, rounded to the microsecond.
#[must_use]
pub fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_below_a_microsecond_are_rounded() {
        let time = Duration::from_nanos(1_234_567);
        assert!((exact(time) - 1.234_567).abs() < 1e-12);
        assert!((rounded(time) - 1.235).abs() < 1e-12);
    }
}
