//! What is wrong with a scenario, in rustc's look: the line, a caret, and what to write instead.

#[cfg(feature = "server")]
use annotate_snippets::Origin;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Rendered;
use crate::scenario::ScenarioError;
#[cfg(feature = "server")]
use crate::server::config::{Complaint, Source};

pub(in crate::cli) fn scenario_error(text: &str, error: &ScenarioError) -> Rendered {
    // A scenario out of a trace may have been cut: the picture must not fail over it.
    let start = error.span.start.min(text.len());
    let span = start..error.span.end.clamp(start, text.len());
    let snippet = Snippet::source(text).path(error.path.as_str()).annotation(AnnotationKind::Primary.span(span));
    let mut group = Level::ERROR.primary_title(error.message.as_str()).element(snippet);
    if let Some(help) = &error.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    // Styled always: the stream takes colours out where they do not belong.
    Rendered(Renderer::styled().render(&[group]))
}

/// The same for the configuration of a server.
#[cfg(feature = "server")]
pub(in crate::cli) fn complaint(complaint: &Complaint, level: Level<'static>) -> Rendered {
    let Source { path, text, .. } = &complaint.source;
    let title = level.primary_title(complaint.message.as_str());
    let mut group = match complaint.span.clone() {
        Some(span) => title
            .element(Snippet::source(text.as_ref()).path(path.as_ref()).annotation(AnnotationKind::Primary.span(span))),
        None => title.element(Origin::path(path.as_ref())),
    };
    if let Some(help) = &complaint.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    Rendered(Renderer::styled().render(&[group]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_underlined() {
        let text = "# moral\n[ensemble]\nparticipant = 3\n";
        let error = ScenarioError {
            path: "scenarios/a.toml".into(),
            line: 3,
            column: 1,
            span: 19..30,
            message: "unknown key `participant`".into(),
            help: Some("did you mean `participants`?".into()),
        };
        let plain = anstream::adapter::strip_str(&scenario_error(text, &error).0).to_string();
        insta::assert_snapshot!(plain, @r"
        error: unknown key `participant`
         --> scenarios/a.toml:3:1
          |
        3 | participant = 3
          | ^^^^^^^^^^^
          |
          = help: did you mean `participants`?
        ");
    }

    #[test]
    fn a_span_past_the_end_does_no_harm() {
        let error = ScenarioError {
            path: "a.toml".into(),
            line: 1,
            column: 1,
            span: 7..99,
            message: "missing key `ensemble`".into(),
            help: None,
        };
        assert!(scenario_error("x", &error).0.contains("missing key"));
        assert!(scenario_error("", &error).0.contains("missing key"));
    }
}
