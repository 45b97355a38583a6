use super::Writer;
use crate::{EncodeError, Fields};

/// Arrays and structs.
impl Writer {
    pub fn array<T: Copy>(
        &mut self,
        values: &[T],
        element: impl Fn(&mut Writer, T),
    ) -> Result<(), EncodeError> {
        self.wide_length(values.len())?;
        values.iter().for_each(|value| element(self, *value));
        Ok(())
    }

    pub fn nullable_array<T: Copy>(
        &mut self,
        values: &Option<Vec<T>>,
        element: impl Fn(&mut Writer, T),
    ) -> Result<(), EncodeError> {
        match values {
            Some(values) => self.array(values, element)?,
            None => self.null(),
        }
        Ok(())
    }

    pub fn strings(&mut self, values: &[impl AsRef<str>]) -> Result<(), EncodeError> {
        self.wide_length(values.len())?;
        values.iter().try_for_each(|value| self.string(value.as_ref()))
    }

    pub fn nullable_strings(
        &mut self,
        values: &Option<Vec<impl AsRef<str>>>,
    ) -> Result<(), EncodeError> {
        match values {
            Some(values) => self.strings(values)?,
            None => self.null(),
        }
        Ok(())
    }

    pub fn structs<T: Fields>(&mut self, values: &[T], version: i16) -> Result<(), EncodeError> {
        self.wide_length(values.len())?;
        values.iter().try_for_each(|value| value.write(self, version))
    }

    pub fn nullable_structs<T: Fields>(
        &mut self,
        values: &Option<Vec<T>>,
        version: i16,
    ) -> Result<(), EncodeError> {
        match values {
            Some(values) => self.structs(values, version)?,
            None => self.null(),
        }
        Ok(())
    }

    /// A struct behind a byte that says whether it is there.
    pub fn nullable_structure<T: Fields>(
        &mut self,
        value: &Option<T>,
        version: i16,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => {
                self.i8(1);
                value.write(self, version)?;
            }
            None => self.i8(-1),
        }
        Ok(())
    }
}
