//! Building Stories for tests, and what came of loading them.

use hub::story::{LoadOptions, Loaded, Problems, Story, load_str};

/// A streaming Story `s` whose `spec` goes on with these lines (indented by two).
pub(crate) fn streaming(spec: &str) -> String {
    format!(
        "apiVersion: bubustack.io/v1alpha1\nkind: Story\nmetadata: {{ name: s }}\nspec:\n  \
         pattern: streaming\n{spec}"
    )
}

/// Two engram steps, `a` and `b` behind it.
pub(crate) const A_TO_B: &str = "  steps:\n    - { name: a, ref: { name: a }, needs: [] }\n    \
                          - { name: b, ref: { name: b }, needs: [a] }\n";

/// A streaming Story of [`A_TO_B`] on one transport with these streaming settings (flow style).
pub(crate) fn with_settings(settings: &str) -> String {
    streaming(&format!(
        "  transports:\n    - name: t\n      streaming: {settings}\n{A_TO_B}"
    ))
}

pub(crate) fn load(yaml: &str) -> Result<Loaded, Problems> {
    load_str("f.yaml", yaml, &LoadOptions::default())
}

#[track_caller]
pub(crate) fn loads(yaml: &str) -> Loaded {
    load(yaml).unwrap_or_else(|problems| panic!("{problems}\n{yaml}"))
}

/// The only Story of a text.
#[track_caller]
pub(crate) fn story(yaml: &str) -> std::sync::Arc<Story> {
    let loaded = loads(yaml);
    assert_eq!(loaded.snapshot.stories.len(), 1);
    loaded.snapshot.stories[0].clone()
}

/// `LINE: PATH: text` of every problem.
#[track_caller]
pub(crate) fn problems(yaml: &str) -> Vec<String> {
    let problems = load(yaml).err().unwrap_or_else(|| panic!("loads:\n{yaml}"));
    let list = problems.list.iter();
    list.map(|p| p.to_string().strip_prefix("f.yaml:").unwrap().to_owned())
        .collect()
}

/// The only problem of a text must begin with `LINE: PATH: ` and hold the words.
#[track_caller]
pub(crate) fn refused(yaml: &str, start: &str, says: &str) {
    let problems = problems(yaml);
    let [problem] = problems.as_slice() else {
        panic!("not one problem: {problems:#?}\n{yaml}");
    };
    assert!(
        problem.starts_with(&format!("{start}: ")),
        "{problem}\n{yaml}"
    );
    assert!(problem.contains(says), "{says:?} is not in {problem}");
}

/// `PATH: text` of every warning.
pub(crate) fn warnings(loaded: &Loaded) -> Vec<String> {
    let warnings = loaded.warnings.iter();
    warnings
        .map(|w| format!("{}: {}", w.place.path, w.text))
        .collect()
}
