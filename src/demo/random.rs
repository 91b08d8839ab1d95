//! Numbers that look random and are always the same.

/// splitmix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// A series of its own for everything that is numbered.
    pub(super) fn of(kind: u64, number: u64) -> Self {
        let mut random = Self(
            kind.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd134_2543_de82_ef95),
        );
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `bound`; 0 when that is 0. The tiny bias of the remainder does not matter here.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let rest = self.next().checked_rem(bound.into()).unwrap_or(0);
        u32::try_from(rest).unwrap_or(0)
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// An index, each as likely as its weight; 0 when all weights are 0.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_always_the_same_and_differs_from_the_next() {
        let series = |number| {
            let mut random = Random::of(1, number);
            (0..5).map(|_| random.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(series(1), series(1));
        assert_ne!(series(1), series(2));
    }

    #[test]
    fn bounds_and_weights_hold() {
        let mut random = Random::of(2, 3);
        for _ in 0..1000 {
            assert!((3..=5).contains(&random.between(3, 5)));
            assert_ne!(random.weighted(&[1, 0, 2]), 1);
        }
        assert_eq!((random.below(0), random.weighted(&[])), (0, 0));
    }
}
