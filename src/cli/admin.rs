//! `yiqi admin create`: the first administrator, who invites all others; `yiqi admin invite`: an administrator for a unit
//! that has none. There is no default password: one is typed, read
//! from standard input, or made and shown once.

use std::io::{IsTerminal, Write};

use clap::{Args, Subcommand};
use console::Term;
use serde_json::{Value, json};

use super::failure::Failure;
use super::output::{self, Format};
use crate::config::Config;
use crate::error::{AppError, Fault, Location};
use crate::operations::account::{self, Applicant, Uscc, UserFacts};
use crate::operations::invitation;
use crate::operations::password;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an administrator of the platform, and the province's agency when it is missing.
    Create(Arguments),
    /// Invite an administrator for a verified unit that has none; the token is shown once.
    Invite(Invitation),
}

#[derive(Debug, Args)]
pub struct Invitation {
    /// The unified social credit code of the unit.
    #[arg(long, value_name = "USCC")]
    organization: Uscc,
    /// The e-mail address that the person will sign in with.
    #[arg(long)]
    email: String,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Arguments {
    /// The e-mail address to sign in with.
    #[arg(long)]
    email: String,
    /// The person's name.
    #[arg(long)]
    name: String,
    /// The unified social credit code of the agency that runs the platform.
    #[arg(long, value_name = "USCC")]
    agency: Uscc,
    /// Accept a code of the agency whose check character fails.
    #[arg(long)]
    uscc_confirmed: bool,
    /// Read the password from the first line of standard input and ask nothing.
    #[arg(long)]
    password_stdin: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub async fn run(config: Config, action: Command) -> Result<(), Failure> {
    match action {
        Command::Create(arguments) => create(config, arguments).await,
        Command::Invite(arguments) => invite(config, arguments).await,
    }
}

async fn invite(config: Config, arguments: Invitation) -> Result<(), Failure> {
    let url = config.public_url.clone();
    let app = super::open(config).await?;
    let (uscc, email, now) = (
        arguments.organization.clone(),
        arguments.email.clone(),
        app.clock.now(),
    );
    let made = invitation::invite_administrator(&app, uscc, email, now).await;
    app.store.drain();
    let made = made.map_err(|error| match error {
        AppError::NotFound => Failure::Refused(format!(
            "--organization: no verified unit has the code {}",
            arguments.organization
        )),
        other => other.into(),
    })?;
    let (token, until) = (made.token, made.invitation.expires_at);
    match arguments.format {
        Format::Json => output::json(&json!({
            "invitation_id": made.invitation.id,
            "invitation_token": token,
            "email": made.invitation.login,
            "roles": made.invitation.roles,
            "expires_at": until,
        })),
        Format::Table => {
            output::say(&format!(
                "{} may join until {until}: POST {url}/api/v1/auth/invitations/accept",
                arguments.email
            ))?;
            output::say(&format!("Invitation token, shown this once: {token}"))
        }
    }
}

async fn create(config: Config, arguments: Arguments) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let typed = typed_password(arguments.password_stdin)?;
    let made = typed.is_none().then(password::generate);
    let administrator = Applicant {
        facts: UserFacts {
            name: arguments.name,
            email: arguments.email.clone(),
            phone: None,
        },
        password: typed.or_else(|| made.clone()).unwrap_or_default(),
    };
    let now = app.clock.now();
    let agency = (arguments.agency, arguments.uscc_confirmed);
    let made_one = account::create_first_administrator(&app, agency, administrator, now).await;
    app.store.drain();
    let id = made_one.map_err(about_agency)?;
    match arguments.format {
        Format::Json => output::json(
            &json!({"user_id": id, "email": arguments.email, "generated_password": made}),
        ),
        Format::Table => {
            output::say(&format!(
                "{} may sign in as administrator.",
                arguments.email
            ))?;
            match made {
                Some(password) => output::say(&format!("Password, shown this once: {password}")),
                None => Ok(()),
            }
        }
    }
}

/// What the general sentences leave open: which option is meant, and what would do.
fn about_agency(error: AppError) -> Failure {
    match &error {
        AppError::Conflict(conflict) => match conflict
            .members
            .get("platform_agency")
            .and_then(Value::as_str)
        {
            Some(known) => Failure::Refused(format!(
                "the platform is run by the agency {known} already; say it with --agency"
            )),
            None => error.into(),
        },
        AppError::Refused(faults) if faults.iter().any(is_unchecked_code) => {
            Failure::Refused(format!(
                "--agency: {}; --uscc-confirmed accepts it",
                Failure::from(error)
            ))
        }
        _ => error.into(),
    }
}

fn is_unchecked_code(fault: &Fault) -> bool {
    fault.place == Location::Field("uscc".to_owned())
}

/// `None` when nobody typed one, so that one is made.
fn typed_password(from_stdin: bool) -> Result<Option<String>, Failure> {
    let unreadable = |error: std::io::Error| Failure::Unavailable(format!("password: {error}"));
    if from_stdin {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map_err(unreadable)?;
        return Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()));
    }
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut terminal = Term::stderr();
    write!(terminal, "Password (empty: one is made): ").map_err(unreadable)?;
    let first = terminal.read_secure_line().map_err(unreadable)?;
    if first.is_empty() {
        return Ok(None);
    }
    write!(terminal, "Again: ").map_err(unreadable)?;
    if terminal.read_secure_line().map_err(unreadable)? == first {
        Ok(Some(first))
    } else {
        Err(Failure::Refused("the two passwords differ".to_owned()))
    }
}
