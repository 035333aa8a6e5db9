//! The learning rate over a run.

use super::config::ScheduleConfig;

/// The learning rate of a step (from 0) of a run of `steps`: a linear rise, then a half cosine.
pub(crate) fn learning_rate(config: &ScheduleConfig, step: usize, steps: usize) -> f64 {
    let rise = config.warm_up_steps.min(steps / 5);
    if step < rise {
        return config.learning_rate * (step + 1) as f64 / (rise + 1) as f64;
    }
    let along = (step - rise) as f64 / (steps - rise).max(1) as f64;
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * along).cos());
    config.learning_rate * (config.last_rate + (1.0 - config.last_rate) * cosine)
}

/// Share of the old that the moving average keeps after `step` steps: less at first, so that the random first weights
/// are soon forgotten.
pub(crate) fn kept(config: &ScheduleConfig, step: usize) -> f64 {
    config.average.min((1.0 + step as f64) / (10.0 + step as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_stays_below_its_height_and_falls_to_almost_nothing() {
        let config = ScheduleConfig { learning_rate: 1.0, warm_up_steps: 10, last_rate: 0.01, ..Default::default() };
        let rates: Vec<_> = (0..100).map(|step| learning_rate(&config, step, 100)).collect();
        assert!(rates[..10].windows(2).all(|pair| pair[0] < pair[1]) && rates[0] > 0.0);
        assert_eq!(rates[10], 1.0);
        assert!(rates[10..].windows(2).all(|pair| pair[0] > pair[1]));
        assert!((0.01..0.012).contains(&rates[99]), "{}", rates[99]);
        // A run of few steps still learns at its full rate.
        assert_eq!(learning_rate(&config, 1, 5), 1.0);
        assert_eq!(learning_rate(&config, 0, 1), 1.0);
    }

    #[test]
    fn the_average_forgets_the_first_weights() {
        let config = ScheduleConfig { average: 0.99, ..Default::default() };
        assert_eq!(kept(&config, 0), 0.1);
        assert_eq!(kept(&config, 100_000), 0.99);
    }
}
