//! `packets.jsonl`: verdicts of the wire contract.
//!
//! Each case is tried three ways: the table-driven judge (`validate`) must find
//! exactly the listed violations or the named fault, the decoded message must say
//! what the summary says, and for messages that carry packets the hot view must
//! come to the same verdict.

use std::collections::BTreeSet;
use std::path::Path;

use transport_proto::contract::Message;
use transport_proto::merged::Merged;
use transport_proto::validate::judge;
use transport_proto::view::{Dialect, PacketBytes, PacketView, parse_process};
use transport_proto::{Malformed, Violation};

use crate::report::{FileError, Report};
use crate::summary;
use crate::vector::{Fault, Finding, Vector, read};

/// Enough for the deepest Struct that a receiver decodes, built and compared by
/// recursion.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Tries every case of the files.
///
/// # Errors
/// [`FileError`] where a file or one of its lines cannot be read.
pub fn check(paths: &[impl AsRef<Path> + Sync]) -> Result<Report, FileError> {
    std::thread::scope(|scope| {
        let run = || {
            let mut report = Report::default();
            for path in paths {
                report.append(check_file(path.as_ref())?);
            }
            Ok(report)
        };
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, run)
            .expect("the system can start a thread")
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn check_file(path: &Path) -> Result<Report, FileError> {
    let mut report = Report::default();
    read(path, |vector| {
        let differences = differences(&vector);
        report.add(vector.id, differences);
    })?;
    Ok(report)
}

fn differences(vector: &Vector) -> Vec<String> {
    let mut differences = Vec::new();
    let verdict = match Merged::decode(vector.message, &vector.bytes) {
        Err(malformed) => Verdict::Fault(fault(malformed)),
        Ok(merged) => {
            if let Some(expected) = &vector.decoded {
                summary::compare(expected, &merged, &mut differences);
            }
            let found = judge(&merged);
            compare_violations(&vector.violations, &found, &mut differences);
            Verdict::of(found.first())
        }
    };
    let expected = match vector.error {
        Some(fault) => Verdict::Fault(fault),
        None if vector.valid => Verdict::Valid,
        None => Verdict::Violated,
    };
    if verdict != expected {
        differences.push(format!("validate says {verdict:?}, expected {expected:?}"));
    }
    if let Some(hot) = hot_verdict(vector.message, &vector.bytes)
        && hot != expected
    {
        differences.push(format!("the view says {hot:?}, expected {expected:?}"));
    }
    differences
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Valid,
    Violated,
    Fault(Fault),
}

impl Verdict {
    fn of(violation: Option<&Violation>) -> Self {
        match violation {
            Some(_) => Self::Violated,
            None => Self::Valid,
        }
    }
}

fn fault(malformed: Malformed) -> Fault {
    if malformed.is_utf8() {
        Fault::Utf8
    } else {
        Fault::Malformed
    }
}

fn compare_violations(
    expected: &BTreeSet<Finding>,
    found: &[Violation],
    differences: &mut Vec<String>,
) {
    let found: BTreeSet<Finding> = found
        .iter()
        .map(|violation| Finding {
            field: violation.field.clone().into_owned(),
            rule: violation.rule.id().to_owned(),
            key: violation.key,
        })
        .collect();
    for missing in expected.difference(&found) {
        differences.push(format!("violation not found: {missing:?}"));
    }
    for extra in found.difference(expected) {
        differences.push(format!("violation not expected: {extra:?}"));
    }
}

/// The hot path's verdict, for messages that it reads.
fn hot_verdict(message: &Message, bytes: &[u8]) -> Option<Verdict> {
    let verdict = match message.name {
        "DataPacket" => packet_verdict(PacketView::parse(bytes, Dialect::Packet)),
        "DataRequest" | "DataResponse" => {
            packet_verdict(PacketView::parse(bytes, Dialect::Connector))
        }
        "ProcessRequest" | "ProcessResponse" => process_verdict(bytes),
        _ => return None,
    };
    Some(verdict.unwrap_or_else(|malformed| Verdict::Fault(fault(malformed))))
}

fn packet_verdict(view: Result<PacketView, Malformed>) -> Result<Verdict, Malformed> {
    Ok(Verdict::of(view?.violation().as_ref()))
}

fn process_verdict(bytes: &[u8]) -> Result<Verdict, Malformed> {
    let process = parse_process(bytes)?;
    let packet: &[u8] = match &process.packet {
        PacketBytes::Absent => &[],
        PacketBytes::At(range) => bytes.get(range.clone()).unwrap_or_default(),
        PacketBytes::Merged(merged) => merged,
    };
    let view = PacketView::parse_in_process(packet, Dialect::Packet)?;
    let of_flow = process.flow.and_then(|flow| flow.violation);
    Ok(Verdict::of(view.violation().or(of_flow).as_ref()))
}
