use crate::frame::MAX_FRAME;
use crate::guest::{Guest, Methods};
use crate::{Plugin, Result};

/// 16 bytes, in which the host's frames are aligned.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Block(#[allow(dead_code)] [u8; 16]);

/// The state of a module: one instance, the arena that the host writes requests into, and why the last call failed.
pub struct Module<P> {
    manifest: &'static str,
    methods: fn() -> Methods<P>,
    arena: Vec<Block>,
    guest: Option<Guest<P>>,
    error: String,
}

impl<P: Plugin> Module<P> {
    pub fn new(manifest: &'static str, methods: fn() -> Methods<P>) -> Self {
        Module { manifest, methods, arena: Vec::new(), guest: None, error: String::new() }
    }

    /// The place for frames of that size, null when there is no memory for them.
    pub fn alloc(&mut self, size: usize) -> *mut u8 {
        let blocks = (size + 15) / 16;
        if blocks > self.arena.len() {
            self.arena = Vec::new();
            if size > MAX_FRAME || self.arena.try_reserve_exact(blocks).is_err() {
                return std::ptr::null_mut();
            }
            self.arena.resize(blocks, Block([0; 16]));
        }
        self.arena.as_mut_ptr().cast()
    }

    /// Opens the instance with the frame of n bytes that the host has put into the arena.
    pub fn open(&mut self, n: usize) -> i32 {
        report_panics();
        match Guest::open(self.manifest, (self.methods)(), frame(&self.arena, n)) {
            Ok(guest) => {
                self.guest = Some(guest);
                0
            }
            Err(why) => {
                self.error = why.to_string();
                -1
            }
        }
    }

    /// Answers the request in the arena: address and length of the frame, 0 after a failure.
    pub fn run(&mut self, kind: i32, n: usize) -> u64 {
        let answer = match &mut self.guest {
            Some(guest) => guest.run(kind, frame(&self.arena, n)),
            None => Err("the instance is not open".into()),
        };
        give(answer, &mut self.error)
    }

    pub fn flush(&mut self, kind: i32) -> u64 {
        let answer = match &mut self.guest {
            Some(guest) => guest.flush(kind),
            None => Err("the instance is not open".into()),
        };
        give(answer, &mut self.error)
    }

    /// Address and length of why the last call failed.
    pub fn error(&self) -> u64 {
        packed(self.error.as_bytes())
    }
}

/// The frame in the arena; what is longer is none.
fn frame(arena: &[Block], n: usize) -> &[u8] {
    // SAFETY: blocks are plain bytes without gaps.
    let all = unsafe { std::slice::from_raw_parts(arena.as_ptr().cast::<u8>(), 16 * arena.len()) };
    all.get(..n).unwrap_or(&[])
}

fn give(answer: Result<&[u8]>, error: &mut String) -> u64 {
    match answer {
        Ok(frame) => packed(frame),
        Err(why) => {
            *error = why.to_string();
            0
        }
    }
}

fn packed(bytes: &[u8]) -> u64 {
    (bytes.as_ptr() as u64) << 32 | bytes.len() as u64
}

/// Has panics logged by the host, since the trap that they end in says nothing.
fn report_panics() {
    #[cfg(target_family = "wasm")]
    std::panic::set_hook(Box::new(|panic| crate::log(crate::Level::Error, &panic.to_string())));
}

/// Makes the module's exports from a plugin and the traits that it has: `carebot::plugin!(MyPlugin: Scorer,
/// Reward);`. It stands once in a crate, whose `manifest.json` lies beside its `Cargo.toml`.
#[macro_export]
macro_rules! plugin {
    ($plugin:ty: $($kind:ident),+ $(,)?) => {
        const _: () = {
            const MANIFEST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/manifest.json"));

            #[cfg(target_family = "wasm")]
            #[link_section = "dp.manifest"]
            #[used]
            static SECTION: [u8; MANIFEST.len()] =
                *include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/manifest.json"));

            std::thread_local! {
                static MODULE: std::cell::RefCell<$crate::private::Module<$plugin>> =
                    std::cell::RefCell::new($crate::private::Module::new(
                        MANIFEST,
                        || $crate::private::Methods::none()$(.$kind())+,
                    ));
            }

            #[no_mangle]
            extern "C" fn dp_abi_version() -> i32 {
                $crate::ABI << 16
            }

            #[no_mangle]
            extern "C" fn dp_alloc(size: usize) -> *mut u8 {
                MODULE.with(|m| m.borrow_mut().alloc(size))
            }

            #[no_mangle]
            extern "C" fn dp_open(_: *const u8, n: usize) -> i32 {
                MODULE.with(|m| m.borrow_mut().open(n))
            }

            #[no_mangle]
            extern "C" fn dp_run(kind: i32, _: *const u8, n: usize) -> u64 {
                MODULE.with(|m| m.borrow_mut().run(kind, n))
            }

            #[no_mangle]
            extern "C" fn dp_flush(kind: i32) -> u64 {
                MODULE.with(|m| m.borrow_mut().flush(kind))
            }

            #[no_mangle]
            extern "C" fn dp_error() -> u64 {
                MODULE.with(|m| m.borrow().error())
            }
        };
    };
}
