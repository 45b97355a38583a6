//! Reads a broker's typed values by name.

use crate::layers::BrokerLayers;
use crate::property::Status;
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
        let number = self.number_or_unset(name);
        assert!(number.is_some(), "{name} has no default");
        number.unwrap_or_default()
    }

    pub(crate) fn int(&self, name: &str) -> i32 {
        let number = self.long(name);
        assert!(i32::try_from(number).is_ok(), "{name} is no int: {number}");
        number as i32
    }

    pub(crate) fn short(&self, name: &str) -> i16 {
        let number = self.long(name);
        number.clamp(i64::from(i16::MIN), i64::from(i16::MAX)) as i16
    }

    pub(crate) fn double(&self, name: &str) -> f64 {
        let value = self.value(name);
        assert!(matches!(value, Some(Value::Double(_))), "{name} is {value:?}, not a double");
        match value {
            Some(Value::Double(double)) => double,
            _ => 0.0,
        }
    }

    pub(crate) fn number_or_unset(&self, name: &str) -> Option<i64> {
        let value = self.value(name)?;
        assert!(value.as_number().is_some(), "{name} is {value:?}, not a number");
        value.as_number()
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
        let value = self.value(name)?;
        assert!(value.as_list().is_some(), "{name} is {value:?}, not a list");
        value.as_list().filter(|items| !items.is_empty()).map(<[String]>::to_vec)
    }

    fn value(&self, name: &str) -> Option<Value> {
        let property = broker_property(name);
        assert!(property.is_some(), "{name} is not in the table");
        debug_assert!(
            property.is_none_or(|property| !matches!(property.status, Status::Accepted(_))),
            "{name} is said to have no effect"
        );
        property.and_then(|property| self.layers.value(property))
    }
}
