//! From what happened to its envelope.

use std::time::SystemTime;

use engine::{EdgeName, RunName};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::envelope::{Actor, Artifact, Envelope, VERSION};
use super::event::{Event, StepName};

/// The envelope of `event`, which happened `at` in the hub that started as `epoch`.
pub(super) fn envelope(event: &Event, at: SystemTime, epoch: &str) -> Envelope {
    let subject = Subject::of(event);
    let mut payload = object(subject.names());
    payload.extend(object(details(event)));
    let mut artifact = subject.artifact(epoch);
    if let Event::StepConnected { generation, .. } | Event::StepSuperseded { generation, .. } =
        event
    {
        artifact.revision = generation.to_string();
    }
    Envelope {
        name: event.kind().as_str().to_owned(),
        version: VERSION,
        uuid: Uuid::now_v7().to_string(),
        timestamp: humantime::format_rfc3339_millis(at).to_string(),
        actor: Actor {
            kind: "hub".to_owned(),
            id: epoch.to_owned(),
        },
        artifact,
        payload,
    }
}

/// What an event is about.
enum Subject<'a> {
    Hub,
    Story {
        namespace: &'a str,
        story: &'a str,
        path: &'a str,
    },
    /// A file of which nobody knows what it holds.
    File(&'a str),
    Run(&'a RunName),
    Step(&'a StepName),
    Edge(&'a EdgeName),
}

impl<'a> Subject<'a> {
    fn of(event: &'a Event) -> Self {
        match event {
            Event::HubStarted { .. }
            | Event::HubDraining { .. }
            | Event::Withheld { .. }
            | Event::EventsLost { .. } => Self::Hub,
            Event::StoryLoaded {
                namespace,
                story,
                path,
                ..
            } => Self::Story {
                namespace,
                story,
                path,
            },
            Event::RunCreated(name) | Event::RunReady(name) | Event::RunEnded(name) => {
                Self::Run(name)
            }
            Event::StoryRefused { path, .. } => Self::File(path),
            Event::RunDegraded { run, .. } => Self::Run(run),
            Event::StepConnected { step, .. }
            | Event::StepDisconnected { step, .. }
            | Event::StepSuperseded { step, .. } => Self::Step(step),
            Event::StepDuel { step, .. } | Event::StepUnknown { step, .. } => Self::Step(step),
            Event::DropBurst { edge, .. }
            | Event::DeadLetter { edge, .. }
            | Event::DeadLetters { edge, .. }
            | Event::ProducerPaused(edge)
            | Event::ProducerResumed { edge, .. } => Self::Edge(edge),
        }
    }

    fn artifact(&self, epoch: &str) -> Artifact {
        let (kind, id, path) = match self {
            Self::Hub => ("hub", epoch.to_owned(), String::new()),
            Self::Story {
                namespace,
                story,
                path,
            } => ("story", format!("{namespace}/{story}"), (*path).to_owned()),
            Self::File(path) => ("story", (*path).to_owned(), (*path).to_owned()),
            Self::Run(name) => {
                let id = format!("{}/{}", name.namespace, name.run);
                ("run", id, page(&name.namespace, &name.run))
            }
            Self::Step(name) => ("step", name.to_string(), page(&name.namespace, &name.run)),
            Self::Edge(EdgeName { run, from, to }) => {
                let id = format!("{}/{}/{from}->{to}", run.namespace, run.run);
                ("edge", id, page(&run.namespace, &run.run))
            }
        };
        Artifact {
            kind: kind.to_owned(),
            id,
            path,
            revision: String::new(),
        }
    }

    fn names(&self) -> Value {
        match self {
            Self::Hub | Self::File(_) => json!({}),
            Self::Story {
                namespace, story, ..
            } => json!({ "story": story, "namespace": namespace }),
            Self::Run(RunName {
                story,
                namespace,
                run,
            }) => json!({ "story": story, "namespace": namespace, "run": run }),
            Self::Step(StepName {
                namespace,
                run,
                step,
            }) => json!({ "namespace": namespace, "run": run, "step": step }),
            Self::Edge(EdgeName { run, from, to }) => {
                let (story, namespace, run) = (&run.story, &run.namespace, &run.run);
                json!({ "story": story, "namespace": namespace, "run": run, "from": from, "to": to })
            }
        }
    }
}

/// What the payload says beside the names.
fn details(event: &Event) -> Value {
    match event {
        Event::HubStarted { grpc, admin } => json!({ "grpc": grpc, "admin": admin }),
        Event::HubDraining { deadline } => json!({ "deadlineSeconds": deadline.as_secs_f64() }),
        Event::StoryLoaded {
            steps,
            edges,
            routed,
            ..
        } => json!({ "steps": steps, "edges": edges, "routed": routed }),
        Event::RunCreated(_) | Event::RunReady(_) | Event::RunEnded(_) => json!({}),
        Event::StoryRefused { problems, .. } => json!({ "problems": problems }),
        Event::RunDegraded { step, away, .. } => {
            json!({ "step": step, "awaySeconds": away.as_secs_f64() })
        }
        Event::StepConnected {
            peer, generation, ..
        } => json!({ "peer": peer, "generation": generation.get() }),
        Event::StepDisconnected { peer, .. } => json!({ "peer": peer }),
        Event::StepSuperseded {
            peer,
            newcomer,
            generation,
            ..
        } => json!({ "peer": peer, "newcomer": newcomer, "generation": generation.get() }),
        Event::StepDuel {
            present, newcomer, ..
        } => json!({ "present": present, "newcomer": newcomer }),
        Event::StepUnknown { peer, detail, .. } => json!({ "peer": peer, "detail": detail }),
        Event::DropBurst {
            reason,
            packets,
            example: Some(example),
            ..
        } => json!({ "reason": reason, "packets": packets, "example": example }),
        Event::DropBurst {
            reason, packets, ..
        }
        | Event::DeadLetters {
            reason, packets, ..
        } => json!({ "reason": reason, "packets": packets }),
        Event::DeadLetter {
            reason,
            stream_id,
            sequence,
            ..
        } => {
            json!({ "reason": reason, "packets": 1, "streamId": stream_id, "sequence": sequence })
        }
        Event::ProducerPaused(edge) => json!({ "culprit": edge.to }),
        Event::ProducerResumed { edge, pauses } => json!({ "culprit": edge.to, "pauses": pauses }),
        Event::Withheld { events, .. } => json!({ "withheld": events }),
        Event::EventsLost { events } => json!({ "lost": events }),
    }
}

/// Where the admin API shows a run.
fn page(namespace: &str, run: &str) -> String {
    format!("/api/v1/runs/{namespace}/{run}")
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::Kind;

    fn edge() -> EdgeName {
        EdgeName {
            run: RunName {
                story: "story".into(),
                namespace: "default".into(),
                run: "r".into(),
            },
            from: "src".into(),
            to: "slow".into(),
        }
    }

    #[test]
    fn a_pause_names_the_edge_its_page_and_the_culprit() {
        let event = Event::ProducerPaused(edge());
        let made = envelope(&event, SystemTime::UNIX_EPOCH, "e1");
        assert_eq!(made.validate(), Ok(()));
        assert_eq!(made.name, "producer.paused");
        assert_eq!(made.timestamp, "1970-01-01T00:00:00.000Z");
        assert_eq!(made.artifact.id, "default/r/src->slow");
        assert_eq!(made.artifact.path, "/api/v1/runs/default/r");
        let expected = json!({ "story": "story", "namespace": "default", "run": "r",
            "from": "src", "to": "slow", "culprit": "slow" });
        assert_eq!(Value::Object(made.payload), expected);
    }

    #[test]
    fn what_was_withheld_keeps_its_type_and_says_how_many() {
        let event = Event::Withheld {
            kind: Kind::StepUnknown,
            events: 7,
        };
        let made = envelope(&event, SystemTime::UNIX_EPOCH, "e1");
        assert_eq!(made.validate(), Ok(()));
        assert_eq!(made.name, "step.unknown");
        assert_eq!(made.payload["withheld"], 7);
    }
}
