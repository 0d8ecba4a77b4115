//! Our values as the `cel` crate's, and back.
//!
//! An object stays where it lies: a field of it is looked up when an expression asks. A list
//! is converted when it is reached, which is what bounds walks over it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ::cel::ExecutionError;
use ::cel::common::traits::{Container, Indexer, Iterable, Iterator, Sizer};
use ::cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, Kind, MAP_TYPE,
    Type,
};
use ::cel::common::value::{CowVal, Val};
use ::cel::context::VariableResolver;

use crate::fault::{Bound, Fault};
use crate::limits::Meter;
use crate::template::Cx;
use crate::value::{Map, Text, Tree, Value};

/// Elements of one list that an expression may reach.
const MOST_ELEMENTS: usize = 4_096;
/// Looks of one evaluation.
const MOST_LOOKS: u64 = 100_000;
/// Nesting of a result.
const MOST_DEPTH: usize = 128;

static MAP: Type = MAP_TYPE;

/// The roots of one evaluation.
#[derive(Debug)]
pub(super) struct Roots<'v> {
    root: Value<'v>,
    left: Budget,
}

/// Looks that an evaluation has left: one for a field, one for an element of a list. The
/// interpreter counts no steps, but it cannot go on without looking.
type Budget = Arc<AtomicU64>;

/// Takes looks; what cannot be taken leaves none.
fn take(budget: &Budget, looks: usize) -> Result<(), ExecutionError> {
    let left = budget.load(Ordering::Relaxed).saturating_sub(looks as u64);
    budget.store(left, Ordering::Relaxed);
    if left == 0 {
        return Err(ExecutionError::function_error("look", "out of fuel"));
    }
    Ok(())
}

impl<'v> Roots<'v> {
    pub(super) fn new(root: Value<'v>, meter: &Meter) -> Self {
        Self {
            root,
            left: Arc::new(AtomicU64::new(meter.left().min(MOST_LOOKS))),
        }
    }

    /// What ran out, if anything did.
    pub(super) fn ran_out(&self) -> Option<Bound> {
        (self.left.load(Ordering::Relaxed) == 0).then_some(Bound::Fuel)
    }
}

impl VariableResolver for Roots<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        if !matches!(name, "inputs" | "packet" | "steps") {
            return None;
        }
        let value = self.root.as_map()?.get(name.as_bytes())?;
        let found = val_of(value, &self.left, 0).ok()?;
        Some(CowVal::Owned(found))
    }
}

/// An object whose fields are looked up where it lies.
#[derive(Debug)]
struct Object<'v> {
    map: Map<'v>,
    left: Budget,
    /// All of it, once something asked for that.
    whole: OnceLock<CelMap<'v>>,
}

fn too_long() -> ExecutionError {
    ExecutionError::function_error("walk", "a list is longer than an expression may reach")
}

/// A value for the interpreter.
fn val_of<'v>(
    value: Value<'v>,
    left: &Budget,
    depth: usize,
) -> Result<Box<dyn Val + 'v>, ExecutionError> {
    take(left, 1)?;
    if depth > MOST_DEPTH {
        return Err(ExecutionError::function_error("read", "nested too deep"));
    }
    Ok(match value {
        Value::Absent | Value::Nil => Box::new(CelNull),
        Value::Bool(bit) => Box::new(CelBool::from(bit)),
        Value::Int(_, number) => Box::new(CelInt::from(number)),
        Value::Uint(_, number) => Box::new(CelInt::from(number as i64)),
        Value::Float(number) => Box::new(CelDouble::from(number)),
        Value::Text(Text::Borrowed(bytes)) => {
            Box::new(CelString::from(String::from_utf8_lossy(bytes)))
        }
        Value::Text(text) => Box::new(CelString::from(
            String::from_utf8_lossy(text.bytes()).into_owned(),
        )),
        Value::Map(map) => Box::new(Object {
            map,
            left: Arc::clone(left),
            whole: OnceLock::new(),
        }),
        Value::List(list) => {
            let values = list.values();
            if values.len() > MOST_ELEMENTS {
                return Err(too_long());
            }
            let elements: Result<Vec<_>, _> = values
                .iter()
                .map(|value| val_of(value.clone(), left, depth + 1))
                .collect();
            Box::new(CelList::from(elements?))
        }
        other @ (Value::Complex(..) | Value::Moment(_) | Value::Version(_)) => {
            let text = crate::format::print(&other);
            Box::new(CelString::from(String::from_utf8_lossy(&text).into_owned()))
        }
    })
}

impl<'v> Object<'v> {
    fn whole(&self) -> &CelMap<'v> {
        self.whole.get_or_init(|| {
            let mut entries: HashMap<CelMapKey<'v>, Box<dyn Val + 'v>> = HashMap::new();
            for (key, value) in self.map.tree().iter().take(MOST_ELEMENTS) {
                let key = String::from_utf8_lossy(key.bytes()).into_owned();
                if let Ok(value) = val_of(value.clone(), &self.left, 0) {
                    entries.insert(CelMapKey::from(key), value);
                }
            }
            CelMap::from(entries)
        })
    }
}

