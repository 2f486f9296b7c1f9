use super::Chrome;
use crate::world::World;

/// Nothing goes on after a test, also after one that has failed.
#[test]
#[cfg(target_os = "linux")]
fn a_browser_ends_with_its_test() {
    let chrome = Chrome::start();
    let folder = chrome.folder().to_owned();
    let tab = chrome.open(&World::shared().url);
    tab.go("/sign-in");
    assert!(!Chrome::processes(&folder).is_empty());
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _chrome = chrome;
        std::panic::resume_unwind(Box::new("a test that fails"));
    }));
    assert!(failed.is_err());
    super::tab::wait_for(|| {
        let left = Chrome::processes(&folder);
        if left.is_empty() { Ok(()) } else { Err(left) }
    });
    assert!(!folder.exists());
}
