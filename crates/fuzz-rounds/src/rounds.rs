use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The variable that says which round it is.
const SEED: &str = "OTTLA_FUZZ_SEED";
const FIRST_SEED: u64 = 1;

/// Runs `work` on cases that follow from the seed in `OTTLA_FUZZ_SEED`: the same seed, the same
/// cases.
///
/// # Panics
/// If `work` panics: with the seed and the smallest case that still fails.
pub fn rounds<S: Strategy>(cases: S, work: impl Fn(S::Value)) {
    let seed = std::env::var(SEED).ok().and_then(|text| text.parse().ok()).unwrap_or(FIRST_SEED);
    let config = Config { failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new_with_rng(config, chance(seed)).run(&cases, |case| {
        work(case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{SEED}={seed}: {failure}");
    }
}

fn chance(seed: u64) -> TestRng {
    let mut long = [0; 32];
    long[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &long)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::strategy::ValueTree;

    use super::*;

    fn first_case(seed: u64) -> u64 {
        let mut runner = TestRunner::new_with_rng(Config::default(), chance(seed));
        any::<u64>().new_tree(&mut runner).expect("a case").current()
    }

    #[test]
    fn the_same_seed_gives_the_same_cases_and_another_seed_others() {
        assert_eq!(first_case(7), first_case(7));
        assert_ne!(first_case(7), first_case(8));
    }

    #[test]
    #[should_panic(expected = "OTTLA_FUZZ_SEED")]
    fn a_case_that_fails_names_the_seed_to_run_again() {
        rounds(any::<u64>(), |case| assert!(case < 1 << 8));
    }
}
