//! `yiqi serve`: the API and the timed work until SIGTERM or SIGINT. Then running requests finish, the jobs end, and the
//! writer commits what waits.

use std::net::TcpListener;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::failure::Failure;
use super::health::reachable;
use super::{logging, output, seed};
use crate::app::App;
use crate::app::token::{NotKeys, TokenKeys};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::AppError;
use crate::operations::{migration, readiness};
use crate::{http, jobs};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Make the SQLite file when it is missing, bring the schema up to date and load the reference tables.
    #[arg(long)]
    create: bool,
}

pub async fn run(config: Config, arguments: Arguments) -> Result<(), Failure> {
    logging::start(&config)?;
    let lines = config.secret()?.ok_or(NotKeys::Missing)?;
    let keys = TokenKeys::parse(&lines)?;
    if arguments.create {
        migration::migrate(&config, true)?;
    }
    let app = App::open(config, Clock::system(), keys)?;
    app.prepare().await?;
    if let Err(error) = readiness::agree_on_time(&app).await {
        tracing::error!(%error, "not ready");
    }
    if arguments.create {
        seed::load(&app).await?;
    }
    let listener = http::server::listen(&app.config)?;
    output::say(&format!(
        "Listening on {}, serving {1}, documentation at {1}/docs",
        open_address(&listener)?,
        app.config.public_url
    ))?;
    until_stopped(app, listener).await
}

/// Where a person on this machine finds the server, whatever it listens on.
pub fn open_address(listener: &TcpListener) -> Result<String, Failure> {
    let bound = listener.local_addr().map_err(AppError::internal)?;
    Ok(format!("http://{}", reachable(bound)))
}

/// Serves on an open socket and works until a signal asks to stop.
pub async fn until_stopped(app: App, listener: TcpListener) -> Result<(), Failure> {
    let server = http::server::serve(&app, listener)?;
    let handle = server.handle();
    let (stop, stopping) = watch::channel(false);
    let jobs = actix_web::rt::spawn(jobs::run(app.clone(), stopping));
    let signals = actix_web::rt::spawn(async move {
        stop_asked().await;
        tracing::info!("stopping: running requests finish");
        handle.stop(true).await;
    });
    let served = server.await;
    signals.abort();
    // Without a receiver the jobs have ended already.
    let _ = stop.send(true);
    let worked = jobs.await;
    app.work.finish();
    app.store.drain();
    served.map_err(AppError::internal)?;
    worked.map_err(AppError::internal)?;
    let traffic = app.store.traffic();
    tracing::info!(
        statements = traffic.sent(),
        prepared = traffic.prepared(),
        "stopped"
    );
    Ok(())
}

async fn stop_asked() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be awaited");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = terminate => {}
        interrupted = tokio::signal::ctrl_c() => {
            if let Err(error) = interrupted {
                tracing::warn!(%error, "SIGINT cannot be awaited");
            }
        }
    }
}
