//! A report as text for people.

use super::account::{Account, SegmentAccount, WavAccount};
use super::hop::HopAccount;
use super::recording::FRAME_MILLIS;
use super::report::{Latency, Report};
use std::fmt::{self, Display, Formatter};

/// Prints a report; `colour` says whether escape codes are welcome.
pub(super) struct Summary<'a> {
    pub(super) report: &'a Report,
    pub(super) colour: bool,
}

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let report = self.report;
        let account = &report.account;
        writeln!(
            f,
            "\n{:.2} s of speech in {} frames of {FRAME_MILLIS} ms, {} in {:.2} s\n",
            report.recording_seconds,
            account.recording,
            if report.fast {
                "as quickly as possible,"
            } else {
                "in real time,"
            },
            report.elapsed_seconds
        )?;
        frames(f, account)?;
        writeln!(
            f,
            "hop               sent  arrived  missing  duplicated  reordered  altered       p50       p99       max"
        )?;
        for (hop, latency) in account.hops.iter().zip(report.latency) {
            hop_line(f, hop, latency)?;
        }
        segments(f, account)?;
        self.file(f)?;
        self.hub(f)?;
        self.verdict(f)
    }
}

impl Summary<'_> {
    fn file(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let path = self.report.file.display();
        match &self.report.account.wav {
            WavAccount::Equal { samples } => writeln!(
                f,
                "wav       {path}: {samples} samples, bit for bit the labelled segments"
            ),
            WavAccount::Differs { samples, .. } => {
                writeln!(
                    f,
                    "wav       {path}: {samples} samples, not what is labelled"
                )
            }
            WavAccount::Unreadable { .. } => writeln!(f, "wav       {path}: unreadable"),
        }
    }

    fn hub(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.report.hub_dropped.as_deref() {
            None => Ok(()),
            Some([]) => writeln!(f, "hub       dropped nothing"),
            Some(dropped) => {
                for edge in dropped {
                    let (from, to, reason) = (&edge.from, &edge.to, &edge.reason);
                    let packets = edge.packets;
                    writeln!(f, "hub       dropped {packets} of {from} -> {to}: {reason}")?;
                }
                Ok(())
            }
        }
    }

    fn verdict(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for finding in &self.report.findings {
            writeln!(f, "          {finding}")?;
        }
        let (word, code, rest) = if self.report.pass {
            ("PASS", "32", "every frame is accounted for, bit for bit")
        } else {
            ("FAIL", "31", "not everything came out as it should")
        };
        if self.colour {
            writeln!(f, "\x1b[1;{code}m{word}\x1b[0m      {rest}")
        } else {
            writeln!(f, "{word}      {rest}")
        }
    }
}

fn frames(f: &mut Formatter<'_>, account: &Account) -> fmt::Result {
    let Account {
        sent,
        at_vad,
        voiced,
        quiet,
        forwarded,
        recorded,
        ..
    } = account;
    writeln!(
        f,
        "frames    {sent} sent, {at_vad} at vad = {voiced} voiced + {quiet} quiet, \
         {forwarded} forwarded, {recorded} recorded"
    )
}

fn hop_line(f: &mut Formatter<'_>, hop: &HopAccount, latency: Latency) -> fmt::Result {
    let ms = |micros: u64| format!("{:.2} ms", micros as f64 / 1e3);
    writeln!(
        f,
        "{:<15} {:>6} {:>8} {:>8} {:>11} {:>10} {:>8} {:>9} {:>9} {:>9}",
        format!("{} -> {}", hop.ends.from, hop.ends.to),
        hop.sent,
        hop.arrived,
        hop.missing.len(),
        hop.duplicated.len(),
        hop.reordered.len(),
        hop.altered.len(),
        ms(latency.p50_us),
        ms(latency.p99_us),
        ms(latency.max_us)
    )
}

fn segments(f: &mut Formatter<'_>, account: &Account) -> fmt::Result {
    let good = account.segments.iter().filter(|s| s.holds()).count();
    let labelled = account.segments.iter().filter(|s| s.labelled.is_some());
    let labelled = labelled.count();
    writeln!(
        f,
        "segments  {good} of {labelled} as labelled (samples of the recording)"
    )?;
    for segment in &account.segments {
        let SegmentAccount {
            segment: number,
            text,
            labelled,
            found,
        } = segment;
        let range = |samples: &Option<std::ops::Range<usize>>| {
            samples
                .as_ref()
                .map_or("nothing".to_owned(), |r| format!("{r:?}"))
        };
        if segment.holds() {
            writeln!(f, "  {number:>3}  {:<16} {text}", range(found))?;
        } else {
            let (labelled, found) = (range(labelled), range(found));
            writeln!(
                f,
                "  {number:>3}  found {found}, labelled {labelled}: {text}"
            )?;
        }
    }
    Ok(())
}
