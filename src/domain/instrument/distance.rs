//! How far two places are from each other: along a great circle of a sphere with the Earth's mean radius, which differs from
//! the way over the ellipsoid by half a percent at most. Degrees are real numbers; nothing here is money or time.

use super::place::{Latitude, Longitude};

/// Mean radius of the Earth, in meters (IUGG).
const RADIUS: f64 = 6_371_008.8;

/// Half of the Earth's circumference is the farthest there is.
const METERS_MAX: u32 = 20_040_000;

/// A place on Earth (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub latitude: Latitude,
    pub longitude: Longitude,
}

/// The text is no latitude and longitude with a comma between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place is a latitude and a longitude with a comma between them: 38.87,115.46")]
pub struct NotAPoint;

impl std::str::FromStr for Point {
    type Err = NotAPoint;

    fn from_str(text: &str) -> Result<Self, NotAPoint> {
        let (latitude, longitude) = text.split_once(',').ok_or(NotAPoint)?;
        Ok(Self {
            latitude: latitude.trim().parse().map_err(|_| NotAPoint)?,
            longitude: longitude.trim().parse().map_err(|_| NotAPoint)?,
        })
    }
}

impl Point {
    /// Whole meters from here to there.
    #[allow(
        clippy::float_arithmetic,
        clippy::as_conversions,
        reason = "angles are real numbers, and a distance on Earth fits the integer"
    )]
    pub fn meters_to(self, other: Point) -> u32 {
        let radians = |microdegrees: i32| f64::from(microdegrees).to_radians() / 1e6;
        let (here, there) = (
            radians(self.latitude.microdegrees()),
            radians(other.latitude.microdegrees()),
        );
        let east = radians(other.longitude.microdegrees()) - radians(self.longitude.microdegrees());
        let half = |angle: f64| (angle / 2.0).sin().powi(2);
        let chord = half(there - here) + here.cos() * there.cos() * half(east);
        let meters = 2.0 * RADIUS * chord.clamp(0.0, 1.0).sqrt().asin();
        (meters.round() as u32).min(METERS_MAX)
    }
}

/// How far around a place is looked, in meters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Radius(u32);

/// The text is no number of kilometers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a radius is a number of kilometers above 0 and up to 20040, with at most three decimals")]
pub struct NotARadius;

impl Radius {
    pub const fn meters(self) -> u32 {
        self.0
    }
}

impl std::str::FromStr for Radius {
    type Err = NotARadius;

    fn from_str(text: &str) -> Result<Self, NotARadius> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let plain = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit())
        };
        if !plain(whole, 5) || !plain(decimals, 3) {
            return Err(NotARadius);
        }
        let meters = format!("{whole}{decimals:0<3}")
            .parse()
            .map_err(|_| NotARadius)?;
        match (1..=METERS_MAX).contains(&meters) {
            true => Ok(Self(meters)),
            false => Err(NotARadius),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(text: &str) -> Point {
        text.parse().unwrap()
    }

    #[test]
    fn distances_are_those_of_the_map() {
        for (from, to, kilometers) in [
            // Shijiazhuang to Baoding, Tangshan and Beijing; half around the Earth.
            ("38.0428,114.5149", "38.8740,115.4646", 124),
            ("38.0428,114.5149", "39.6309,118.1802", 363),
            ("38.0428,114.5149", "39.9042,116.4074", 264),
            ("0,0", "0,180", 20_015),
            ("10,179.5", "10,-179.5", 110),
            ("38,114", "38,114", 0),
        ] {
            let meters = point(from).meters_to(point(to));
            assert_eq!((meters + 500) / 1_000, kilometers, "{from} {to}: {meters}");
            assert_eq!(point(to).meters_to(point(from)), meters);
        }
    }

    #[test]
    fn places_and_radii_are_read_as_people_write_them() {
        assert_eq!(point("38.87, 115.46"), point("38.870000,115.460000"));
        for bad in ["", "38.87", "38.87;115", "91,0", "0,181", "a,b", "1,2,3"] {
            assert_eq!(bad.parse::<Point>(), Err(NotAPoint), "{bad}");
        }
        for (text, meters) in [
            ("1", 1_000),
            ("0.5", 500),
            ("12.345", 12_345),
            ("20040", METERS_MAX),
        ] {
            assert_eq!(text.parse::<Radius>().unwrap().meters(), meters);
        }
        for bad in ["", "0", "-1", "1e3", "20041", "0.0001", "999999", "."] {
            assert_eq!(bad.parse::<Radius>(), Err(NotARadius), "{bad}");
        }
    }
}
