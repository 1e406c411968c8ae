//! `/organizations/{id}/members`: the people of an organization.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::{UserShape, shown};
use super::answer::{Answer, Page, no_content, reply_once};
use super::context::RequestContext;
use super::json::{Members, Patch};
use super::merge_patch::MergePatch;
use super::route::{BASE, Route, delete, get, patch, post};
use crate::domain::access::{Action, Role};
use crate::domain::account::UserState;
use crate::domain::{Instant, OrganizationId};
use crate::error::{AppError, Fault};
use crate::operations::member::{self, Invitation, Invited, MemberChange};
use crate::operations::run::Reply;
use crate::store::user::User;

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

impl From<InviteBody> for Invited {
    fn from(body: InviteBody) -> Self {
        Self {
            email: body.email,
            roles: body.roles,
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let members = member::list(&context.app, &context.reader(), id, context.page()).await?;
    let limit = context.params()?.limit()?;
    context.ok(Page::cut(members, limit, |user| user.id, UserShape::from)?)
}

async fn invite(context: RequestContext) -> Answer {
    let id: OrganizationId = context.id("id")?;
    let invited = context.body::<InviteBody>().map(Into::into);
    let run = context.run(invitation)?;
    context.answer(member::invite(&run, id, invited).await?, invitation)
}

fn invitation(made: &Invitation) -> Result<Reply, AppError> {
    let shape = |invitation_token| InvitationShape {
        invitation_token,
        email: made.login.clone(),
        roles: made.roles.clone(),
        expires_at: made.expires_at,
    };
    let reply = reply_once(201, &shape(Some(made.token.clone())), &shape(None))?;
    Ok(reply.at(format!(
        "{BASE}/organizations/{}/members",
        made.organization_id
    )))
}

async fn update(context: RequestContext) -> Answer {
    let place = (context.id("id")?, context.id("user_id")?);
    let done = member::update(&context.run(shown)?, place, context.patch(), changed).await?;
    context.answer(done, shown)
}

fn changed(user: &User, patch: &MergePatch) -> Result<(MemberChange, Vec<Fault>), AppError> {
    let present = UserShape::from(user.clone());
    let (body, mut faults) =
        patch.onto(&present, &["roles", "state"], Members::read::<MemberBody>)?;
    let change = MemberChange {
        roles: body.roles.given("roles", &mut faults),
        state: body.state.given("state", &mut faults),
    };
    Ok((change, faults))
}

async fn remove(context: RequestContext) -> Answer {
    let place = (context.id("id")?, context.id("user_id")?);
    let done = member::remove(&context.run(no_content)?, place, context.no_body()).await?;
    context.answer(done, no_content)
}
