//! Exact rationals: reading decimals, printing `p/q` and rounded decimals, summing many fractions. Nothing here rounds
//! unless its name says so.

use num_bigint::{BigInt, Sign};
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

/// A text that is no plain decimal such as `0.20`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a decimal number is written like \"0.20\", with at most 30 digits")]
pub struct NotADecimal;

/// A whole number as a rational.
pub fn whole(number: impl Into<BigInt>) -> BigRational {
    BigRational::from_integer(number.into())
}

/// Reads a non-negative decimal such as `18`, `0.20` or `280`.
pub fn parse(text: &str) -> Result<BigRational, NotADecimal> {
    let (whole_part, decimals) = match text.split_once('.') {
        Some((_, "")) => return Err(NotADecimal),
        Some((whole_part, decimals)) => (whole_part, decimals),
        None => (text, ""),
    };
    let digits = format!("{whole_part}{decimals}");
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole_part.is_empty() || digits.len() > 30 || !plain {
        return Err(NotADecimal);
    }
    let number: BigInt = digits.parse().map_err(|_| NotADecimal)?;
    Ok(BigRational::new(number, ten_to(decimals.len())))
}

/// The exact value as reduced `p/q`, `p` when whole.
pub fn exact(value: &BigRational) -> String {
    value.to_string()
}

/// For people: as few decimals as the value has, `p/q` when they never end.
pub fn plain(value: &BigRational) -> String {
    let places = (0..=30).find(|places| (value * whole(ten_to(*places))).is_integer());
    places.map_or_else(|| exact(value), |places| decimal(value, places))
}

/// Reads what [`exact`] printed.
pub fn parse_exact(text: &str) -> Result<BigRational, NotADecimal> {
    text.parse().map_err(|_| NotADecimal)
}

/// The value with `places` decimals, rounded half up.
pub fn decimal(value: &BigRational, places: usize) -> String {
    let half = BigRational::new(BigInt::from(1), BigInt::from(2));
    let scaled = (value * whole(ten_to(places)) + half).floor().to_integer();
    let sign = if scaled.sign() == Sign::Minus {
        "-"
    } else {
        ""
    };
    let digits = format!(
        "{:0>width$}",
        scaled.magnitude().to_string(),
        width = places + 1
    );
    let (whole_part, decimals) = digits.split_at(digits.len() - places);
    let point = if places == 0 { "" } else { "." };
    format!("{sign}{whole_part}{point}{decimals}")
}

/// The largest multiple of `unit` that is not above `value`; `unit` is positive.
pub fn floor_to(value: &BigRational, unit: &BigRational) -> BigRational {
    (value / unit).floor() * unit
}

/// The value as an integer; `None` when it has a fraction or leaves 64 bits.
pub fn to_i64(value: &BigRational) -> Option<i64> {
    if value.is_integer() {
        value.numer().to_i64()
    } else {
        None
    }
}

/// Σ of fractions (numerator, positive denominator), reduced once at the end: a year of instruments put into service on
/// different days has denominators of thousands of bits, and reducing after each addition would cost seconds.
pub fn sum(fractions: impl IntoIterator<Item = (BigInt, BigInt)>) -> BigRational {
    let mut layer: Vec<(BigInt, BigInt)> = fractions.into_iter().collect();
    while layer.len() > 1 {
        let mut rest = layer.into_iter();
        let mut next = Vec::with_capacity(rest.len().div_ceil(2));
        while let Some((numerator, denominator)) = rest.next() {
            next.push(match rest.next() {
                Some((other, other_denominator)) => (
                    numerator * &other_denominator + other * &denominator,
                    denominator * other_denominator,
                ),
                None => (numerator, denominator),
            });
        }
        layer = next;
    }
    match layer.pop() {
        Some((numerator, denominator)) => BigRational::new(numerator, denominator),
        None => BigRational::zero(),
    }
}

fn ten_to(places: usize) -> BigInt {
    num_traits::pow(BigInt::from(10), places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_exactly() {
        for (text, printed) in [
            ("18", "18"),
            ("0.20", "1/5"),
            ("4.8", "24/5"),
            ("007.50", "15/2"),
        ] {
            assert_eq!(
                parse(text).map(|value| exact(&value)),
                Ok(printed.to_owned()),
                "{text}"
            );
        }
        for bad in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "１", "1.2.3", "0x1",
        ] {
            assert_eq!(parse(bad), Err(NotADecimal), "{bad:?}");
        }
        assert_eq!(parse(&"9".repeat(31)), Err(NotADecimal));
    }

    #[test]
    fn printing_rounds_half_up() {
        for (numerator, denominator, places, printed) in [
            (1, 2, 0, "1"),
            (1, 8, 2, "0.13"),
            (124_999, 1_000_000, 2, "0.12"),
            (2, 3, 4, "0.6667"),
            (0, 1, 4, "0.0000"),
            (89_995, 1_000, 2, "90.00"),
            (-1, 8, 2, "-0.12"),
            (-1, 2, 2, "-0.50"),
        ] {
            let value = BigRational::new(BigInt::from(numerator), BigInt::from(denominator));
            assert_eq!(decimal(&value, places), printed, "{value}");
        }
    }

    #[test]
    fn flooring_goes_to_the_multiple_below() {
        let value = BigRational::new(BigInt::from(29_999), BigInt::from(2));
        assert_eq!(floor_to(&value, &whole(10_000)), whole(10_000));
        assert_eq!(to_i64(&value), None);
        assert_eq!(to_i64(&whole(i64::MAX)), Some(i64::MAX));
        assert_eq!(to_i64(&(whole(i64::MAX) + whole(1))), None);
    }

    proptest! {
        #[test]
        fn a_sum_equals_adding_one_by_one(parts in proptest::collection::vec((-1000i64..1000, 1i64..1000), 0..40)) {
            let plain = parts.iter().fold(BigRational::zero(), |sum, (n, d)| sum + BigRational::new(BigInt::from(*n), BigInt::from(*d)));
            let summed = sum(parts.into_iter().map(|(n, d)| (BigInt::from(n), BigInt::from(d))));
            prop_assert_eq!(&summed, &plain);
            prop_assert_eq!(parse_exact(&exact(&summed)), Ok(summed));
        }
    }
}
