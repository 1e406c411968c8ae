//! The HTTP server: the route table on a listening socket, stopped gracefully. Running requests finish, then the writer
//! drains.

use std::net::TcpListener;
use std::sync::Arc;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::ServerBuilder;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::{AppConfig, Server};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App as Actix, Error};
use tokio::net::TcpStream;

use super::connection::{self, Connections, Stream, overfull};
use super::docs::{self, Document};
use super::rate::RateLimits;
use super::{envelope, routes};
use crate::app::App;
use crate::config::Config;
use crate::error::AppError;

/// Opens the socket the settings name. From here on connections wait until [`serve`] takes them.
pub fn listen(config: &Config) -> Result<TcpListener, AppError> {
    TcpListener::bind(&config.listen).map_err(|error| {
        AppError::unavailable(format!("cannot listen on {}: {error}", config.listen))
    })
}

/// A server on an open socket; await it to serve until its handle stops it. Signals are the caller's to hear: actix
/// would cut running requests off on SIGINT.
pub fn serve(app: &App, listener: TcpListener) -> Result<Server, AppError> {
    let config = Arc::new(Parts {
        app: Data::new(app.clone()),
        limits: Data::new(RateLimits::of(&app.config)?),
        document: Data::default(),
    });
    let most = connection::most(&app.config);
    let connections = Connections::new(most);
    let builder = ServerBuilder::new()
        .workers(app.config.workers)
        // How many there are is decided here, for all workers together.
        .max_concurrent_connections(connection::most_of_worker(most, app.config.workers))
        .shutdown_timeout(app.config.shutdown_seconds)
        .backlog(2048)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder.listen("yiqi", listener, move || {
        let (parts, stopping) = (Arc::clone(&config), stopping.clone());
        let application = Actix::new()
            .wrap(from_fn(envelope::wrap))
            .configure(|config| configure(config, &parts));
        let service = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_disconnect_timeout(std::time::Duration::from_secs(1))
            .on_connect_ext(|stream: &Stream, known| {
                if let Some(connection) = stream.connection() {
                    known.insert(connection);
                }
            });
        let application = actix_service::IntoServiceFactory::into_factory(application);
        let application =
            application.map_err(|error: Error| error.as_response_error().error_response());
        let service = service.h1(map_config(application, |()| AppConfig::default()));
        let connections = connections.clone();
        fn_service(move |io: TcpStream| {
            let connections = connections.clone();
            async move {
                let peer = io.peer_addr().ok();
                match connections.admit().await {
                    Some(admitted) => Ok((Stream::new(io, admitted), peer)),
                    None => Err(refuse(&io)),
                }
            }
        })
        .and_then(service)
    });
    Ok(builder.map_err(AppError::internal)?.run())
}

struct Parts {
    app: Data<App>,
    limits: Data<RateLimits>,
    document: Data<Document>,
}

fn configure(config: &mut ServiceConfig, parts: &Parts) {
    config
        .app_data(parts.app.clone())
        .app_data(parts.limits.clone())
        .app_data(parts.document.clone())
        .configure(routes::configure)
        .configure(docs::configure)
        .default_service(web::route().to(routes::not_found));
}

/// Every connection is at work: this one is told to come again, as far as that goes without waiting.
fn refuse(io: &TcpStream) -> DispatchError {
    tracing::warn!("refused a connection: all of them are at work");
    match io.try_write(&overfull()) {
        Ok(_) => DispatchError::Io(std::io::ErrorKind::ConnectionRefused.into()),
        Err(error) => DispatchError::Io(error),
    }
}
