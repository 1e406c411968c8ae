//! `/docs`: the API to browse, served from files that are compiled in; what each problem code means; and the OpenAPI
//! document itself.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::Config;

use super::answer::Answer;
use super::openapi;
use crate::app::App;
use crate::error::text::{self, Language};
use crate::error::{AppError, Code};

const DOCUMENT: &str = "/api/openapi.json";

static SWAGGER: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from(DOCUMENT)
        .deep_linking(true)
        .doc_expansion("none")
        .display_operation_id(true)
        .filter(true)
        .persist_authorization(true)
        // A badge that would ask a server of the makers about our document.
        .validator_url("none");
    Arc::new(config)
});

pub fn configure(config: &mut ServiceConfig) {
    config
        .route(DOCUMENT, web::get().to(document))
        .route("/docs", web::get().to(to_folder))
        .route("/docs/problems/{code}", web::get().to(problem))
        .route("/docs/{file:.*}", web::get().to(file));
}

async fn document(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(openapi::document(&app.config.public_url))
}

/// The page names its files relative to itself.
async fn to_folder() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

async fn file(path: Path<String>) -> Answer {
    let found = utoipa_swagger_ui::serve(&path, SWAGGER.clone())
        .map_err(|error| AppError::internal(error.to_string()))?;
    let file = found.ok_or(AppError::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, file.content_type))
        .body(file.bytes.into_owned()))
}

/// What a code means, in both languages; `type` of every problem document points here.
async fn problem(request: HttpRequest) -> Answer {
    let code = request.match_info().get("code").and_then(Code::find);
    let code = code.ok_or(AppError::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page(code)))
}

fn page(code: Code) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{code}</title><style>body{{font:1.1em/1.6 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}}\
         code{{background:#8882;padding:.1em .3em}}</style><h1><code>{code}</code></h1><p>HTTP {}</p>",
        code.status()
    );
    for language in [Language::Chinese, Language::English] {
        let (tag, title, whole) = (
            language.tag(),
            text::title(code, language),
            text::of(code, language),
        );
        // Writing to a String cannot fail.
        let _ = write!(
            html,
            "<section lang=\"{tag}\"><h2>{}</h2><p>{}</p></section>",
            escape(title),
            escape(whole)
        );
    }
    html.push_str("<p><a href=\"/docs/\">API</a></p></html>");
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_in_both_languages() {
        for code in Code::ALL {
            let page = page(*code);
            for language in [Language::Chinese, Language::English] {
                assert!(page.contains(&escape(text::of(*code, language))), "{code}");
            }
        }
    }

    #[test]
    fn the_browsable_documentation_is_compiled_in() {
        for name in [
            "",
            "swagger-ui.css",
            "swagger-ui-bundle.js",
            "swagger-initializer.js",
        ] {
            let file = utoipa_swagger_ui::serve(name, SWAGGER.clone()).unwrap();
            assert!(!file.unwrap().bytes.is_empty(), "{name}");
        }
        let start = utoipa_swagger_ui::serve("swagger-initializer.js", SWAGGER.clone()).unwrap();
        let start = String::from_utf8(start.unwrap().bytes.into_owned()).unwrap();
        assert!(start.contains(DOCUMENT), "{start}");
    }
}
