//! What a conflict names is named in the API document too.

use serde_json::Value;

use super::source::Source;

/// Whose conflicts only the command line tells.
const NO_ANSWERS: &str = "operations/province/";

/// Complains about each member of a conflict that the schema of problem documents does not have.
pub fn unknown_member(source: &Source, problem: &Value) -> Vec<String> {
    if !source.path.starts_with("operations/") || source.path.starts_with(NO_ANSWERS) {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (at, call) in source.text.match_indices(".with(") {
        let after = source.text[at + call.len()..].trim_start();
        let name = after.strip_prefix('"').and_then(|it| it.split('"').next());
        let line = source.text[..at].lines().count();
        if let Some(name) = name.filter(|name| problem["properties"][name].is_null()) {
            let what = format!("the schema of problems has no `{name}`");
            complaints.push(source.complaint(line, &what));
        }
    }
    complaints
}

#[test]
fn refuses_a_member_that_is_not_documented() {
    let problem = serde_json::json!({"properties": {"clash": {}}});
    let text =
        "fn f() { conflict(1).with(\"clash\", 1).with(\n    \"other\", 2); tracing.with(x) }";
    let found = |path| unknown_member(&Source::parse(path, text), &problem).len();
    assert_eq!(found("operations/booking/slot.rs"), 1);
    assert_eq!(found("operations/province/usage.rs"), 0);
}
