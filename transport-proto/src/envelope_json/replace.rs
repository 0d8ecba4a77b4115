//! Other values in an envelope, the rest byte for byte.

use std::ops::Range;

use smallvec::SmallVec;

use super::scan::{self, Members};
use super::{MalformedJson, Member, name};

/// `json` with each member of `changes` set to the JSON given for it, or taken out if none is
/// given. One that is not there is put at the end. If `changes` names a member twice, the last
/// counts.
///
/// A member that stands there more than once is left only at its last place, so that no two
/// readers can differ; writing the value at each place would let a small envelope become a huge
/// one.
///
/// # Errors
/// `json` is no JSON object, or a value given is no JSON.
pub fn replace(json: &[u8], changes: &[(Member, Option<&[u8]>)]) -> Result<Vec<u8>, MalformedJson> {
    for (member, value) in changes {
        if value.is_some_and(|value| scan::one_value(value).is_err()) {
            return Err(MalformedJson::Value { member: *member });
        }
    }
    let wanted = |member| changes.iter().rev().find(|(changed, _)| *changed == member);
    let wanted = [wanted(Member::Payload), wanted(Member::Inputs)];
    let places = Places::find(json, &wanted)?;
    let edits = places.edits(&wanted);

    let more = edits.iter().map(|edit| edit.lead.len() + edit.value.len());
    let mut out = Vec::with_capacity(json.len() + more.sum::<usize>());
    let mut done = 0;
    for edit in edits {
        out.extend_from_slice(json.get(done..edit.at.start).unwrap_or_default());
        out.extend_from_slice(edit.lead.as_bytes());
        out.extend_from_slice(edit.value);
        done = edit.at.end;
    }
    out.extend_from_slice(json.get(done..).unwrap_or_default());
    Ok(out)
}

/// What shall become of each member, if anything.
type Wanted<'c> = [Option<&'c (Member, Option<&'c [u8]>)>; 2];

/// A member that changes.
struct Place {
    /// Which of [`Wanted`].
    which: usize,
    found: scan::Found,
    /// The opening quote of the member after it.
    next: Option<usize>,
    /// Whether a member that does not change stands before it.
    behind_others: bool,
}

struct Places {
    changing: SmallVec<[Place; 4]>,
    /// One past the opening brace.
    open: usize,
    /// Where the last member that does not change ends.
    others_end: Option<usize>,
}

/// Bytes that are written in place of others.
struct Edit<'c> {
    at: Range<usize>,
    /// Before the value: the name, if that is new.
    lead: &'static str,
    value: &'c [u8],
}

impl Places {
    fn find(json: &[u8], wanted: &Wanted<'_>) -> Result<Self, MalformedJson> {
        let members = Members::of(json)?;
        let mut places = Self {
            changing: SmallVec::new(),
            open: members.open,
            others_end: None,
        };
        let mut before_changes = false;
        for found in members {
            let found = found?;
            if before_changes && let Some(before) = places.changing.last_mut() {
                before.next = Some(found.quote);
            }
            let written = found.name(json);
            let which = wanted.iter().position(|wanted| {
                wanted.is_some_and(|(member, _)| name::is(written, member.name()))
            });
            before_changes = which.is_some();
            match which {
                Some(which) => places.changing.push(Place {
                    which,
                    found,
                    next: None,
                    behind_others: places.others_end.is_some(),
                }),
                None => places.others_end = Some(found.value.end),
            }
        }
        Ok(places)
    }

    /// In the order of their places.
    fn edits<'c>(&self, wanted: &Wanted<'c>) -> SmallVec<[Edit<'c>; 4]> {
        let last_place = |which| self.changing.iter().rposition(|place| place.which == which);
        let last = [last_place(0), last_place(1)];
        let mut edits = SmallVec::new();
        // Where the last member that stays ends.
        let mut stays_to = self.others_end;
        let mut one_stays = false;
        for (n, place) in self.changing.iter().enumerate() {
            let is_last = last.contains(&Some(n));
            let value = wanted.get(place.which).copied().flatten();
            let value = value.and_then(|(_, value)| *value).filter(|_| is_last);
            let value = value.inspect(|_| {
                one_stays = true;
                stays_to = stays_to.max(Some(place.found.value.end));
            });
            let at = match value {
                Some(_) => place.found.value.clone(),
                None => place.cut(one_stays),
            };
            edits.push(Edit {
                at,
                lead: "",
                value: value.unwrap_or_default(),
            });
        }
        self.add_new(wanted, &last, stays_to, &mut edits);
        edits
    }

    /// Members that are not there yet, behind the last one that stays.
    fn add_new<'c>(
        &self,
        wanted: &Wanted<'c>,
        last: &[Option<usize>; 2],
        stays_to: Option<usize>,
        edits: &mut SmallVec<[Edit<'c>; 4]>,
    ) {
        let place = stays_to.unwrap_or(self.open);
        let mut index = edits.partition_point(|edit| edit.at.start < place);
        let mut first = stays_to.is_none();
        for (wanted, last) in wanted.iter().zip(last) {
            let Some((member, Some(value))) = wanted else {
                continue;
            };
            if last.is_some() {
                continue;
            }
            let edit = Edit {
                at: place..place,
                lead: lead(*member, std::mem::take(&mut first)),
                value,
            };
            edits.insert(index, edit);
            index += 1;
        }
    }
}

impl Place {
    /// What goes when the member goes: the comma before it, or, if no member stays before it, all
    /// up to the next one.
    fn cut(&self, one_stays: bool) -> Range<usize> {
        let found = &self.found;
        match self.next {
            _ if one_stays || self.behind_others => found.comma..found.value.end,
            Some(next) => found.quote..next,
            None => found.quote..found.value.end,
        }
    }
}

fn lead(member: Member, first: bool) -> &'static str {
    match (member, first) {
        (Member::Payload, true) => r#""payload":"#,
        (Member::Payload, false) => r#","payload":"#,
        (Member::Inputs, true) => r#""inputs":"#,
        (Member::Inputs, false) => r#","inputs":"#,
    }
}
