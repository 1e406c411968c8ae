//! Who runs the instrument during a booking or ran it for a usage record: a person of the platform, or a guest by name.

use serde::{Deserialize, Serialize};

use super::contact::check_phone;
use super::fault::Faults;
use super::{Code, Fault, UserId};

/// The most characters of a guest's name.
const NAME_CHARACTERS_MAX: usize = 100;

/// A person of the platform by id, or anybody by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Operator {
    /// Adds what is wrong: a person has an id and nothing else, a guest a name and perhaps a telephone number.
    pub fn check(&self, faults: &mut Faults) {
        match (&self.user_id, &self.name) {
            (Some(_), None) if self.phone.is_none() => {}
            (Some(_), _) => faults
                .push(Fault::field("operator", Code::malformed).limit("user_id | name, phone")),
            (None, name) => {
                let name = name.as_deref().unwrap_or_default();
                faults.text("operator.name", name, NAME_CHARACTERS_MAX);
            }
        }
        if let Some(phone) = &self.phone {
            check_phone("operator.phone", phone, faults);
        }
    }

    /// As [`Operator::check`] for a time to come: a guest can be called.
    pub fn check_expected(&self, faults: &mut Faults) {
        let is_complete = self.user_id.is_some() || (self.name.is_some() && self.phone.is_some());
        match is_complete {
            true => self.check(faults),
            false => faults.push(
                Fault::field("operator", Code::malformed).limit("user_id, or name and phone"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Said<'a> = (Option<i64>, Option<&'a str>, Option<&'a str>);

    fn codes((user_id, name, phone): Said<'_>, check: fn(&Operator, &mut Faults)) -> Vec<Code> {
        let operator = Operator {
            user_id: user_id.map(|id| id.try_into().unwrap()),
            name: name.map(str::to_owned),
            phone: phone.map(str::to_owned),
        };
        let mut faults = Faults::new();
        check(&operator, &mut faults);
        faults.into_vec().iter().map(|fault| fault.code).collect()
    }

    #[test]
    fn an_operator_is_a_person_by_id_or_a_guest_by_name() {
        let longest = "工".repeat(NAME_CHARACTERS_MAX);
        let longer = format!("{longest}人");
        let phone = Some("0311-8612 0000 转 3");
        for (said, then, to_come) in [
            ((Some(1), None, None), vec![], vec![]),
            ((None, Some("张工"), phone), vec![], vec![]),
            ((None, Some(&*longest), phone), vec![], vec![]),
            ((None, Some("张工"), None), vec![], vec![Code::malformed]),
            (
                (None, None, None),
                vec![Code::required],
                vec![Code::malformed],
            ),
            (
                (None, None, phone),
                vec![Code::required],
                vec![Code::malformed],
            ),
        ] {
            assert_eq!(codes(said, Operator::check), then, "{said:?}");
            assert_eq!(codes(said, Operator::check_expected), to_come, "{said:?}");
        }
        for (said, code) in [
            ((Some(1), Some("张工"), None), Code::malformed),
            ((Some(1), None, phone), Code::malformed),
            ((None, Some(&*longer), phone), Code::text_too_long),
            ((None, Some("张工"), Some("办公室")), Code::not_a_phone),
        ] {
            assert_eq!(codes(said, Operator::check), [code], "{said:?}");
            assert_eq!(codes(said, Operator::check_expected), [code], "{said:?}");
        }
    }
}
