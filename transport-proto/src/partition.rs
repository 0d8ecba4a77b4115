//! Partitions by hash (spec 2.3): which partition a value belongs to.

/// FNV-1a, 32 bits, over the UTF-8 bytes of a value.
#[must_use]
pub fn fnv1a32(value: &str) -> u32 {
    const BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    value.bytes().fold(BASIS, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(PRIME)
    })
}

/// The name of the partition of `value`: `p` and a number below `partitions`, or `h` and
/// the whole sum in lower-case hex without padding where their number is 0.
#[must_use]
pub fn partition_name(value: &str, partitions: u32) -> String {
    let sum = fnv1a32(value);
    match sum.checked_rem(partitions) {
        Some(number) => format!("p{number}"),
        None => format!("h{sum:x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_partition() {
        assert_eq!(fnv1a32(""), 0x811c_9dc5);
        assert_eq!(partition_name("key-145369", 0), "h51b3");
        assert_eq!(partition_name("session:9f3b", 7), "p5");
        assert_eq!(partition_name("anything", 1), "p0");
    }
}
