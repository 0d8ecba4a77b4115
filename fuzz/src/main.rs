//! Random mutation of seeds, on any toolchain: `fuzz TARGET SECONDS [SEED]`, `fuzz TARGET FILE`.
//!
//! No coverage guides it, so it finds less than libFuzzer and needs nothing. An input that makes a
//! target panic, or takes it longer than [`HANGS`], is written to the working folder and named, and
//! the exit status is 1.

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Inputs grow to this many bytes at most.
const LONGEST: usize = 4096;
/// What takes longer than this hangs, however busy the machine is.
const HANGS: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let named = |name: &str| fuzz::TARGETS.iter().find(|(known, _)| *known == name);
    let Some(((name, target), what)) = args.first().and_then(|n| named(n)).zip(args.get(1)) else {
        let names: Vec<_> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!(
            "fuzz TARGET SECONDS [SEED] | fuzz TARGET FILE; targets: {}",
            names.join(", ")
        );
        return ExitCode::from(2);
    };
    let Ok(seconds) = what.parse() else {
        return replay(*target, what);
    };
    let seed = args.get(2).and_then(|seed| seed.parse().ok());
    run(
        name,
        *target,
        Duration::from_secs(seconds),
        seed.unwrap_or_else(fresh),
    )
}

fn replay(target: fuzz::Target, file: &str) -> ExitCode {
    match std::fs::read(file) {
        Ok(data) => {
            target(&data);
            println!("nothing wrong");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(name: &str, target: fuzz::Target, time: Duration, seed: u64) -> ExitCode {
    let seeds = fuzz::seeds(name);
    let (mut random, began, mut runs) = (Random(seed | 1), Instant::now(), 0u64);
    let present = Present::watched(name, seed);
    let mut slowest = Duration::ZERO;
    while began.elapsed() < time {
        let data = random.mutant(&seeds);
        runs += 1;
        present.begin(&data);
        let started = Instant::now();
        let outcome = catch_unwind(|| target(&data));
        slowest = slowest.max(started.elapsed());
        if outcome.is_err() {
            let file = format!("finding-{name}-{seed}-{runs}");
            let written = std::fs::write(&file, &data);
            println!("{name}: PANIC after {runs} inputs, seed {seed}: {file} ({written:?})");
            return ExitCode::FAILURE;
        }
    }
    println!(
        "{name}: {runs} inputs in {:.0} s, the slowest {} ms, seed {seed}: nothing found",
        began.elapsed().as_secs_f64(),
        slowest.as_millis()
    );
    ExitCode::SUCCESS
}

/// The input that is under way, and since when; a thread of its own ends the process when it hangs.
struct Present(Arc<Mutex<(Instant, Vec<u8>)>>);

impl Present {
    fn watched(name: &str, seed: u64) -> Self {
        let present = Arc::new(Mutex::new((Instant::now(), Vec::new())));
        let (watched, file) = (present.clone(), format!("finding-{name}-{seed}-hangs"));
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                let (since, data) = &*watched.lock().unwrap_or_else(PoisonError::into_inner);
                if since.elapsed() > HANGS {
                    let written = std::fs::write(&file, data);
                    println!("HANGS for {HANGS:?}: {file} ({written:?})");
                    std::process::exit(1);
                }
            }
        });
        Self(present)
    }

    fn begin(&self, input: &[u8]) {
        let (since, data) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *since = Instant::now();
        data.clear();
        data.extend_from_slice(input);
    }
}

fn fresh() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(1, |now| now.as_nanos() as u64)
}

/// Xorshift: a seed gives the same inputs again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn mutant(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut data = match self.below(20) {
            0 => (0..self.below(200)).map(|_| self.next() as u8).collect(),
            _ => seeds
                .get(self.below(seeds.len()))
                .cloned()
                .unwrap_or_default(),
        };
        for _ in 0..=self.below(12) {
            self.change(&mut data, seeds);
        }
        data.truncate(LONGEST);
        data
    }

    fn change(&mut self, data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        const TELLING: [u8; 10] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'{', b'[', b':', b'"'];
        let at = self.below(data.len() + 1);
        let len = self.below((data.len() - at).min(64) + 1);
        match self.below(8) {
            0 if at < data.len() => data[at] ^= 1 << self.below(8),
            1 if at < data.len() => data[at] = TELLING[self.below(TELLING.len())],
            2 if at < data.len() => data[at] = self.next() as u8,
            3 => data.insert(at, self.next() as u8),
            4 => drop(data.drain(at..at + len)),
            5 => {
                let again = data[at..at + len].to_vec();
                let to = self.below(data.len() + 1);
                drop(data.splice(to..to, again));
            }
            6 => data.truncate(at),
            _ => {
                let other = seeds
                    .get(self.below(seeds.len()))
                    .map_or(&[][..], Vec::as_slice);
                let from = self.below(other.len() + 1);
                let to = from + self.below((other.len() - from).min(256) + 1);
                drop(data.splice(at..at, other[from..to].iter().copied()));
            }
        }
    }
}
