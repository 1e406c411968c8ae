//! Administrative regions (GB/T 2260): six digits, province, city, county. Which regions have a name is data; whether a code
//! can exist, and which codes lie within which, is decided here.

use super::uscc::Uscc;

crate::vocabulary! {
    /// The three levels of GB/T 2260.
    RegionLevel {
        Province = "province",
        City = "city",
        County = "county",
    }
}

/// A region code. Its first two digits are a province; codes of counties outside Hebei are not listed anywhere, so the rest is free.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct RegionCode([u8; 6]);

/// The text is no region code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a region code has six digits, the first two those of a province (GB/T 2260)")]
pub struct NotARegion;

/// The provinces, autonomous regions, municipalities and special regions of GB/T 2260, by their first two digits.
const PROVINCES: [u32; 34] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
    53, 54, 61, 62, 63, 64, 65, 71, 81, 82,
];

/// Dingzhou and Xinji: counties by their code, administered by the province.
const DIRECTLY_ADMINISTERED: [RegionCode; 2] = [RegionCode(*b"130682"), RegionCode(*b"130181")];

impl RegionCode {
    /// The province that runs the platform.
    pub const HEBEI: RegionCode = RegionCode(*b"130000");

    /// The six digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The province of this region: 130602 → 130000.
    pub const fn province(self) -> RegionCode {
        let [a, b, ..] = self.0;
        RegionCode([a, b, b'0', b'0', b'0', b'0'])
    }

    /// The city of this region: 130602 → 130600; a province stays itself.
    pub const fn city(self) -> RegionCode {
        let [a, b, c, d, ..] = self.0;
        RegionCode([a, b, c, d, b'0', b'0'])
    }

    /// Whether `other` is this region or lies within it: the same leading digits, zero pairs at the end being open.
    pub fn covers(self, other: RegionCode) -> bool {
        if self == self.province() {
            self == other.province()
        } else if self == self.city() {
            self == other.city()
        } else {
            self == other
        }
    }

    /// The digits that all codes within this region begin with: 130000 → `13`, 130600 → `1306`.
    pub fn prefix(self) -> String {
        self.to_string().trim_end_matches("00").to_owned()
    }

    /// Who supervises an organization that names nobody: the city of its seat; the province for provincial units, for
    /// seats outside Hebei and for the directly administered Dingzhou and Xinji.
    ///
    /// A unit is provincial when its code was issued by the establishment office (first character 1) of the province or
    /// of the state.
    pub fn supervising_default(seat: RegionCode, uscc: &Uscc) -> RegionCode {
        let elsewhere = seat.province() != Self::HEBEI;
        if elsewhere || DIRECTLY_ADMINISTERED.contains(&seat) || uscc.is_provincial_unit() {
            Self::HEBEI
        } else {
            seat.city()
        }
    }
}

impl std::str::FromStr for RegionCode {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        let code: [u8; 6] = text.as_bytes().try_into().map_err(|_| NotARegion)?;
        if !code.iter().all(u8::is_ascii_digit) {
            return Err(NotARegion);
        }
        let [a, b, ..] = code;
        let province = u32::from(a - b'0') * 10 + u32::from(b - b'0');
        if PROVINCES.contains(&province) {
            Ok(Self(code))
        } else {
            Err(NotARegion)
        }
    }
}

impl TryFrom<String> for RegionCode {
    type Error = NotARegion;
    fn try_from(text: String) -> Result<Self, NotARegion> {
        text.parse()
    }
}

impl From<RegionCode> for String {
    fn from(code: RegionCode) -> String {
        code.to_string()
    }
}

impl std::fmt::Display for RegionCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str) -> RegionCode {
        code.parse().unwrap()
    }

    #[test]
    fn a_code_has_six_digits_of_a_known_province() {
        for good in ["130000", "130682", "110108", "820000"] {
            assert_eq!(region(good).to_string(), good);
        }
        for bad in [
            "",
            "13",
            "1300000",
            "13010a",
            "+13010",
            " 130100",
            "100000",
            "000000",
            "990000",
            "１３０１００",
        ] {
            assert_eq!(bad.parse::<RegionCode>(), Err(NotARegion), "{bad:?}");
        }
    }

    #[test]
    fn a_region_covers_the_codes_with_its_leading_digits() {
        for (wide, narrow, covered) in [
            ("130000", "130602", true),
            ("130000", "130000", true),
            ("130000", "120104", false),
            ("130600", "130602", true),
            ("130600", "130600", true),
            ("130600", "130000", false),
            ("130600", "130702", false),
            ("130602", "130602", true),
            ("130602", "130600", false),
        ] {
            assert_eq!(
                region(wide).covers(region(narrow)),
                covered,
                "{wide} {narrow}"
            );
            assert_eq!(
                narrow.starts_with(&region(wide).prefix()),
                covered,
                "{wide} {narrow}"
            );
        }
    }

    #[test]
    fn the_prefix_of_a_code_that_ends_in_zero_keeps_its_zero() {
        assert_eq!(region("500000").prefix(), "50");
        assert_eq!(region("131000").prefix(), "1310");
        assert_eq!(region("130110").prefix(), "130110");
    }

    #[test]
    fn the_default_supervisor_is_the_city_of_the_seat_with_the_contract_s_exceptions() {
        for (seat, uscc, supervisor) in [
            ("130602", "12130602000000000T", "130600"),
            ("130600", "91130600000000000T", "130600"),
            ("130602", "12130000000000000T", "130000"),
            ("130602", "12100000000000000T", "130000"),
            ("130602", "91130000000000000T", "130600"),
            ("130682", "12130682000000000T", "130000"),
            ("130181", "91130181000000000T", "130000"),
            ("120104", "12130104000000000T", "130000"),
            ("130000", "91130000000000000T", "130000"),
        ] {
            let uscc = Uscc::parse(uscc).unwrap();
            let found = RegionCode::supervising_default(region(seat), &uscc);
            assert_eq!(found, region(supervisor), "{seat} {uscc}");
        }
    }
}
