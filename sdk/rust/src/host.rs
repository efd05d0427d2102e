//! The functions that the host gives a module. Outside of WebAssembly, where plugins are only tested, the log goes to
//! standard error and there are no models.

use crate::frame::Kind;

/// The severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug = -4,
    Info = 0,
    Warn = 4,
    Error = 8,
}

#[cfg(target_family = "wasm")]
mod dp1 {
    #[link(wasm_import_module = "dp1")]
    extern "C" {
        pub fn log(level: i32, text: *const u8, n: usize);
        pub fn model_loglik(model: i32, request: *const u8, n: usize, out: *mut u8, room: usize) -> i32;
        pub fn model_score(model: i32, request: *const u8, n: usize, out: *mut u8, room: usize) -> i32;
        pub fn model_embed(model: i32, request: *const u8, n: usize, out: *mut u8, room: usize) -> i32;
    }
}

/// Writes a line to the host's log.
pub fn log(level: Level, message: &str) {
    #[cfg(target_family = "wasm")]
    // SAFETY: the host reads the bytes of the message, during the call.
    unsafe {
        dp1::log(level as i32, message.as_ptr(), message.len())
    }
    #[cfg(not(target_family = "wasm"))]
    eprintln!("{:?}: {}", level, message);
}

/// Carries a request to a model. The answer is put into `out`; the result is its length, or negative.
#[cfg(target_family = "wasm")]
pub(crate) fn ask(kind: Kind, model: i32, request: &[u8], out: &mut [u8]) -> i32 {
    let call = match kind {
        Kind::LOGLIK => dp1::model_loglik,
        Kind::TEXTS => dp1::model_score,
        _ => dp1::model_embed,
    };
    // SAFETY: the host reads the request and writes at most as many bytes as `out` has, during the call.
    unsafe { call(model, request.as_ptr(), request.len(), out.as_mut_ptr(), out.len()) }
}

#[cfg(not(target_family = "wasm"))]
pub(crate) fn ask(_: Kind, _: i32, _: &[u8], _: &mut [u8]) -> i32 {
    -1
}
