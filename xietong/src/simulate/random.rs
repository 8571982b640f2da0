//! Chance that a seed brings back.

/// A generator (SplitMix64) for one question.
///
/// Each question has a generator of its own, made of the seed and the question's words: what is
/// drawn for one unit does not depend on how often something was drawn for another.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The sequence for a question, for example `completes/147/1`.
    pub(super) fn asked(seed: u64, question: &str) -> Self {
        // FNV-1a, then a first step, so that neighbouring seeds have nothing in common.
        let hash = question.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let mut random = Random(seed);
        Random(random.next() ^ hash)
    }

    /// The next number of the sequence.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included; `low` when they are the wrong way round.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let count = high.saturating_sub(low).saturating_add(1);
        let count = u64::try_from(count).unwrap_or(0);
        let drawn = self.next().checked_rem(count).unwrap_or(0);
        low.saturating_add(i64::try_from(drawn).unwrap_or(0))
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of several; none of none.
    pub(super) fn choose<'a, T>(&mut self, several: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(several.len()).ok()?.checked_sub(1)?;
        several.get(usize::try_from(self.between(0, last)).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_and_a_question_give_the_same_answer_again() {
        let answer = |seed, question| Random::asked(seed, question).between(0, 1_000_000);
        assert_eq!(answer(7, "signs/1"), answer(7, "signs/1"));
        assert_ne!(answer(7, "signs/1"), answer(8, "signs/1"));
        assert_ne!(answer(7, "signs/1"), answer(7, "signs/2"));
    }

    #[test]
    fn numbers_keep_within_their_bounds_and_reach_them() {
        let mut random = Random::asked(1, "bounds");
        let drawn: std::collections::BTreeSet<i64> = (0..500).map(|_| random.between(-2, 2)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-2, -1, 0, 1, 2]);
        assert_eq!(random.between(5, 4), 5);
        assert_eq!(random.choose::<u8>(&[]), None);
        assert!((0..100).all(|_| random.percent(100) && !random.percent(0)));
    }
}
