//! Files, folders, and bytes that are no Story.

use std::fs;
use std::path::Path;

use hub::story::{LoadOptions, Loaded, Problems, load, load_str};

use crate::story::{A_TO_B, streaming};

fn load_all(paths: &[&Path]) -> Result<Loaded, Problems> {
    let paths: Vec<_> = paths.iter().map(|path| path.to_path_buf()).collect();
    load(&paths, &LoadOptions::default())
}

fn named(name: &str) -> String {
    streaming(A_TO_B).replace("name: s }", &format!("name: {name} }}"))
}

fn names(loaded: &Loaded) -> Vec<&str> {
    let stories = loaded.snapshot.stories.iter();
    stories.map(|story| story.name.as_str()).collect()
}

/// The only problem of loading a file with these bytes, `LINE: PATH: text`.
#[track_caller]
fn problem_of(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.yaml");
    fs::write(&path, bytes).unwrap();
    let problems = load_all(&[&path]).unwrap_err();
    let [problem] = problems.list.as_slice() else {
        panic!("{problems}");
    };
    let shown = problem.to_string();
    let name = format!("{}:", path.display());
    shown.strip_prefix(&name).unwrap().to_owned()
}

#[test]
fn folders_are_read_recursively_and_sorted() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("b/deep")).unwrap();
    fs::create_dir_all(at(".hidden")).unwrap();
    for (file, name) in [
        ("c.yml", "c"),
        ("a.yaml", "a"),
        ("b/deep/x.yaml", "b"),
        (".hidden/h.yaml", "hidden"),
        (".h.yaml", "hidden"),
        ("notes.txt", "text"),
    ] {
        fs::write(at(file), named(name)).unwrap();
    }
    let loaded = load_all(&[folder.path()]).unwrap();
    assert_eq!(names(&loaded), ["a", "b", "c"]);
}

#[test]
fn a_file_counts_once_however_often_it_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, named("a")).unwrap();
    std::os::unix::fs::symlink(&file, folder.path().join("link.yaml")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).unwrap();
    let loaded = load_all(&[&file, folder.path(), folder.path()]).unwrap();
    assert_eq!(names(&loaded), ["a"]);
}

#[test]
fn documents_of_several_files_refer_to_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let (story, run) = (folder.path().join("z.yaml"), folder.path().join("run.yaml"));
    fs::write(&story, named("a")).unwrap();
    let text = "apiVersion: runs.bubustack.io/v1alpha1\nkind: StoryRun\nmetadata: { name: r }\n\
                spec: { storyRef: { name: a } }\n";
    fs::write(&run, text).unwrap();
    let loaded = load_all(&[&run, &story]).unwrap();
    assert_eq!(loaded.snapshot.run("default", "r").unwrap().story.name, "a");
    assert!(load_all(&[&run]).is_err());
}

#[test]
fn a_missing_path_and_an_empty_folder_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.yaml");
    let problems = load_all(&[&missing, folder.path()]).unwrap_err();
    let shown: Vec<String> = problems.list.iter().map(ToString::to_string).collect();
    let folder = folder.path().display();
    assert_eq!(
        shown,
        [
            format!("{folder}/missing.yaml:1: (file): there is no such file or folder"),
            format!("{folder}:1: (file): there is no *.yaml or *.yml file in this folder"),
        ]
    );
}

#[test]
fn a_dangling_link_in_a_folder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("a.yaml")).unwrap();
    fs::write(folder.path().join("b.yaml"), named("b")).unwrap();
    let problems = load_all(&[folder.path()]).unwrap_err();
    assert!(
        problems.list[0].place.file.ends_with("/a.yaml"),
        "{problems}"
    );
}

#[test]
fn a_file_that_was_named_may_have_any_ending() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("story.txt");
    fs::write(&file, named("a")).unwrap();
    assert_eq!(names(&load_all(&[&file]).unwrap()), ["a"]);
}

#[test]
fn bytes_that_are_no_text_name_their_line() {
    assert_eq!(
        problem_of(b"a: 1\nb: \xff\n"),
        "2: (file): line 2: is not UTF-8 text"
    );
    assert!(
        problem_of(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0xff, 0xfe]).starts_with("1: (file): ")
    );
    let utf16: Vec<u8> = "\u{feff}kind: Story\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(problem_of(&utf16).starts_with("1: (file): "));
}

#[test]
fn a_file_past_its_limit_is_refused() {
    let text = "#".repeat((8 << 20) + 1);
    assert!(problem_of(text.as_bytes()).contains("larger than 8 MiB"));
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    let windows = "\u{feff}".to_owned() + &streaming(A_TO_B).replace('\n', "\r\n");
    let loaded = load_str("f.yaml", &windows, &LoadOptions::default()).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.snapshot.stories[0].edges.len(), 1);
    let bad = windows.replace("needs: [a]", "needs: [z]");
    let problems = load_str("f.yaml", &bad, &LoadOptions::default()).unwrap_err();
    assert_eq!(problems.list[0].place.line, 8);
}

#[test]
fn tabs_as_indentation_name_their_line() {
    let text = streaming(A_TO_B).replace("  pattern", "\tpattern");
    assert!(problem_of(text.as_bytes()).starts_with("5: (file): line 5, "));
}

#[test]
fn bombs_are_refused_quickly() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..20 {
        let list = format!("*a{}, ", i - 1).repeat(10);
        laughs.push_str(&format!("a{i}: &a{i} [{list}]\n"));
    }
    let deep = |open: &str| streaming(A_TO_B) + "extra: " + &open.repeat(50_000);
    for text in [laughs, deep("["), deep("{a: "), deep("- "), deep("? ")] {
        assert!(problem_of(text.as_bytes()).contains(": (file): line "));
    }
}

/// A small generator, so that a failure can be repeated (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

#[test]
fn no_mutation_of_a_good_file_brings_the_loader_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/stories/loads");
    let seeds: Vec<Vec<u8>> = fs::read_dir(root)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    let parts: &[&[u8]] = &[
        b"[",
        b"]",
        b"{",
        b"}",
        b": ",
        b"- ",
        b"? ",
        b"&a ",
        b"*a",
        b"!!int ",
        b"!x ",
        b"|\n",
        b">-\n",
        b"\"",
        b"'",
        b"\n",
        b"\t",
        b"#",
        b"---\n",
        b"...\n",
        b"%TAG ! x\n",
        b"<<: ",
        b"null",
        b"-1",
        b"1e999",
        b"\0",
        b"\xff",
        b"\xc3\xa4",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\r",
        b"needs: [",
        b"name: ",
    ];
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        let mut bytes = seeds[chance.below(seeds.len())].clone();
        for _ in 0..=chance.below(4) {
            let at = chance.below(bytes.len());
            match chance.below(4) {
                0 => bytes.truncate(at),
                1 => {
                    let end = (at + chance.below(40)).min(bytes.len());
                    bytes.drain(at..end);
                }
                2 => {
                    let end = (at + chance.below(200)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    let to = chance.below(bytes.len());
                    bytes.splice(to..to, copy);
                }
                _ => {
                    let part = parts[chance.below(parts.len())];
                    bytes.splice(at..at, part.iter().copied());
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Err(problems) = load_str("f.yaml", &text, &LoadOptions::default()) {
            assert!(!problems.list.is_empty());
            let breaks = text.replace("\r\n", "\n").matches(['\n', '\r']).count();
            let lines = u32::try_from(breaks).unwrap() + 1;
            for problem in &problems.list {
                let line = problem.place.line;
                assert!((1..=lines).contains(&line), "{problem}\n{text}");
            }
        }
    }
}
