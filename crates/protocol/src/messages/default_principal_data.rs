//! DefaultPrincipalData, version 0, flexible.
//!
//! Generated from `schema/wire/default_principal_data.msg`
//! by `cargo xtask codegen`; edit that.

use std::ops::RangeInclusive;

use crate::{DecodeError, EncodeError, Fields, Message, Reader, Str, Writer};

/// A principal inside an Envelope request, after an int16 version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DefaultPrincipalData {
    pub r#type: Str,
    pub name: Str,
    pub token_authenticated: bool,
}

impl Fields for DefaultPrincipalData {
    const MIN_BYTES: usize = 4;

    fn read(r: &mut Reader, _version: i16) -> Result<Self, DecodeError> {
        let it = DefaultPrincipalData {
            r#type: r.string()?,
            name: r.string()?,
            token_authenticated: r.bool()?,
        };
        r.skip_tags()?;
        Ok(it)
    }

    fn write(&self, w: &mut Writer, _version: i16) -> Result<(), EncodeError> {
        w.string(&self.r#type)?;
        w.string(&self.name)?;
        w.bool(self.token_authenticated);
        w.no_tags();
        Ok(())
    }
}

impl Message for DefaultPrincipalData {
    const NAME: &'static str = "DefaultPrincipalData";
    const VERSIONS: RangeInclusive<i16> = 0..=0;
    const FLEXIBLE_FROM: Option<i16> = Some(0);
}