impl Val for Object<'_> {
    fn get_type(&self) -> &Type {
        &MAP
    }

    fn cel_type() -> &'static Type {
        &MAP
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn into_indexer<'v>(self: Box<Self>) -> Option<Box<dyn Indexer + 'v>>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        // Maps compare entry by entry from whichever side is asked.
        match (other.as_sizer(), other.as_indexer()) {
            (Some(sizer), Some(indexer)) if other.get_type().kind() == Kind::Map => {
                sizer.size() == self.size()
                    && self.map.tree().iter().all(|(key, value)| {
                        let key = String::from_utf8_lossy(key.bytes()).into_owned();
                        let mine = val_of(value.clone(), &self.left, 0);
                        let theirs = indexer.get(&CelString::from(key));
                        matches!((mine, theirs), (Ok(a), Ok(b)) if a.equals(b.as_ref()))
                    })
            }
            _ => false,
        }
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Object {
            map: self.map.clone(),
            left: Arc::clone(&self.left),
            whole: OnceLock::new(),
        })
    }
}

impl Indexer for Object<'_> {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(key) = key.downcast_ref::<CelString<'_>>() else {
            return Err(ExecutionError::UnexpectedType {
                got: key.get_type().name().to_owned(),
                want: "string".to_owned(),
            });
        };
        match self.map.get(key.inner().as_bytes()) {
            Some(value) => val_of(value, &self.left, 0).map(CowVal::Owned),
            None => Err(ExecutionError::no_such_key(key.inner())),
        }
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Iterable for Object<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        self.whole().iter()
    }
}

impl Container for Object<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(value
            .downcast_ref::<CelString<'_>>()
            .is_some_and(|key| self.map.get(key.inner().as_bytes()).is_some()))
    }
}

impl Sizer for Object<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(self.map.len() as i64)
    }
}

/// A result, borrowing nothing.
pub(super) fn value_of<'v>(val: &dyn Val, cx: &Cx<'_>) -> Result<Value<'v>, Fault> {
    owned(val, cx, 0)
}

fn owned<'v>(val: &dyn Val, cx: &Cx<'_>, depth: usize) -> Result<Value<'v>, Fault> {
    cx.meter.burn(1)?;
    if depth > MOST_DEPTH {
        return Err(Fault::Limit(Bound::Depth));
    }
    let unfit = |error: ExecutionError| Fault::type_error(error.to_string());
    match val.get_type().kind() {
        Kind::String => {
            let text = val
                .downcast_ref::<CelString<'_>>()
                .map_or("", |text| text.inner());
            if text.len() > cx.limits.output_bytes {
                return Err(Fault::Limit(Bound::Output));
            }
            cx.meter.make(text.len())?;
            Ok(Value::owned(text))
        }
        Kind::List => {
            let Some(list) = val.downcast_ref::<CelList<'_>>() else {
                return Err(Fault::type_error("a list that cannot be read"));
            };
            let values: Result<Vec<_>, _> = list
                .inner()
                .iter()
                .map(|element| owned(element.as_ref(), cx, depth + 1))
                .collect();
            values.map(Value::list)
        }
        Kind::Map => {
            let (Some(keys), Some(indexer)) = (val.as_iterable(), val.as_indexer()) else {
                return Err(Fault::type_error("a map that cannot be read"));
            };
            let mut tree = Tree::new();
            let mut keys = keys.iter();
            while let Some(key) = keys.next() {
                let value = indexer.get(key).map_err(unfit)?;
                let key = crate::format::print(&owned(key, cx, depth + 1)?);
                tree.insert(Text::from(key), owned(value.as_ref(), cx, depth + 1)?);
            }
            Ok(Value::map(tree))
        }
        _ => match ::cel::Value::try_from(val).map_err(unfit)? {
            ::cel::Value::Null => Ok(Value::Nil),
            ::cel::Value::Bool(bit) => Ok(Value::Bool(bit)),
            ::cel::Value::Int(number) => Ok(Value::int(number)),
            ::cel::Value::UInt(number) => Ok(Value::Uint(crate::value::UintType::Uint64, number)),
            ::cel::Value::Float(number) => Ok(Value::Float(number)),
            ::cel::Value::String(text) => Ok(Value::owned(text.as_bytes())),
            ::cel::Value::Bytes(bytes) => Ok(Value::owned(bytes.as_slice())),
            ::cel::Value::Timestamp(time) => Ok(Value::owned(time.to_rfc3339())),
            ::cel::Value::Duration(span) => Ok(Value::owned(crate::moment::duration_text(
                span.num_nanoseconds().unwrap_or(i64::MAX),
            ))),
            other => Err(Fault::type_error(format!(
                "a result of type {}",
                other.type_of()
            ))),
        },
    }
}
