//! Secrets of files within their limits, and that no text shows one.

use std::fs;
use std::path::Path;

use engram::{Environment, ExecutionContext, Secrets, SecretsError};

fn expand(path: &Path) -> Result<Secrets, SecretsError> {
    let descriptor = format!("file:{}", path.display());
    Secrets::expand([("all", &*descriptor)], &Environment::default())
}

fn refused(path: &Path) -> String {
    expand(path).expect_err("past a limit").to_string()
}

fn folder_of(files: usize, bytes: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let content = vec![b'x'; bytes];
    for file in 0..files {
        fs::write(folder.path().join(format!("f{file:03}")), &content).expect("a file");
    }
    folder
}

#[test]
fn a_folder_may_have_256_files() {
    let folder = folder_of(256, 1);
    let secrets = expand(folder.path()).expect("as many as there may be");
    assert_eq!(secrets.names().count(), 256);
    fs::write(folder.path().join("g"), "x").expect("a file");
    assert!(refused(folder.path()).ends_with("secret file count exceeds max 256"));
}

#[test]
fn a_file_may_have_a_mebibyte() {
    let folder = folder_of(1, 1 << 20);
    let file = folder.path().join("f000");
    let secrets = expand(&file).expect("as large as it may be");
    assert_eq!(secrets.get("f000").map(str::len), Some(1 << 20));
    fs::write(&file, vec![b'x'; (1 << 20) + 1]).expect("a file");
    let text = refused(&file);
    assert!(
        text.ends_with("secret file f000 exceeds max size 1048576"),
        "{text}"
    );
}

#[test]
fn all_files_of_a_folder_may_have_eight_mebibytes() {
    let folder = folder_of(8, 1 << 20);
    expand(folder.path()).expect("as large as they may be");
    fs::write(folder.path().join("g"), "x").expect("a file");
    let text = refused(folder.path());
    assert!(
        text.ends_with("secret file expansion exceeds max total size 8388608"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let folder = folder_of(1, 1);
    let (file, link) = (folder.path().join("f000"), folder.path().join("link"));
    symlink(&file, &link).expect("a link");
    let text = refused(&link);
    assert!(
        text.ends_with("file secret path must not be a symlink"),
        "{text}"
    );
    let secrets = expand(folder.path()).expect("the folder");
    assert_eq!(secrets.names().collect::<Vec<_>>(), ["f000"]);
    let around = tempfile::tempdir().expect("a folder");
    let linked_folder = around.path().join("secrets");
    symlink(folder.path(), &linked_folder).expect("a link");
    assert!(refused(&linked_folder.join("")).ends_with("must not be a symlink"));
}

#[test]
fn no_text_shows_a_secret() {
    let environment = Environment::from_iter([
        ("BUBU_SECRET_TOKEN", "hunter2"),
        ("BUBU_SECRET_ALL", "env:DB_"),
        ("DB_PASSWORD", "hunter3"),
    ]);
    let secrets = Secrets::of(&environment).expect("secrets");
    assert_eq!(secrets.get("TOKEN"), Some("hunter2"));
    assert_eq!(secrets.get("PASSWORD"), Some("hunter3"));
    let context = ExecutionContext::of(environment.clone());
    let texts = [
        format!("{secrets:?} {secrets} {:?}", secrets.redacted()),
        serde_json::to_string(&secrets).expect("JSON"),
        format!("{environment:?} {environment:#?}"),
        format!("{context:?} {context:#?}"),
    ];
    for text in texts {
        assert!(!text.contains("hunter"), "{text}");
    }
    assert!(
        format!("{context:?}").contains("DB_PASSWORD"),
        "names are shown"
    );
}

#[test]
fn an_error_shows_neither_a_path_nor_what_was_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = format!("file:{}", folder.path().join("none").display());
    let described = [("a", "hunter2"), ("b", &*missing)];
    let error = Secrets::expand(described, &Environment::default()).expect_err("one is missing");
    assert_eq!(error.partial.get("a"), Some("hunter2"));
    let text = format!("{error} {error:?}");
    let path = folder.path().display().to_string();
    assert!(!text.contains("hunter2") && !text.contains(&path), "{text}");
    assert!(text.contains("no such file"), "{text}");
}
