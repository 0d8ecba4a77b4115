//! One text, compiled in the dialect that is its own.

use crate::cel::CelText;
use crate::compile::{CompileError, Dialect, ErrorKind, Mode};
use crate::fault::Fault;
use crate::limits::Limits;
use crate::reads::Reads;
use crate::template::{Cx, MetadataTest, Template};
use crate::value::Value;

#[derive(Debug)]
pub(crate) enum Program {
    Template(Template),
    Cel(CelText),
}

impl Program {
    pub(crate) fn compile(
        source: &str,
        (mode, dialect): (Mode, Dialect),
        limits: &Limits,
    ) -> Result<Self, Vec<CompileError>> {
        let as_cel = || CelText::compile(source, mode, limits).map(Self::Cel);
        if dialect == Dialect::Cel && source.contains("{{") {
            return as_cel();
        }
        match Template::compile(source, mode, limits) {
            Ok(template) => Ok(Self::Template(template)),
            Err(errors) => {
                let is_none = errors.iter().all(|error| error.kind == ErrorKind::Parse);
                if dialect == Dialect::TemplateOrCel && is_none {
                    // What is wrong with it as a template is what its author wants to hear.
                    return as_cel().map_err(|_| errors);
                }
                Err(errors)
            }
        }
    }

    /// Whether the text is no template though templates were asked for.
    pub(crate) fn is_fallback(&self, dialect: Dialect) -> bool {
        dialect == Dialect::TemplateOrCel && matches!(self, Self::Cel(_))
    }

    pub(crate) fn is_literal(&self) -> bool {
        matches!(self, Self::Template(template) if template.is_literal())
    }

    /// The text as it was written.
    pub(crate) fn source(&self) -> &str {
        match self {
            Self::Template(template) => template.source(),
            Self::Cel(text) => text.source(),
        }
    }

    /// The comparison with metadata that it is, if it is one.
    pub(crate) fn metadata_test(&self) -> Option<MetadataTest> {
        match self {
            Self::Template(template) => template.metadata_test(),
            Self::Cel(_) => None,
        }
    }

    pub(crate) fn reads(&self) -> &Reads {
        match self {
            Self::Template(template) => template.reads(),
            Self::Cel(text) => text.reads(),
        }
    }

    pub(crate) fn evaluate<'v>(
        &'v self,
        root: &Value<'v>,
        cx: &Cx<'_>,
    ) -> Result<Value<'v>, Fault> {
        match self {
            Self::Template(template) => template.evaluate(root, cx),
            Self::Cel(text) => text.evaluate(root, cx),
        }
    }
}
