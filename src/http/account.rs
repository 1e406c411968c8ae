//! `/auth/register`, `/auth/password/change`, `/auth/invitations/accept`, `/me`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, no_content, reply};
use super::context::RequestContext;
use super::json::{Members, Patch};
use super::merge_patch::MergePatch;
use super::organization::OrganizationShape;
use super::route::{BASE, Route, get, patch, post};
use crate::domain::access::{Action, Role};
use crate::domain::account::{UserFacts, UserState};
use crate::domain::contact::PublicContact;
use crate::domain::organization::{OrganizationFacts, OrganizationKind};
use crate::domain::{Instant, OrganizationId, RegionCode, Uscc, UserId};
use crate::error::{AppError, Fault};
use crate::operations::account::{
    self, Applicant, Application, PasswordChange, Profile, Registration,
};
use crate::operations::run::Reply;
use crate::store::Json;
use crate::store::user::User;

pub fn routes() -> Vec<Route> {
    vec![
        post(
            "/auth/register",
            Action::AccountRegister,
            "Ask for an organization to join, with its first user",
            register,
        )
        .ignores_caller()
        .once_for_visitors()
        .signs_in()
        .takes::<RegisterBody>()
        .answers::<RegisteredShape>(201),
        post(
            "/auth/password/change",
            Action::PasswordChange,
            "Change the own password; every other session ends, and on request the API keys",
            change_password,
        )
        .proves(&[429])
        .takes::<PasswordBody>()
        .answers_status(204),
        get("/me", Action::MeRead, "Who is signed in", read_me).answers::<UserShape>(200),
        patch(
            "/me",
            Action::MeUpdate,
            "Change the own name or phone",
            update_me,
        )
        .takes::<MeChange>()
        .answers::<UserShape>(200)
        .needs_version(),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RegisterBody {
    organization: NewOrganizationBody,
    user: NewUserBody,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganizationBody {
    name: String,
    kind: OrganizationKind,
    uscc: Uscc,
    /// Says that a code whose check character is wrong was issued like that.
    #[serde(default)]
    uscc_confirmed: bool,
    /// The seat.
    region_code: RegionCode,
    /// Who supervises it follows from the seat: the city, or the province, which alone may set another one later. Any other
    /// value is refused.
    supervising_region_code: Option<RegionCode>,
    /// Universities, institutes and hospitals host without asking.
    #[serde(default, alias = "is_host")]
    wants_to_host: bool,
    address: Option<String>,
    public_contact: Option<PublicContact>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUserBody {
    name: String,
    /// Also the name to sign in with.
    email: String,
    phone: Option<String>,
    password: String,
}

impl From<RegisterBody> for Application {
    fn from(body: RegisterBody) -> Self {
        let RegisterBody { organization, user } = body;
        Self {
            supervisor_wanted: organization.supervising_region_code,
            uscc_confirmed: organization.uscc_confirmed,
            organization: OrganizationFacts {
                name: organization.name,
                kind: organization.kind,
                supervising_region_code: RegionCode::supervising_default(
                    organization.region_code,
                    &organization.uscc,
                ),
                region_code: organization.region_code,
                uscc: organization.uscc,
                is_host: organization.wants_to_host || organization.kind.hosts_by_default(),
                address: organization.address,
                public_contact: organization.public_contact,
            },
            user: Applicant {
                facts: UserFacts {
                    name: user.name,
                    email: user.email,
                    phone: user.phone,
                },
                password: user.password,
            },
        }
    }
}

#[derive(Serialize, ToSchema)]
struct RegisteredShape {
    organization: OrganizationShape,
    user: UserShape,
}

/// A person, as itself and its administrators see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserShape {
    id: UserId,
    organization_id: Option<OrganizationId>,
    email: String,
    name: String,
    phone: Option<String>,
    roles: Vec<Role>,
    state: UserState,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<User> for UserShape {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            organization_id: user.organization_id,
            email: user.login,
            name: user.name,
            phone: user.phone,
            roles: Json::into_inner(user.roles),
            state: user.state,
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

async fn register(context: RequestContext) -> Answer {
    let application = context.body::<RegisterBody>().map(Into::into);
    let run = context.run_with_password(registered)?;
    context.answer(account::register(&run, application).await?, registered)
}

fn registered(made: &Registration) -> Result<Reply, AppError> {
    let shape = RegisteredShape {
        organization: OrganizationShape::whole(made.organization.clone(), 0),
        user: made.user.clone().into(),
    };
    Ok(reply(201, &shape)?.at(format!("{BASE}/organizations/{}", made.organization.id)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    current_password: String,
    new_password: String,
    /// Ends the API keys that the person made, too.
    #[serde(default)]
    end_api_keys: bool,
}

impl From<PasswordBody> for PasswordChange {
    fn from(body: PasswordBody) -> Self {
        Self {
            current: body.current_password,
            new: body.new_password,
            ends_api_keys: body.end_api_keys,
        }
    }
}

async fn change_password(context: RequestContext) -> Answer {
    let change = context.body::<PasswordBody>().map(Into::into);
    let (run, kept) = (context.run_with_password(no_content)?, context.session()?);
    context.answer(
        account::change_password(&run, change, kept).await?,
        no_content,
    )
}

async fn read_me(context: RequestContext) -> Answer {
    let user = account::me(&context.app, &context.reader()).await?;
    context.ok_versioned(user.version, UserShape::from(user))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MeChange {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    phone: Patch<String>,
}

async fn update_me(context: RequestContext) -> Answer {
    let done = account::update_me(&context.run(shown)?, context.patch(), changed).await?;
    context.answer(done, shown)
}

fn changed(user: &User, patch: &MergePatch) -> Result<(Profile, Vec<Fault>), AppError> {
    let present = UserShape::from(user.clone());
    let (change, mut faults) =
        patch.onto(&present, &["name", "phone"], Members::read::<MeChange>)?;
    let profile = Profile {
        name: change.name.over("name", present.name, &mut faults),
        phone: change.phone.onto(present.phone),
    };
    Ok((profile, faults))
}

/// A person as it is now.
pub fn shown(user: &User) -> Result<Reply, AppError> {
    let shape = UserShape::from(user.clone());
    Ok(reply(200, &shape)?.of_version(user.version))
}
