//! `/organizations/{id}/members`: the people of an organization.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::UserShape;
use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::json::Patch;
use super::route::{BASE, Route, delete, get, patch, post};
use crate::domain::access::{Action, Role};
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
            Action::MemberList,
            "The people of an organization",
            list,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<UserShape>>(200),
        post(
            "/organizations/{id}/members",
            Action::MemberInvite,
            "Invite a person; the token is shown once and works once",
            invite,
        )
        .ignores_version()
        .takes::<InviteBody>()
        .answers::<InvitationShape>(201),
        patch(
            "/organizations/{id}/members/{user_id}",
            Action::MemberUpdate,
            "Give a member other roles, suspend it or let it in again",
            update,
        )
        .takes::<MemberBody>()
        .answers::<UserShape>(200)
        .needs_version(),
        delete(
            "/organizations/{id}/members/{user_id}",
            Action::MemberRemove,
            "Remove a member",
            remove,
        )
        .answers_status(204),
    ]
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

async fn list(context: RequestContext) -> Answer {
    let (caller, id) = (context.caller()?, context.id("id")?);
    organization::admit(&context.app, caller, id, Action::MemberList).await?;
    let params = context.params()?;
    let (limit, after) = (params.limit()?, params.cursor::<UserId>()?);
    let members = context
        .app
        .store
        .read(move |conn| store::user::list_members(conn, id, after, limit + 1))
        .await?;
    context.ok(Page::cut(members, limit, |user| user.id, UserShape::from)?)
}

async fn invite(context: RequestContext) -> Answer {
    let (caller, id): (_, OrganizationId) = (context.caller()?, context.id("id")?);
    organization::admit(&context.app, caller, id, Action::MemberInvite).await?;
    let body: InviteBody = context.json()?;
    let invited = Invited {
        email: body.email,
        roles: body.roles,
    };
    let invitation = member::invite(&context.app, context.actor()?, id, invited).await?;
    let location = format!("{BASE}/organizations/{id}/members");
    context.created(location, InvitationShape::from(invitation))
}

async fn update(context: RequestContext) -> Answer {
    let caller = context.caller()?;
    let place = (context.id("id")?, context.id("user_id")?);
    let user = member::admit(&context.app, caller, place, Action::MemberUpdate).await?;
    let present = user.version;
    let (body, version): (MemberBody, _) =
        context.change(&UserShape::from(user), present, &["roles", "state"])?;
    let mut faults = Vec::new();
    let change = MemberChange {
        roles: body.roles.given("roles", &mut faults),
        state: body.state.given("state", &mut faults),
    };
    AppError::refuse_all(faults)?;
    let user = member::update(&context.app, context.actor()?, place, version, change).await?;
    context.ok_versioned(user.version, UserShape::from(user))
}

async fn remove(context: RequestContext) -> Answer {
    let caller = context.caller()?;
    let place = (context.id("id")?, context.id("user_id")?);
    member::admit(&context.app, caller, place, Action::MemberRemove).await?;
    let version = context.version()?;
    member::remove(&context.app, context.actor()?, place, version).await?;
    context.no_content()
}
