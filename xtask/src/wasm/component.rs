//! The same module as a WASI 0.2 component, by the encoder that belongs to the version of wit-bindgen.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as ADAPTER,
};
use wit_component::ComponentEncoder;

/// Wraps a core module; the type of its world is in a section of its own.
///
/// # Errors
/// A sentence: it is no module of that world.
pub(super) fn wrap(module: &[u8]) -> Result<Vec<u8>, String> {
    let failed = |error| format!("no component can be made of the module: {error:#}");
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(module).and_then(|encoder| encoder.adapter(NAME, ADAPTER)).map_err(failed)?;
    encoder.encode().map_err(failed)
}
