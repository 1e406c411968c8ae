//! What an invitation finds under its address: nobody, somebody of its own unit, somebody who left another one, or an account
//! that no verified unit has, which gives the address up.

use crate::domain::OrganizationId;
use crate::domain::access::Action;
use crate::domain::organization::OrganizationState;
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::store::event::Subject;
use crate::store::user::User;
use crate::store::{self, Conn};

/// What whoever accepts may do with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// A new account, with a password of its own.
    Fresh,
    /// The unit's own account, or that of somebody who left the unit: a new password.
    Reset,
    /// The account of somebody who left another unit: its password is proved.
    Proof,
}

/// The claim of an invitation into `unit` on the account that has its address; 409 `login_taken`.
pub(super) fn claim(
    conn: &mut Conn,
    unit: OrganizationId,
    known: Option<&User>,
) -> Result<Claim, AppError> {
    let Some(known) = known else {
        return Ok(Claim::Fresh);
    };
    match known.organization_id.or(known.former_organization_id) {
        Some(own) if own == unit => Ok(Claim::Reset),
        _ if is_free(conn, known)? => Ok(Claim::Fresh),
        _ if known.organization_id.is_none() => Ok(Claim::Proof),
        _ => Err(AppError::conflict(Code::login_taken)),
    }
}

/// Whether no verified unit has the account, or had it last.
fn is_free(conn: &mut Conn, known: &User) -> Result<bool, AppError> {
    let Some(unit) = known.organization_id.or(known.former_organization_id) else {
        return Ok(false);
    };
    let state = store::organization::get(conn, unit)?.state;
    Ok(matches!(
        state,
        OrganizationState::Pending | OrganizationState::Refused
    ))
}

/// An account that no verified unit has gives up its address, its sessions and its keys; 409 `login_taken` where one has it.
pub fn release(tx: &mut Conn, actor: &Actor, known: &User) -> Result<(), AppError> {
    if !is_free(tx, known)? {
        return Err(AppError::conflict(Code::login_taken));
    }
    store::user::release(tx, known, actor.now)?;
    store::session::update_all_revoked(tx, known.id, None, actor.now)?;
    store::api_key::update_keys_of_revoked(tx, known.id, actor.now)?;
    let mut event = actor.event(Action::LoginRelease, Subject::new("user", known.id));
    event.organization_id = known.organization_id;
    store::event::append(tx, &event)?;
    Ok(())
}
