//! Where an instrument stands: WGS 84 degrees as whole micro-degrees (about a tenth of a meter), never floats.

/// The text or number is no coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a coordinate is a decimal number of degrees from -{most} to {most}")]
pub struct NotADegree {
    pub most: i32,
}

macro_rules! degrees {
    ($(#[$meta:meta])* $name:ident, $most:literal) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(try_from = "i32", into = "i32")]
        pub struct $name(i32);

        impl $name {
            pub const fn microdegrees(self) -> i32 {
                self.0
            }
        }

        impl TryFrom<i32> for $name {
            type Error = NotADegree;
            fn try_from(microdegrees: i32) -> Result<Self, NotADegree> {
                if (-$most * MICRO..=$most * MICRO).contains(&microdegrees) {
                    Ok(Self(microdegrees))
                } else {
                    Err(NotADegree { most: $most })
                }
            }
        }

        impl From<$name> for i32 {
            fn from(degrees: $name) -> i32 {
                degrees.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotADegree;
            fn from_str(text: &str) -> Result<Self, NotADegree> {
                let wrong = NotADegree { most: $most };
                microdegrees(text).ok_or(wrong).and_then(Self::try_from)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let sign = if self.0 < 0 { "-" } else { "" };
                let micro = self.0.abs();
                write!(f, "{sign}{}.{:06}", micro / MICRO, micro % MICRO)
            }
        }
    };
}

const MICRO: i32 = 1_000_000;

degrees!(
    /// North positive; serialized as micro-degrees, printed as decimal degrees.
    Latitude, 90
);
degrees!(
    /// East positive; serialized as micro-degrees, printed as decimal degrees.
    Longitude, 180
);

/// `-38.8745` → −38,874,500; digits after the sixth decimal round half away from zero. No exponent, no blanks.
fn microdegrees(text: &str) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !plain(whole, 3) || !plain(decimals, 30) {
        return None;
    }
    let seven: String = decimals.chars().chain("0000000".chars()).take(7).collect();
    let tenths: i32 = seven.parse().ok()?;
    let whole: i32 = whole.parse().ok()?;
    Some(sign * (whole * MICRO + (tenths + 5) / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_read_exactly_and_printed_with_six_decimals() {
        for (text, microdegrees, printed) in [
            ("38.874512", 38_874_512, "38.874512"),
            ("38", 38_000_000, "38.000000"),
            ("-0.5", -500_000, "-0.500000"),
            ("38.8745125", 38_874_513, "38.874513"),
            ("-38.87451249999", -38_874_512, "-38.874512"),
            ("90.0", 90_000_000, "90.000000"),
        ] {
            let latitude: Latitude = text.parse().unwrap();
            assert_eq!(latitude.microdegrees(), microdegrees, "{text}");
            assert_eq!(latitude.to_string(), printed);
        }
    }

    #[test]
    fn what_is_no_place_on_earth_is_refused() {
        for bad in [
            "",
            "-",
            "x",
            "1e1",
            " 38",
            "+38",
            "38.",
            ".5",
            "90.000001",
            "1000",
            "NaN",
        ] {
            assert_eq!(
                bad.parse::<Latitude>(),
                Err(NotADegree { most: 90 }),
                "{bad:?}"
            );
        }
        assert!("114.5".parse::<Longitude>().is_ok());
        assert!("180.0000006".parse::<Longitude>().is_err());
        assert!(Longitude::try_from(i32::MAX).is_err());
    }
}
