//! What stands beside the API: the page at `/`, the API to browse at `/docs`, from files that are compiled in, what each
//! problem code means, the OpenAPI document itself, and whether the service lives.

use std::fmt::Write;
use std::sync::{Arc, LazyLock, OnceLock};

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION, X_FRAME_OPTIONS,
};
use actix_web::web::{Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use sha2::{Digest, Sha256};
use utoipa_swagger_ui::Config;

use super::answer::Answer;
use super::route::read_only;
use super::{health, openapi};
use crate::app::App;
use crate::app::token::hex;
use crate::error::text::{self, Language};
use crate::error::{AppError, Code};

const DOCUMENT: &str = "/api/openapi.json";

/// Pages show what stands on this server alone, and stand in no other page.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static SWAGGER: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from(DOCUMENT)
        .deep_linking(true)
        .doc_expansion("none")
        .display_operation_id(true)
        .filter(true)
        // What is kept in the browser can be read by whatever runs there.
        .persist_authorization(false)
        // A badge that would ask a server of the makers about our document.
        .validator_url("none");
    Arc::new(config)
});

/// The OpenAPI document as it is sent, made when it is first asked for.
#[derive(Debug, Default)]
pub struct Document(OnceLock<(Bytes, String)>);

impl Document {
    fn get(&self, app: &App) -> &(Bytes, String) {
        self.0.get_or_init(|| {
            let text = openapi::document(&app.config.public_url).to_string();
            let digest = hex(&Sha256::digest(text.as_bytes()));
            let tag = digest.get(..32).unwrap_or(&digest);
            (Bytes::from(text), format!("\"{tag}\""))
        })
    }
}

pub fn configure(config: &mut ServiceConfig) {
    config
        .service(read_only("/", start))
        .service(read_only("/health/live", health::live))
        .service(read_only("/health/ready", health::ready))
        .service(read_only(DOCUMENT, document))
        .service(read_only("/docs", to_folder))
        .service(read_only("/docs/problems/{code}", problem))
        .service(read_only("/docs/{file:.*}", file));
}

async fn document(app: Data<App>, document: Data<Document>) -> HttpResponse {
    let (text, tag) = document.get(&app);
    HttpResponse::Ok()
        .insert_header((ETAG, tag.as_str()))
        .content_type("application/json")
        .body(text.clone())
}

fn page_of(content_type: &str) -> HttpResponseBuilder {
    let mut page = HttpResponse::Ok();
    page.insert_header((CONTENT_TYPE, content_type))
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .insert_header((X_FRAME_OPTIONS, "DENY"));
    page
}

const HTML: &str = "text/html; charset=utf-8";

/// What people find who open the address in a browser.
async fn start() -> HttpResponse {
    page_of(HTML).body(format!(
        "{}<h1>Yiqi 仪器</h1>\
         <section lang=\"zh-CN\"><p>大型科研仪器开放共享服务的程序接口。</p><ul>\
         <li><a href=\"/docs/\">接口文档</a></li><li><a href=\"{DOCUMENT}\">OpenAPI 3.1</a></li>\
         <li><a href=\"/api/v1/instruments\">仪器目录</a></li><li><a href=\"/health/ready\">运行状态</a></li></ul></section>\
         <section lang=\"en\"><p>The interface of a service that shares research instruments.</p><ul>\
         <li><a href=\"/docs/\">Documentation</a></li><li><a href=\"{DOCUMENT}\">OpenAPI 3.1</a></li>\
         <li><a href=\"/api/v1/instruments\">Instruments</a></li><li><a href=\"/health/ready\">State</a></li></ul></section></html>",
        beginning("Yiqi 仪器")
    ))
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
    Ok(page_of(&file.content_type).body(file.bytes.into_owned()))
}

/// What a code means, in both languages; `type` of every problem document points here.
async fn problem(request: HttpRequest) -> Answer {
    let code = request.match_info().get("code").and_then(Code::find);
    let code = code.ok_or(AppError::NotFound)?;
    Ok(page_of(HTML).body(page(code)))
}

/// Every page begins so.
fn beginning(title: &str) -> String {
    format!(
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:1.1em/1.6 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}}\
         code{{background:#8882;padding:.1em .3em}}</style>"
    )
}

fn page(code: Code) -> String {
    let mut html = format!(
        "{}<h1><code>{code}</code></h1><p>HTTP {}</p>",
        beginning(code.as_str()),
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
