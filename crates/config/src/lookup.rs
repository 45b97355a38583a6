//! Reads a broker's typed values by name.

use crate::layers::BrokerLayers;
use crate::property::Property;
use crate::table::broker_property;
use crate::value::Value;

/// Typed reading of broker properties through the layers.
///
/// # Panics
/// If a name is not in the table or has another type: names come from this crate's code only.
pub(crate) struct BrokerLookup<'a> {
    layers: &'a BrokerLayers<'a>,
}

impl<'a> BrokerLookup<'a> {
    pub(crate) fn new(layers: &'a BrokerLayers<'a>) -> BrokerLookup<'a> {
        BrokerLookup { layers }
    }

    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.layers.settings(name).next().is_some()
    }

    pub(crate) fn long(&self, name: &str) -> i64 {
        self.number_or_unset(name).unwrap_or_else(|| panic!("{name} has no default"))
    }

    pub(crate) fn int(&self, name: &str) -> i32 {
        i32::try_from(self.long(name)).unwrap_or_else(|_| panic!("{name} is no int"))
    }

    pub(crate) fn short(&self, name: &str) -> i16 {
        let number = self.long(name);
        number.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16
    }

    pub(crate) fn number_or_unset(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Number(number) => Some(number),
            other => panic!("{name} is {other:?}, not a number"),
        }
    }

    pub(crate) fn boolean(&self, name: &str) -> bool {
        self.value(name) == Some(Value::Boolean(true))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.text_or_unset(name).unwrap_or_default()
    }

    /// An empty text counts as not set.
    pub(crate) fn text_or_unset(&self, name: &str) -> Option<String> {
        self.value(name).map(|value| value.to_string()).filter(|text| !text.is_empty())
    }

    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.list_or_unset(name).unwrap_or_default()
    }

    /// An empty list counts as not set.
    pub(crate) fn list_or_unset(&self, name: &str) -> Option<Vec<String>> {
        match self.value(name)? {
            Value::List(items) => Some(items).filter(|items| !items.is_empty()),
            other => panic!("{name} is {other:?}, not a list"),
        }
    }

    fn value(&self, name: &str) -> Option<Value> {
        self.layers.value(property(name))
    }
}

fn property(name: &str) -> &'static Property {
    broker_property(name).unwrap_or_else(|| panic!("{name} is not in the table"))
}
