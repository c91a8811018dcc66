use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);

/// How long to wait before the next try to connect: from 0.2 s, doubled each time up to 10 s, up to a third of it random.
#[derive(Debug, Default)]
pub struct Retry {
    failures: u32,
}

impl Retry {
    /// Everything works.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// It did not work.
    pub fn next_wait(&mut self) -> Duration {
        let wait = FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST.div_f64(1.5));
        self.failures += 1;
        wait.mul_f64(1.0 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Retry};

    #[test]
    fn waits_grow_up_to_ten_seconds_and_begin_anew() {
        let mut retry = Retry::default();
        let waits: Vec<_> = (0..40).map(|_| retry.next_wait().as_secs_f64()).collect();
        assert!((0.2..=0.3).contains(&waits[0]), "{waits:?}");
        assert!((0.8..=1.2).contains(&waits[2]), "{waits:?}");
        assert!(waits[10..].iter().all(|wait| (6.6..=10.0).contains(wait)), "{waits:?}");
        retry.reset();
        assert!(retry.next_wait() < LONGEST / 30);
    }
}
