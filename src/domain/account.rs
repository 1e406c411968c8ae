//! Accounts of people: their fields, passwords, and the form of API keys. Hashing and tokens belong to other rooms.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::contact::{check_email, check_phone};
use super::fault::Faults;
use crate::domain::{Code, Fault, TypedKey};

crate::vocabulary! {
    /// Whether a person may sign in.
    UserState {
        Active = "active",
        Suspended = "suspended",
    }
}

/// What a person declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    pub name: String,
    /// Also the name to sign in with, see [`login_key`].
    pub email: String,
    pub phone: Option<String>,
}

impl UserFacts {
    /// Every rule of the fields; `prefix` stands before their names (`user.`).
    pub fn validate(&self, prefix: &str) -> Result<(), Vec<Fault>> {
        let mut faults = Faults::new();
        faults.text(&format!("{prefix}name"), &self.name, 50);
        let field = format!("{prefix}email");
        check_email(&field, &self.email, LOGIN_CHARS_MAX, &mut faults);
        if let Some(phone) = &self.phone {
            check_phone(&format!("{prefix}phone"), phone, &mut faults);
        }
        faults.into_result()
    }
}

/// The most characters of an address, and so of the name to sign in with.
pub const LOGIN_CHARS_MAX: usize = 254;

/// The one spelling under which an account is found: the address as a folded key.
pub fn login_key(email: &str) -> String {
    TypedKey::new(email).folded()
}

/// The fewest and the most characters of a password.
pub const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 10..=128;

/// The fewest different characters of a password.
const DISTINCT_MIN: usize = 5;

/// The fewest letters and digits of a name that a password must not contain; shorter ones are parts of ordinary words.
const NAME_CHARS_MIN: usize = 4;

/// What is guessed first.
static COMMON: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("../../config/common_passwords.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// As [`check_password`], of a person of the organization called `unit`.
pub fn check_password_of(
    field: &str,
    password: &str,
    login: &str,
    unit: &str,
) -> Result<(), Fault> {
    check_password(field, password, login)?;
    match contains_name(password, unit) {
        true => Err(Fault::field(field, Code::password_contains_name)),
        false => Ok(()),
    }
}

/// Whether `password` may protect the account that signs in as `login`: long enough, not a repetition, without the login's
/// name, and not one of those that are guessed first.
pub fn check_password(field: &str, password: &str, login: &str) -> Result<(), Fault> {
    let length = password.chars().count();
    let distinct: BTreeSet<char> = password.chars().collect();
    let local = login.split('@').next().unwrap_or(login);
    let lower = password.to_lowercase();
    if length < *PASSWORD_LENGTH.start() {
        Err(Fault::field(field, Code::password_too_short)
            .limit(PASSWORD_LENGTH.start())
            .actual(length))
    } else if length > *PASSWORD_LENGTH.end() {
        Err(Fault::field(field, Code::password_too_long)
            .limit(PASSWORD_LENGTH.end())
            .actual(length))
    } else if distinct.len() < DISTINCT_MIN {
        Err(Fault::field(field, Code::password_too_simple).limit(DISTINCT_MIN))
    } else if lower == login_key(login) || lower == login_key(local) {
        Err(Fault::field(field, Code::password_is_login))
    } else if COMMON.contains(lower.as_str()) {
        Err(Fault::field(field, Code::password_too_common))
    } else if contains_name(password, local) {
        Err(Fault::field(field, Code::password_contains_name))
    } else {
        Ok(())
    }
}

/// Whether a name stands in the password, however it is spelled: of both, letters and digits count.
fn contains_name(password: &str, name: &str) -> bool {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let name = plain(name);
    name.chars().count() >= NAME_CHARS_MIN && plain(password).contains(&name)
}

/// What every API key begins with, so that it is told from an access token.
pub const API_KEY_PREFIX: &str = "yq_";

/// How long a key holds unless told: 365 days.
pub const API_KEY_DAYS: i64 = 365;

/// Whether the text has the form of an API key: the prefix and 32 to 96 URL-safe characters.
pub fn is_api_key(text: &str) -> bool {
    text.strip_prefix(API_KEY_PREFIX).is_some_and(|secret| {
        (32..=96).contains(&secret.len())
            && secret
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_varied_and_not_the_login() {
        let login = "Zhang.Xiaoming@example.edu.cn";
        for (password, code) in [
            ("correct horse", None),
            ("仪器共享平台的一个好密码", None),
            ("123456789", Some("password_too_short")),
            ("1234567890", Some("password_too_common")),
            ("Password123", Some("password_too_common")),
            ("woaini1314", Some("password_too_common")),
            ("aaaaaaaaaaaa", Some("password_too_simple")),
            ("abababababab", Some("password_too_simple")),
            ("zhang.xiaoming@EXAMPLE.edu.cn", Some("password_is_login")),
            ("zhang.xiaoming", Some("password_is_login")),
            ("ZhangXiaoming-2026", Some("password_contains_name")),
        ] {
            let found = check_password("password", password, login).err();
            assert_eq!(found.map(|fault| fault.code.as_str()), code, "{password}");
        }
        let long = "abcde".repeat(26);
        let found = check_password("password", &long, login).err();
        assert_eq!(
            found.map(|fault| fault.code.as_str()),
            Some("password_too_long")
        );
    }

    #[test]
    fn the_name_of_the_unit_is_no_password() {
        let unit = "太行农业大学";
        for (password, code) in [
            ("太行农业大学2026", Some("password_contains_name")),
            ("a-太行 农业大学-b", Some("password_contains_name")),
            ("太行山上的一棵树啊啊", None),
            ("zh@ng-secret-9", None),
        ] {
            let found = check_password_of("password", password, "a@example.org", unit).err();
            assert_eq!(found.map(|fault| fault.code.as_str()), code, "{password}");
        }
    }

    #[test]
    fn what_is_guessed_first_is_in_order_and_long_enough_to_matter() {
        assert!(COMMON.len() > 1000);
        for password in COMMON.iter() {
            assert!(password.chars().count() >= *PASSWORD_LENGTH.start());
            assert_eq!(*password, password.to_lowercase());
            let found = check_password("password", password, "a@example.org").err();
            assert_eq!(
                found.map(|fault| fault.code.as_str()),
                Some("password_too_common")
            );
        }
    }

    #[test]
    fn faults_carry_the_path_of_the_field() {
        let person = UserFacts {
            name: String::new(),
            email: "nobody".to_owned(),
            phone: Some("1".to_owned()),
        };
        let fields: Vec<_> = person
            .validate("user.")
            .unwrap_err()
            .into_iter()
            .map(|fault| fault.name().to_owned())
            .collect();
        assert_eq!(fields, ["user.name", "user.email", "user.phone"]);
        assert_eq!(login_key(" Zhang@Example.CN "), "zhang@example.cn");
        assert_eq!(login_key("ｚhang@example.ＣＮ"), "zhang@example.cn");
    }

    #[test]
    fn keys_are_told_from_tokens() {
        let secret = "aB3-_".repeat(8);
        assert!(is_api_key(&format!("yq_{secret}")));
        for bad in [
            secret.clone(),
            "yq_".to_owned(),
            format!("yq_{secret} "),
            format!("YQ_{secret}"),
            format!("yq_{}", "a".repeat(97)),
        ] {
            assert!(!is_api_key(&bad), "{bad}");
        }
    }
}
