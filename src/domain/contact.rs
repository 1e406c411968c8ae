//! The public contact of an organization or instrument, and the form of mail addresses and telephone numbers.

use serde::{Deserialize, Serialize};

use super::fault::Faults;
use crate::domain::{Code, Fault};

/// Whom the public may ask. Lengths are those of the national platform's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicContact {
    pub name: String,
    pub phone: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl PublicContact {
    /// Adds what is wrong with the contact that stands at `field`.
    pub fn validate(&self, field: &str, faults: &mut Faults) {
        faults.text(&format!("{field}.name"), &self.name, 20);
        check_phone(&format!("{field}.phone"), &self.phone, faults);
        if let Some(email) = &self.email {
            check_email(&format!("{field}.email"), email, 50, faults);
        }
    }
}

/// Adds `not_a_phone` unless the number is made of 5 to 30 digits and the marks people write between them.
pub fn check_phone(field: &str, phone: &str, faults: &mut Faults) {
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    let readable = phone
        .chars()
        .all(|c| c.is_ascii_digit() || " +-()*#,转".contains(c));
    if phone.trim().is_empty() {
        faults.push(Fault::required(field));
    } else if digits < 5 || !readable || phone.chars().count() > 30 {
        faults.push(Fault::field(field, Code::not_a_phone).actual(phone));
    }
}

/// Adds `not_an_email` unless the address has the light form `local@domain.tld`, without blanks.
pub fn check_email(field: &str, email: &str, most: usize, faults: &mut Faults) {
    let length = email.chars().count();
    if length > most {
        faults.push(
            Fault::field(field, Code::text_too_long)
                .limit(most)
                .actual(length),
        );
    } else if !is_email(email) {
        faults.push(Fault::field(field, Code::not_an_email).actual(email));
    }
}

fn is_email(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    !local.is_empty()
        && local.chars().all(plain)
        && domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_light_form() {
        for (email, fits) in [
            ("zhang@example.edu.cn", true),
            ("z.h+lab@a-b.cn", true),
            ("zhang", false),
            ("@example.cn", false),
            ("zhang@", false),
            ("zhang@localhost", false),
            ("zhang@example..cn", false),
            ("zh ang@example.cn", false),
            ("zhang@example.cn\r\nBcc: x@y.cn", false),
            ("a@b@example.cn", false),
        ] {
            assert_eq!(is_email(email), fits, "{email:?}");
        }
    }

    #[test]
    fn a_contact_names_the_field_that_is_wrong() {
        let contact = |name: &str, phone: &str, email: &str| {
            let mut faults = Faults::new();
            PublicContact {
                name: name.to_owned(),
                phone: phone.to_owned(),
                email: Some(email.to_owned()),
            }
            .validate("public_contact", &mut faults);
            faults
                .into_vec()
                .into_iter()
                .map(|fault| format!("{} {}", fault.name(), fault.code))
                .collect::<Vec<_>>()
        };
        assert!(contact("张工", "0311-80000000转8", "zhang@example.cn").is_empty());
        assert_eq!(
            contact("", "12", "x"),
            [
                "public_contact.name required",
                "public_contact.phone not_a_phone",
                "public_contact.email not_an_email"
            ]
        );
        assert_eq!(
            contact("张工", "call me 12345", "zhang@example.cn"),
            ["public_contact.phone not_a_phone"]
        );
    }
}
