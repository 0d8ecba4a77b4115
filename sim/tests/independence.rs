//! The judge shares nothing with the core that it judges.

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_oracle_and_its_decoder_import_nothing_from_the_engine() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src.join("oracle"), &mut files);
    sources(&src.join("wire"), &mut files);
    assert!(files.len() > 15, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for foreign in ["engine", "transport_proto", "crate::hub", "crate::client"] {
            assert!(
                !text.contains(foreign),
                "{} names {foreign}",
                file.display()
            );
        }
    }
}
