//! The last resort against panics in a library that reads foreign files.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static CAUGHT_HERE: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `work` and turns a panic into its message, without a word on standard error.
///
/// What `work` captured must be dropped by the caller after a panic: it may be half changed.
pub(in crate::model) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT_HERE.get() {
                others(info);
            }
        }));
    });
    let outer = CAUGHT_HERE.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    CAUGHT_HERE.set(outer);
    result.map_err(|payload| {
        let words = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panic".to_owned());
        super::one_line(&words)
    })
}

#[cfg(test)]
mod tests {
    use super::catch;

    #[test]
    fn gives_the_value_or_the_words_of_the_panic() {
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch(|| -> i32 { panic!("no {}", "axis") }), Err("no axis".to_owned()));
    }
}
