//! Steps that expressions name (spec 4.3): they must be there, and be on the way.

use std::collections::BTreeSet;

use super::compile::at;
use super::reads::{Expression, Owner};
use crate::story::document::StoryDocument;
use crate::story::read::did_you_mean;
use crate::story::ways::Way;
use crate::story::{Place, Story};

/// Refuses expressions that name a step that is not there, and warns of those that name one that
/// is never there.
pub(in crate::story) fn check_steps(document: &StoryDocument<'_>, story: &Story) {
    // Expressions of one owner stand side by side.
    let mut known: Option<(Owner, Option<BTreeSet<usize>>)> = None;
    for expression in story.expressions() {
        let Some(names) = expression.steps().filter(|names| !names.is_empty()) else {
            continue;
        };
        let owner = &expression.owner;
        if known.as_ref().is_none_or(|(of, _)| of != owner) {
            known = Some((owner.clone(), there(story, owner)));
        }
        let there = known.as_ref().and_then(|(_, there)| there.as_ref());
        for name in names {
            match story.step(name) {
                None => unknown(document, story, (&expression, name)),
                Some(step) => {
                    let Some(there) = there else {
                        continue;
                    };
                    if !there.contains(&step) {
                        let text = never_there(story, name, there);
                        document.view.warn_at(&expression.place, text);
                    }
                }
            }
        }
    }
}

fn unknown(document: &StoryDocument<'_>, story: &Story, (expression, name): (&Expression, &str)) {
    let near = match story.steps.iter().find(|step| step.name == name) {
        Some(step) => format!("; it is the name of a step, whose id is {:?}", step.id),
        None => did_you_mean(name, story.steps.iter().map(|step| step.id.as_str())),
    };
    let column = column(&expression.text, name);
    let text = format!(
        "steps.{name}: {name:?} is no step of this Story{near} ({})",
        at(story, (column, &expression.text), &expression.whose)
    );
    if is_shared(&expression.place) {
        document.view.warn_at(&expression.place, text);
    } else {
        document.view.problem_at(&expression.place, text);
    }
}

/// Whether a Transport gives it, which other Stories may build on too.
fn is_shared(place: &Place) -> bool {
    !place.path.starts_with("spec.steps[") && !place.path.starts_with("spec.transports[")
}

/// Where the name begins, in bytes from 1; 1 where it is spelled in another way.
fn column(text: &str, name: &str) -> usize {
    let is_inner = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let whole = |(at, _): &(usize, &str)| {
        let before = text.get(..*at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..);
        let after = after.and_then(|text| text.chars().next());
        !before.is_some_and(is_inner) && !after.is_some_and(is_inner)
    };
    let found = text.match_indices(name).find(whole);
    found.map_or(1, |(at, _)| at + 1)
}

/// The steps that can be there when it is evaluated; `None` where no packet ever comes.
fn there(story: &Story, owner: &Owner) -> Option<BTreeSet<usize>> {
    let mut there = BTreeSet::new();
    match owner {
        Owner::Step(step) => {
            for way in story.ways.all().filter(|way| way.passes(*step)) {
                there.extend(before(way, *step));
            }
        }
        Owner::Rule(sources, targets) => {
            let concerned = |way: &&Way| {
                let named = |targets: &Vec<usize>| targets.iter().any(|step| way.passes(*step));
                sources.contains(&way.from) && targets.as_ref().is_none_or(named)
            };
            let ends = story.ways.edges.iter().filter(concerned);
            let ends: BTreeSet<usize> = ends.map(|way| way.to).collect();
            // Rules come after the join, whose other branches are there too.
            for way in story.ways.edges.iter().filter(|way| ends.contains(&way.to)) {
                there.extend(before(way, way.to));
            }
        }
    }
    (!there.is_empty()).then_some(there)
}

/// The engram that emits, and the primitives before `step`.
fn before(way: &Way, step: usize) -> impl Iterator<Item = usize> + '_ {
    let via = way.via.iter().copied();
    std::iter::once(way.from).chain(via.take_while(move |passed| *passed != step))
}

fn never_there(story: &Story, name: &str, there: &BTreeSet<usize>) -> String {
    let ids = there.iter().filter_map(|step| story.steps.get(*step));
    let ids: Vec<&str> = ids.map(|step| step.id.as_str()).collect();
    format!(
        "steps.{name} is never there: of the packets that come here only {} {} known (the step \
         that emitted them, and primitives since)",
        ids.join(", "),
        if ids.len() == 1 { "is" } else { "are" }
    )
}

#[cfg(test)]
mod tests {
    use super::column;

    #[test]
    fn a_step_is_found_as_a_whole_name() {
        assert_eq!(column("{{ steps.stt.text }}", "stt"), 10);
        assert_eq!(column("{{ steps.stt2.a }}{{ steps.stt.a }}", "stt"), 28);
        assert_eq!(column("{{ index steps \"a-b\" }}", "a-b"), 17);
        assert_eq!(column("{{ index steps (print \"s\" \"tt\") }}", "stt"), 1);
    }
}
