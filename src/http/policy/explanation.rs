//! `/policies/{id}/explanation` and `/policies/{id}/diff`: what a pack says, in sentences that can be held beside the official
//! document, and what two packs say differently.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::PolicyId;
use crate::domain::access::Action;
use crate::domain::policy::Source;
use crate::domain::sentence::Sentence;
use crate::error::text::Language;
use crate::http::answer::Answer;
use crate::http::context::RequestContext;
use crate::http::route::{Route, get};
use crate::operations::policy;
use crate::operations::policy_pack::{Difference, Section};

pub(super) fn routes() -> Vec<Route> {
    vec![
        get(
            "/policies/{id}/explanation",
            Action::PolicyExplain,
            "What a pack says, in sentences",
            explanation,
        )
        .answers::<PolicyExplanationShape>(200),
        get(
            "/policies/{id}/diff",
            Action::PolicyCompare,
            "What two packs say differently",
            diff,
        )
        .parameters(&["with"])
        .answers::<PolicyDiffShape>(200),
    ]
}

/// A pack in sentences, in the language of `Accept-Language`.
#[derive(Serialize, ToSchema)]
struct PolicyExplanationShape {
    sections: Vec<SectionShape>,
}

#[derive(Serialize, ToSchema)]
struct SectionShape {
    key: &'static str,
    heading: String,
    sentences: Vec<SentenceShape>,
}

/// One sentence; `source` is `official` or `proposal`, null where the pack does not say whether it is official or a proposal.
#[derive(Serialize, ToSchema)]
struct SentenceShape {
    text: String,
    source: Option<&'static str>,
}

/// Every difference, in the order of the second pack.
#[derive(Serialize, ToSchema)]
struct PolicyDiffShape {
    items: Vec<DifferenceShape>,
}

/// What each of the two says of one key; null: nothing.
#[derive(Serialize, ToSchema)]
struct DifferenceShape {
    key: String,
    before: Option<String>,
    after: Option<String>,
}

fn said(sentence: Sentence, language: Language) -> String {
    match language {
        Language::Chinese => sentence.zh,
        Language::English => sentence.en,
    }
}

impl SectionShape {
    fn new(section: Section, language: Language) -> Self {
        let sentences = section.sentences.into_iter().map(|one| SentenceShape {
            text: said(one.text, language),
            source: one.source.map(Source::as_str),
        });
        Self {
            key: section.key,
            heading: said(section.heading, language),
            sentences: sentences.collect(),
        }
    }
}

impl DifferenceShape {
    fn new(one: Difference, language: Language) -> Self {
        Self {
            key: one.key,
            before: one.before.map(|text| said(text, language)),
            after: one.after.map(|text| said(text, language)),
        }
    }
}

async fn explanation(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    context.params()?;
    let told = policy::explain(&context.app, &context.reader(), id).await?;
    let section = |one| SectionShape::new(one, context.language);
    context.ok(PolicyExplanationShape {
        sections: told.into_iter().map(section).collect(),
    })
}

async fn diff(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let with: PolicyId = context.params()?.required("with")?;
    let found = policy::compare(&context.app, &context.reader(), id, with).await?;
    let item = |one| DifferenceShape::new(one, context.language);
    context.ok(PolicyDiffShape {
        items: found.into_iter().map(item).collect(),
    })
}
