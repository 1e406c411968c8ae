//! Money and durations: integer fen and integer minutes, checked, never floats. Prices round half up, once.

use serde::{Deserialize, Serialize};

/// An amount in fen (1 yuan = 100 fen), tax included.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fen(i64);

/// A sum or product left the range of 64-bit fen or minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amount is too large")]
pub struct TooLarge;

/// A text that is no amount of yuan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotYuan {
    #[error("an amount like 300000 or 300000.50")]
    Malformed,
    #[error("too large")]
    TooLarge,
}

impl Fen {
    pub const ZERO: Fen = Fen(0);

    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The bare number of fen, for storage and output.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// Reads yuan with at most two decimals, exactly.
    pub fn of_yuan(text: &str) -> Result<Self, NotYuan> {
        let (yuan, decimals) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if yuan.is_empty() || decimals.len() > 2 || !is_digits(yuan) || !is_digits(decimals) {
            return Err(NotYuan::Malformed);
        }
        let fen = format!("{yuan}{decimals:0<2}").parse();
        fen.map(Self).map_err(|_| NotYuan::TooLarge)
    }

    pub fn checked_add(self, other: Fen) -> Result<Fen, TooLarge> {
        self.0.checked_add(other.0).map(Fen).ok_or(TooLarge)
    }

    pub fn checked_sub(self, other: Fen) -> Result<Fen, TooLarge> {
        self.0.checked_sub(other.0).map(Fen).ok_or(TooLarge)
    }

    pub fn sum(amounts: impl IntoIterator<Item = Fen>) -> Result<Fen, TooLarge> {
        amounts.into_iter().try_fold(Fen::ZERO, Fen::checked_add)
    }

    /// `minutes × rate ÷ 60`, rounded half up once to the fen; the rate is fen per hour.
    pub fn for_minutes(minutes: Minutes, rate_per_hour: Fen) -> Result<Fen, TooLarge> {
        let product = i128::from(minutes.0) * i128::from(rate_per_hour.0);
        i64::try_from((product + 30).div_euclid(60))
            .map(Fen)
            .map_err(|_| TooLarge)
    }

    /// The price of so many.
    pub fn times(self, quantity: i64) -> Result<Fen, TooLarge> {
        self.0.checked_mul(quantity).map(Fen).ok_or(TooLarge)
    }

    /// Splits the amount by weights so that the parts sum to the whole: largest remainder first, earlier parts first on ties.
    ///
    /// Weights are non-negative; when all are zero everything goes to the first part. No weights, no parts.
    pub fn split(self, weights: &[u32]) -> Vec<Fen> {
        let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
        let whole = i128::from(self.0);
        let mut parts: Vec<(usize, i128, i128)> = weights
            .iter()
            .enumerate()
            .map(|(at, weight)| match total {
                0 => (at, if at == 0 { whole } else { 0 }, 0),
                _ => {
                    let product = whole * i128::from(*weight);
                    (at, product.div_euclid(total), product.rem_euclid(total))
                }
            })
            .collect();
        let mut rest = whole - parts.iter().map(|(_, part, _)| part).sum::<i128>();
        parts.sort_by_key(|(at, _, remainder)| (-remainder, *at));
        for (_, part, _) in &mut parts {
            if rest == 0 || weights.is_empty() {
                break;
            }
            *part += 1;
            rest -= 1;
        }
        parts.sort_by_key(|(at, _, _)| *at);
        parts
            .into_iter()
            .filter_map(|(_, part, _)| i64::try_from(part).ok().map(Fen))
            .collect()
    }
}

impl AsRef<i64> for Fen {
    fn as_ref(&self) -> &i64 {
        &self.0
    }
}

impl AsRef<i64> for Minutes {
    fn as_ref(&self) -> &i64 {
        &self.0
    }
}

impl std::fmt::Display for Fen {
    /// Yuan with two decimals: `1234.50`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

/// A duration in whole minutes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Minutes(i64);

impl Minutes {
    pub const ZERO: Minutes = Minutes(0);

    pub const fn new(minutes: i64) -> Self {
        Self(minutes)
    }

    /// The bare number of minutes, for storage and output.
    pub const fn number(self) -> i64 {
        self.0
    }

    pub fn checked_add(self, other: Minutes) -> Result<Minutes, TooLarge> {
        self.0.checked_add(other.0).map(Minutes).ok_or(TooLarge)
    }
}

impl std::fmt::Display for Minutes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn yuan_are_read_to_the_fen() {
        for (text, fen) in [
            ("300000", Some(30_000_000)),
            ("0.5", Some(50)),
            ("0.05", Some(5)),
            ("1.005", None),
            ("-1", None),
            ("1e3", None),
            (".5", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(Fen::of_yuan(text).ok().map(Fen::number), fen, "{text}");
        }
    }

    #[test]
    fn prices_round_half_up_once() {
        for (minutes, rate, fen) in [
            (60, 36_000, 36_000),
            (13, 3_100, 672),
            (50, 7_320, 6_100),
            (70, 2_500, 2_917),
            (1, 30, 1),
            (1, 29, 0),
        ] {
            assert_eq!(
                Fen::for_minutes(Minutes::new(minutes), Fen::new(rate)),
                Ok(Fen::new(fen)),
                "{minutes} min at {rate}"
            );
        }
        assert_eq!(
            Fen::for_minutes(Minutes::new(i64::MAX), Fen::new(61)),
            Err(TooLarge)
        );
    }

    #[test]
    fn a_fen_too_many_goes_to_the_largest_remainder() {
        let parts = |fen, weights: &[u32]| {
            Fen::new(fen)
                .split(weights)
                .into_iter()
                .map(Fen::number)
                .collect::<Vec<_>>()
        };
        assert_eq!(parts(999, &[1, 1]), [500, 499]);
        assert_eq!(parts(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(parts(100, &[1, 2]), [33, 67]);
        assert_eq!(parts(5, &[0, 0]), [5, 0]);
        assert_eq!(parts(5, &[]), Vec::<i64>::new());
    }

    #[test]
    fn yuan_are_printed_with_two_decimals() {
        assert_eq!(Fen::new(-5).to_string(), "-0.05");
        assert_eq!(Fen::new(123_450).to_string(), "1234.50");
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(fen in -1_000_000_000_000i64..1_000_000_000_000, weights in proptest::collection::vec(0u32..10_000, 1..12)) {
            let parts = Fen::new(fen).split(&weights);
            prop_assert_eq!(parts.len(), weights.len());
            prop_assert_eq!(Fen::sum(parts), Ok(Fen::new(fen)));
        }
    }
}
