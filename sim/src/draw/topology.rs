//! Who feeds whom.

use crate::random::Random;

/// Steps and edges.
pub(super) struct Shape {
    pub(super) names: Vec<String>,
    pub(super) edges: Vec<(usize, usize)>,
}

/// One of: fan-out, fan-in, chain with a translator, diamond.
pub(super) fn draw(random: &mut Random) -> Shape {
    match random.between(0, 9) {
        0..=4 => fan_out(random.between(1, 3) as usize),
        5 | 6 => fan_in(random.between(2, 3) as usize),
        7 | 8 => chain(random.between(1, 2) as usize),
        _ => diamond(),
    }
}

fn fan_out(sinks: usize) -> Shape {
    let mut names = vec!["src".to_owned()];
    names.extend((0..sinks).map(|n| format!("sink{n}")));
    Shape {
        names,
        edges: (1..=sinks).map(|to| (0, to)).collect(),
    }
}

fn fan_in(sources: usize) -> Shape {
    let mut names: Vec<String> = (0..sources).map(|n| format!("src{n}")).collect();
    names.push("sink".to_owned());
    Shape {
        names,
        edges: (0..sources).map(|from| (from, sources)).collect(),
    }
}

fn chain(sinks: usize) -> Shape {
    let mut names = vec!["src".to_owned(), "echo".to_owned()];
    names.extend((0..sinks).map(|n| format!("sink{n}")));
    let mut edges = vec![(0, 1)];
    edges.extend((0..sinks).map(|n| (1, n + 2)));
    Shape { names, edges }
}

fn diamond() -> Shape {
    let names = ["src", "left", "right", "sink"].map(str::to_owned);
    Shape {
        names: names.to_vec(),
        edges: vec![(0, 1), (0, 2), (1, 3), (2, 3)],
    }
}
