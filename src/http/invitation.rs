//! `/organizations/{id}/invitations`, inviting a member, and `/auth/invitations/accept`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::account::UserShape;
use super::answer::{Answer, Page, no_content, reply, reply_once};
use super::context::RequestContext;
use super::route::{BASE, Route, delete, get, post};
use crate::domain::access::{Action, Role};
use crate::domain::{Instant, InvitationId, OrganizationId, UserId};
use crate::error::AppError;
use crate::operations::invitation::{self, Acceptance, Invited, NewToken};
use crate::operations::run::Reply;
use crate::store::Json;
use crate::store::invitation::Invitation;
use crate::store::user::User;

pub fn routes() -> Vec<Route> {
    vec![
        post(
            "/organizations/{id}/members",
            Action::MemberInvite,
            "Invite a person; the token is shown once and works once. For a member it sets a new password. Whoever supervises a \
             unit without an active administrator invites one",
            invite,
        )
        .also(Action::UnitAdminInvite)
        .ignores_version()
        .takes::<InviteBody>()
        .answers::<NewInvitationShape>(201),
        get(
            "/organizations/{id}/invitations",
            Action::InvitationList,
            "The invitations of an organization that can still be accepted",
            list,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<InvitationShape>>(200),
        delete(
            "/organizations/{id}/invitations/{invitation_id}",
            Action::InvitationWithdraw,
            "Withdraw an invitation",
            withdraw,
        )
        .ignores_version()
        .answers_status(204),
        post(
            "/auth/invitations/accept",
            Action::InvitationAccept,
            "Join an organization, or set a new password by an invitation of the own one; an invitation works once",
            accept,
        )
        .ignores_caller()
        .once_for_visitors()
        .proves(&[429])
        .signs_in()
        .takes::<AcceptBody>()
        .answers::<UserShape>(201),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InviteBody {
    /// The address the person will sign in with.
    email: String,
    roles: Vec<Role>,
}

impl From<InviteBody> for Invited {
    fn from(body: InviteBody) -> Self {
        Self {
            email: body.email,
            roles: body.roles,
        }
    }
}

#[derive(Serialize, ToSchema)]
struct InvitationShape {
    id: InvitationId,
    email: String,
    roles: Vec<Role>,
    /// Who invited; `null` for the command line.
    invited_by: Option<UserId>,
    created_at: Instant,
    expires_at: Instant,
}

#[derive(Serialize, ToSchema)]
struct NewInvitationShape {
    /// `null` when the request is repeated under its idempotency key: the token is shown once.
    invitation_token: Option<String>,
    #[serde(flatten)]
    invitation: InvitationShape,
}

impl From<Invitation> for InvitationShape {
    fn from(row: Invitation) -> Self {
        Self {
            id: row.id,
            email: row.login,
            roles: Json::into_inner(row.roles),
            invited_by: row.invited_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

async fn invite(context: RequestContext) -> Answer {
    let id: OrganizationId = context.id("id")?;
    let invited = context.body::<InviteBody>().map(Into::into);
    let run = context.run(made)?;
    context.answer(invitation::invite(&run, id, invited).await?, made)
}

fn made(new: &NewToken) -> Result<Reply, AppError> {
    let shape = |invitation_token| NewInvitationShape {
        invitation_token,
        invitation: new.invitation.clone().into(),
    };
    let reply = reply_once(201, &shape(Some(new.token.clone())), &shape(None))?;
    Ok(reply.at(format!(
        "{BASE}/organizations/{}/members",
        new.invitation.organization_id
    )))
}

async fn list(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let open = invitation::list(&context.app, &context.reader(), id, context.page()).await?;
    let limit = context.params()?.limit()?;
    context.ok(Page::cut(
        open,
        limit,
        |invitation| invitation.id,
        InvitationShape::from,
    )?)
}

async fn withdraw(context: RequestContext) -> Answer {
    let place = (context.id("id")?, context.id("invitation_id")?);
    let run = context.run(no_content)?;
    let done = invitation::withdraw(&run, place, context.no_body()).await?;
    context.answer(done, no_content)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptBody {
    invitation_token: String,
    name: String,
    phone: Option<String>,
    /// The password to sign in with; somebody who left another organization gives the one the account has.
    password: String,
}

impl From<AcceptBody> for Acceptance {
    fn from(body: AcceptBody) -> Self {
        Self {
            invitation_token: body.invitation_token,
            name: body.name,
            phone: body.phone,
            password: body.password,
        }
    }
}

async fn accept(context: RequestContext) -> Answer {
    let acceptance = context.body::<AcceptBody>().map(Into::into);
    let run = context.run_with_password(joined)?;
    context.answer(invitation::accept(&run, acceptance).await?, joined)
}

fn joined(user: &User) -> Result<Reply, AppError> {
    let shape = UserShape::from(user.clone());
    let reply = reply(201, &shape)?.of_version(user.version);
    Ok(reply.at(format!("{BASE}/me")))
}
