//! Deep equality, as `deepEqual`, `has`, `uniq` and `without` see it: of one type and alike.

use super::Value;

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absent | Self::Nil, Self::Absent | Self::Nil) => true,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Int(a, one), Self::Int(b, two)) => a == b && one == two,
            (Self::Uint(a, one), Self::Uint(b, two)) => a == b && one == two,
            (Self::Float(one), Self::Float(two)) => one == two,
            (Self::Complex(a, b), Self::Complex(c, d)) => a == c && b == d,
            (Self::Text(one), Self::Text(two)) => one == two,
            (Self::List(one), Self::List(two)) => {
                one.kind() == two.kind()
                    && one.is_unmade() == two.is_unmade()
                    && one.values() == two.values()
            }
            (Self::Map(one), Self::Map(two)) => {
                one.kind() == two.kind()
                    && one.is_unmade() == two.is_unmade()
                    && one.tree() == two.tree()
            }
            (Self::Moment(one), Self::Moment(two)) => one == two,
            (Self::Version(one), Self::Version(two)) => one == two,
            _ => false,
        }
    }
}
