//! Paths of znodes (`PathUtils`).

/// The root, as clients write it. Txns and snapshots write it as the empty path.
pub const ROOT: &str = "/";
/// What ZooKeeper keeps for itself.
pub const SYSTEM: &str = "/zookeeper";
/// Under it stand the limits and counters of quotas.
pub const QUOTA: &str = "/zookeeper/quota";
/// The text of the ensemble's configuration.
pub const CONFIG: &str = "/zookeeper/config";

/// Whether a znode may have this path (`PathUtils.validatePath`).
pub fn is_valid(path: &str) -> bool {
    if path == ROOT {
        return true;
    }
    let Some(inner) = path.strip_prefix('/') else { return false };
    inner.split('/').all(|name| !matches!(name, "" | "." | "..")) && path.chars().all(is_allowed)
}

/// The parent's path; `None` for what is no path at all (`PrepRequestProcessor.validatePathForCreate`). It may be one that no
/// node can have: then the parent does not exist.
pub fn parent(path: &str) -> Option<&str> {
    let slash = path.rfind('/')?;
    if path.contains('\0') {
        return None;
    }
    Some(if slash == 0 { ROOT } else { &path[..slash] })
}

/// The last component.
pub fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether clients may never delete it (`DataTree.isSpecialPath`).
pub fn is_special(path: &str) -> bool {
    matches!(path, ROOT | SYSTEM | QUOTA | CONFIG)
}

/// The path and all its ancestors but the root, longest first.
pub fn upwards(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rfind('/').map(|slash| &path[..slash])).filter(|path| path.len() > 1)
}

/// ZooKeeper looks at UTF-16: what needs two units there is a surrogate to it, and refused.
fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_the_path_of_a_znode() {
        for good in ["/", "/a", "/a/b", "/a/.b", "/a/b.", "/a/...", "/ü", "/a b", "/\u{ffef}", "/\u{a0}"] {
            assert!(is_valid(good), "{good}");
        }
        let bad =
            ["", "a", "/a/", "//", "//a", "/a//b", "/.", "/a/..", "/a/./b", "/../a", "/\0", "/a\u{1f}", "/\u{7f}"];
        for bad in bad.into_iter().chain(["/\u{9f}", "/\u{e000}", "/\u{f8ff}", "/\u{fff0}", "/\u{ffff}", "/\u{1f600}"])
        {
            assert!(!is_valid(bad), "{bad:?}");
        }
    }

    #[test]
    fn parents_and_ancestors() {
        assert_eq!((parent("/a"), parent("/a/b"), parent("//b")), (Some("/"), Some("/a"), Some("/")));
        assert_eq!((parent("a"), parent("a/b"), parent("/a\0")), (None, Some("a"), None));
        assert_eq!((name("/a/b"), name("/")), ("b", ""));
        assert_eq!(upwards("/a/b/c").collect::<Vec<_>>(), ["/a/b/c", "/a/b", "/a"]);
        assert_eq!(upwards("/").count(), 0);
    }
}
