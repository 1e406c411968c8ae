//! `/organizations/{id}/members`: the people of an organization.

use serde::Deserialize;
use utoipa::ToSchema;

use super::account::{UserShape, shown};
use super::answer::{Answer, Page, no_content};
use super::context::RequestContext;
use super::json::{Members, Patch};
use super::merge_patch::MergePatch;
use super::route::{Route, delete, get, patch};
use crate::domain::access::{Action, Role};
use crate::domain::account::UserState;
use crate::error::{AppError, Fault};
use crate::operations::member::{self, MemberChange};
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
struct MemberBody {
    #[serde(default)]
    #[schema(value_type = Option<Vec<Role>>)]
    roles: Patch<Vec<Role>>,
    #[serde(default)]
    #[schema(value_type = Option<UserState>)]
    state: Patch<UserState>,
}

async fn list(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let members = member::list(&context.app, &context.reader(), id, context.page()).await?;
    let limit = context.params()?.limit()?;
    context.ok(Page::cut(members, limit, |user| user.id, UserShape::from)?)
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
