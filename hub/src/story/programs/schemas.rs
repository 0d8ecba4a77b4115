//! The schemas of a Story, compiled when it is loaded (spec 2.3).

use std::sync::Arc;

use engine::route::DocumentSchema;
use schema::Schema;

use crate::story::document::StoryDocument;
use crate::story::{Located, StepKind, Story};

/// A compiled schema.
#[derive(Debug)]
pub struct Checked(Schema);

impl Checked {
    /// Fills the defaults in that `document` lacks, as far as bounds allow; judges nothing.
    pub(in crate::story) fn fill(&self, document: &mut serde_json::Value) {
        // Whoever judges it next tells of bounds that are broken.
        let _ = self.0.fill(document);
    }
}

impl DocumentSchema for Checked {
    fn apply(&self, document: &mut serde_json::Value) -> Result<bool, String> {
        self.0.apply(document).map_err(|broken| broken.to_string())
    }
}

/// The schemas that the packets of one step are held to.
#[derive(Clone, Debug, Default)]
pub struct StepSchemas {
    /// `inputSchema`: what it is given.
    pub input: Option<Arc<Checked>>,
    /// `outputSchema`: what it emits.
    pub output: Option<Arc<Checked>>,
}

/// All schemas of one Story.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    /// By index of the step.
    pub steps: Vec<StepSchemas>,
    /// `inputsSchema`: what a run is given.
    pub inputs: Option<Arc<Checked>>,
}

impl Schemas {
    /// Those of a step; none where it has none.
    pub(crate) fn of(&self, step: usize) -> StepSchemas {
        self.steps.get(step).cloned().unwrap_or_default()
    }
}

/// Compiles the schemas of a routed Story whose ways are known; what is wrong with them is
/// reported. What no packet comes to is not looked at.
pub(in crate::story) fn compile_schemas(document: &StoryDocument<'_>, story: &Story) -> Schemas {
    let compiled = |written: &Located| match Schema::compile(&written.json()) {
        Ok(schema) => Some(Arc::new(Checked(schema))),
        Err(error) => {
            let text = format!("is no schema that packets can be held to: {error}");
            document.view.problem_at(&written.place, text);
            None
        }
    };
    let of_step = |(at, step): (usize, &crate::story::Step)| {
        let StepKind::Engram(engram) = &step.kind else {
            return StepSchemas::default();
        };
        let ways = &story.ways.edges;
        let fed = ways.iter().any(|way| way.to == at);
        let feeds = ways.iter().any(|way| way.from == at);
        let input = engram.input_schema.as_ref().filter(|_| fed);
        let output = engram.output_schema.as_ref().filter(|_| feeds);
        StepSchemas {
            input: input.and_then(compiled),
            output: output.and_then(compiled),
        }
    };
    Schemas {
        steps: story.steps.iter().enumerate().map(of_step).collect(),
        inputs: story.inputs_schema.as_ref().and_then(compiled),
    }
}
