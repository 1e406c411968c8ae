//! What somebody wants to book, and whether its fields can be meant, the slot's rules apart.

use crate::domain::access::Caller;
use crate::domain::account::UserState;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::fault::Faults;
use crate::domain::service::ServiceItem;
use crate::domain::{InstrumentId, Slot, UserId, usage};
use crate::error::{AppError, Code, Fault};
use crate::operations::service::check_items;
use crate::store::terms::Terms;
use crate::store::{self, Conn, StoreError};

/// The most characters of a description or reason.
pub(super) const TEXT_MAX: usize = 2_000;
const NAME_MAX: usize = 100;
const REFERENCE_MAX: usize = 64;
/// The most samples.
pub(super) const SAMPLES_MAX: i64 = 1_000_000;

/// Who will run the instrument: a member of the using unit, or a guest by name.
#[derive(Debug, Clone)]
pub enum Operator {
    Member { user_id: UserId },
    Guest { name: String, phone: String },
}

impl From<Operator> for usage::Operator {
    fn from(who: Operator) -> Self {
        match who {
            Operator::Member { user_id } => Self {
                user_id: Some(user_id),
                ..Self::default()
            },
            Operator::Guest { name, phone } => Self {
                name: Some(name),
                phone: Some(phone),
                ..Self::default()
            },
        }
    }
}

/// A booking that is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    pub instrument_id: InstrumentId,
    pub slot: Slot,
    pub mode: BookingMode,
    pub purpose: BookingPurpose,
    pub description: Option<String>,
    pub operator: Option<Operator>,
    pub samples: Option<i64>,
    pub service_items: Vec<ServiceItem>,
    pub client_reference: Option<String>,
    /// What was wrong with the request before it could be read this far; told with everything else.
    pub misread: Vec<Fault>,
}

impl Draft {
    /// Everything wrong with the fields; what they refer to is looked up only when it is named.
    pub(super) fn faults(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        terms: &Terms,
    ) -> Result<Vec<Fault>, AppError> {
        let mut faults = Faults::new();
        faults.extend(self.misread.iter().cloned());
        faults.optional_text("description", self.description.as_deref(), TEXT_MAX);
        if let Some(reference) = &self.client_reference {
            faults.text("client_reference", reference, REFERENCE_MAX);
        }
        if let Some(samples) = self.samples {
            faults.range("samples", samples, 0, SAMPLES_MAX);
        }
        self.operator_faults(conn, caller, &mut faults)?;
        check_items(&terms.services, &self.service_items, &mut faults);
        Ok(faults.into_vec())
    }

    fn operator_faults(
        &self,
        conn: &mut Conn,
        caller: &Caller,
        faults: &mut Faults,
    ) -> Result<(), AppError> {
        match &self.operator {
            None => {}
            Some(Operator::Guest { name, phone }) => {
                faults.text("operator.name", name, NAME_MAX);
                faults.text("operator.phone", phone, NAME_MAX);
            }
            Some(Operator::Member { user_id }) if *user_id == caller.user_id => {}
            Some(Operator::Member { user_id }) => {
                let colleague = match store::user::get(conn, *user_id) {
                    Ok(user) => {
                        user.organization_id == Some(caller.organization_id)
                            && user.state == UserState::Active
                    }
                    Err(StoreError::NotFound) => false,
                    Err(other) => return Err(other.into()),
                };
                if !colleague {
                    let fault = Fault::field("operator.user_id", Code::unknown_reference);
                    faults.push(fault.actual(user_id));
                }
            }
        }
        Ok(())
    }
}
