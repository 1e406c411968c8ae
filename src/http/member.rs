//! `/organizations/{id}/members`: the people of an organization.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::UserShape;
use super::answer::{Answer, Page};
use super::asked::Asked;
use super::json::Patch;
use super::routes::{BASE, Route, delete, get, patch, post};
use crate::domain::access::{Deed, Role};
use crate::domain::account::UserState;
use crate::domain::{Instant, OrganizationId, UserId};
use crate::error::AppError;
use crate::operations::member::{self, Invitation, Invited, MemberChange};
use crate::operations::organization;
use crate::store;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/organizations/{id}/members",
            "member_list",
            "The people of an organization",
            list,
        )
        .deed(Deed::MemberRead)
        .parameters(&["limit", "cursor"])
        .answers::<MemberPage>(200),
        post(
            "/organizations/{id}/members",
            "member_invite",
            "Invite a person; the token is shown once and works once",
            invite,
        )
        .deed(Deed::MemberInvite)
        .ignores_version()
        .takes::<InviteBody>()
        .answers::<InvitationShape>(201),
        patch(
            "/organizations/{id}/members/{user_id}",
            "member_update",
            "Give a member other roles, suspend it or let it in again",
            update,
        )
        .deed(Deed::MemberUpdate)
        .takes::<MemberBody>()
        .answers::<UserShape>(200)
        .needs_version(),
        delete(
            "/organizations/{id}/members/{user_id}",
            "member_remove",
            "Remove a member",
            remove,
        )
        .deed(Deed::MemberRemove)
        .answers_status(204),
    ]
}

/// Only for the API document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "says what a page of members looks like")]
struct MemberPage {
    items: Vec<UserShape>,
    next_cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InviteBody {
    /// The address the person will sign in with.
    email: String,
    roles: Vec<Role>,
}

#[derive(Serialize, ToSchema)]
struct InvitationShape {
    /// `null` when the request is repeated under its idempotency key: the token is shown once.
    invitation_token: Option<String>,
    email: String,
    roles: Vec<Role>,
    expires_at: Instant,
}

impl From<Invitation> for InvitationShape {
    fn from(invitation: Invitation) -> Self {
        Self {
            invitation_token: invitation.token,
            email: invitation.login,
            roles: invitation.roles,
            expires_at: invitation.expires_at,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MemberBody {
    #[serde(default)]
    #[schema(value_type = Option<Vec<Role>>)]
    roles: Patch<Vec<Role>>,
    #[serde(default)]
    #[schema(value_type = Option<UserState>)]
    state: Patch<UserState>,
}

async fn list(asked: Asked) -> Answer {
    let (caller, id) = (asked.caller()?, asked.id("id")?);
    organization::admit(&asked.app, caller, id, Deed::MemberRead).await?;
    let params = asked.params()?;
    let (limit, after) = (params.limit()?, params.cursor::<UserId>()?);
    let members = asked
        .app
        .store
        .read(move |conn| store::user::list_members(conn, id, after, limit + 1))
        .await?;
    asked.ok(Page::cut(members, limit, |user| user.id, UserShape::from)?)
}

async fn invite(asked: Asked) -> Answer {
    let (caller, id): (_, OrganizationId) = (asked.caller()?, asked.id("id")?);
    organization::admit(&asked.app, caller, id, Deed::MemberInvite).await?;
    let body: InviteBody = asked.json()?;
    let invited = Invited {
        email: body.email,
        roles: body.roles,
    };
    let invitation = member::invite(&asked.app, asked.act()?, id, invited).await?;
    let location = format!("{BASE}/organizations/{id}/members");
    asked.created(location, InvitationShape::from(invitation))
}

async fn update(asked: Asked) -> Answer {
    let caller = asked.caller()?;
    let place = (asked.id("id")?, asked.id("user_id")?);
    let user = member::admit(&asked.app, caller, place, Deed::MemberUpdate).await?;
    let present = user.version;
    let (body, version): (MemberBody, _) =
        asked.change(&UserShape::from(user), present, &["roles", "state"])?;
    let mut faults = Vec::new();
    let change = MemberChange {
        roles: body.roles.given("roles", &mut faults),
        state: body.state.given("state", &mut faults),
    };
    AppError::refuse_all(faults)?;
    let user = member::update(&asked.app, asked.act()?, place, version, change).await?;
    asked.ok_versioned(user.version, UserShape::from(user))
}

async fn remove(asked: Asked) -> Answer {
    let caller = asked.caller()?;
    let place = (asked.id("id")?, asked.id("user_id")?);
    member::admit(&asked.app, caller, place, Deed::MemberRemove).await?;
    let version = asked.version()?;
    member::remove(&asked.app, asked.act()?, place, version).await?;
    asked.no_content()
}
