//! Random numbers that a printed seed brings back.

/// A generator (SplitMix64): good enough to choose what is done next, and the same on
/// every machine for the same seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub fn seeded(seed: u64) -> Self {
        Random(seed)
    }

    /// Another sequence that follows from this one, for example for a task of its own.
    pub fn fork(&mut self) -> Self {
        Random(self.next())
    }

    /// The next number of the sequence.
    #[expect(clippy::should_implement_trait, reason = "an endless sequence is no iterator to collect")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias of a remainder is far below what any use here could notice.
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// True once in `times`, on average.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of several; none of none.
    pub fn choose<'a, T>(&mut self, several: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(several.len()).unwrap_or(u64::MAX);
        several.get(usize::try_from(self.below(count)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_gives_the_same_sequence_again() {
        let sequence = |seed| {
            let mut random = Random::seeded(seed);
            [random.next(), random.next(), random.below(10)]
        };
        assert_eq!(sequence(7), sequence(7));
        assert_ne!(sequence(7), sequence(8));
    }

    #[test]
    fn every_one_of_several_is_chosen() {
        let mut random = Random::seeded(1);
        let mut seen = [0; 5];
        for _ in 0..1_000 {
            seen[*random.choose(&[0, 1, 2, 3, 4]).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
        assert_eq!(random.choose::<u8>(&[]), None);
    }
}
