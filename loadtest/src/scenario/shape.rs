//! Owns the built-in shapes: scenario files that are compiled in, so that flag and file agree.

use clap::ValueEnum;

use super::Scenario;

/// A ready-made scenario; `loadtest/scenarios/NAME.toml` says what it sends and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Calls: 20 ms audio frames, one listener each.
    Voice,
    /// Cameras: 30 frames a second with key frames, two listeners each.
    Video,
    /// Calls with audio, video and chat at once.
    Mixed,
    /// Few sources, many listeners.
    Fanout,
    /// Calls whose connections are cut and dialled again in waves.
    Storm,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 5] = [
        Shape::Voice,
        Shape::Video,
        Shape::Mixed,
        Shape::Fanout,
        Shape::Storm,
    ];

    /// Text of the scenario file.
    pub fn toml(self) -> &'static str {
        match self {
            Shape::Voice => include_str!("../../scenarios/voice.toml"),
            Shape::Video => include_str!("../../scenarios/video.toml"),
            Shape::Mixed => include_str!("../../scenarios/mixed.toml"),
            Shape::Fanout => include_str!("../../scenarios/fanout.toml"),
            Shape::Storm => include_str!("../../scenarios/storm.toml"),
        }
    }

    /// The scenario.
    pub fn scenario(self) -> Scenario {
        // The files are compiled in and a test reads them all.
        Scenario::from_toml("built-in shape", self.toml())
            .expect("the built-in shapes are valid scenarios")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_a_scenario_of_its_own_name() {
        for shape in Shape::ALL {
            let value = shape.to_possible_value().unwrap();
            assert_eq!(shape.scenario().name, value.get_name());
        }
    }

    #[test]
    fn only_the_storm_cuts_connections() {
        for shape in Shape::ALL {
            assert_eq!(shape.scenario().storm.is_some(), shape == Shape::Storm);
        }
    }
}
