//! The HTTP server: the route table on a listening socket, stopped gracefully. Running requests finish, then the writer
//! drains.

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App as Actix, HttpServer};

use super::{docs, envelope, health, routes};
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
    let data = Data::new(app.clone());
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(data.clone())
            .wrap(from_fn(envelope::wrap))
            .configure(routes::configure)
            .configure(docs::configure)
            .route("/health/live", web::get().to(health::live))
            .route("/health/ready", web::get().to(health::ready))
            .default_service(web::route().to(routes::not_found))
    });
    let server = server
        .workers(app.config.workers)
        .shutdown_timeout(app.config.shutdown_seconds)
        .backlog(2048)
        .disable_signals();
    Ok(server.listen(listener).map_err(AppError::internal)?.run())
}
