//! Bytes that claim to be the JSON envelope of a binary frame.

use transport_proto::envelope_json::{Member, member, replace};

/// A frame's bytes: whatever is set is found again, and nothing changes twice.
pub fn envelope_json(data: &[u8]) {
    let same = replace(data, &[]);
    let Ok(same) = same else {
        assert_eq!(
            member(data, "payload"),
            None,
            "nothing is found in no object"
        );
        return;
    };
    assert_eq!(same, data, "no change changes nothing");
    for name in ["payload", "inputs", "kind"] {
        let value = member(data, name).map(|range| &data[range]);
        assert!(value.is_none_or(|value| !value.trim_ascii().is_empty()));
    }
    let payload = member(data, "payload").map(|range| &data[range]);
    for inputs in [None, Some(&b"[0]"[..])] {
        let changes = [(Member::Payload, payload), (Member::Inputs, inputs)];
        spliced(data, &changes);
        spliced(data, &[(Member::Payload, inputs)]);
    }
}

fn spliced(data: &[u8], changes: &[(Member, Option<&[u8]>)]) {
    let Ok(once) = replace(data, changes) else {
        panic!("what is an object takes any change");
    };
    for (changed, value) in changes {
        let found = member(&once, changed.name()).map(|range| &once[range]);
        assert_eq!(found, *value);
    }
    assert_eq!(replace(&once, changes), Ok(once), "nothing changes twice");
}
