//! Whose a booking is, where rules look at the person: the operator who is named, a member or a guest by unit, name and
//! telephone number, else who booked it.

use crate::domain::{Operator, OrganizationId, UserId};

/// The person of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    Member(UserId),
    Guest {
        unit: OrganizationId,
        name: String,
        phone: String,
    },
}

impl Person {
    pub fn of(operator: Option<&Operator>, booked_by: UserId, unit: OrganizationId) -> Self {
        match operator {
            Some(operator) => Self::named(operator, unit),
            None => Self::Member(booked_by),
        }
    }

    /// Who is named as the operator of a unit's booking.
    pub fn named(operator: &Operator, unit: OrganizationId) -> Self {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        match operator.user_id {
            Some(member) => Self::Member(member),
            None => Self::Guest {
                unit,
                name: text(&operator.name),
                phone: text(&operator.phone),
            },
        }
    }

    /// The person of the platform.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Member(user) => Some(*user),
            Self::Guest { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_known_by_unit_name_and_telephone() {
        let (booker, unit) = (
            UserId::try_from(1).unwrap(),
            OrganizationId::try_from(7).unwrap(),
        );
        let guest = |name: &str, phone: &str| Operator {
            user_id: None,
            name: Some(name.to_owned()),
            phone: Some(phone.to_owned()),
        };
        let person = |operator: &Operator| Person::of(Some(operator), booker, unit);
        let (wang, spaced) = (guest("王五", "13800000000"), guest(" 王五 ", "13800000000"));
        assert_eq!(person(&wang), person(&spaced));
        assert_ne!(person(&wang), person(&guest("王五", "13900000000")));
        assert_ne!(person(&wang), person(&guest("赵六", "13800000000")));
        assert_eq!(person(&wang).user_id(), None);
        assert_eq!(Person::of(None, booker, unit).user_id(), Some(booker));
        let colleague = UserId::try_from(2).unwrap();
        let member = Operator {
            user_id: Some(colleague),
            ..Operator::default()
        };
        assert_eq!(person(&member).user_id(), Some(colleague));
    }
}
