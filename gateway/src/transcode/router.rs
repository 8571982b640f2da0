//! Finds the binding for a method and path.
//!
//! A literal is preferred to `*`, `*` to `**`. A last segment `name:verb` is read as a
//! custom verb when any template has that verb, else as a name with a colon in it; a
//! percent-encoded colon never opens a verb.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use http::Method;

use super::percent;
use super::template::{Segment, Template};

/// A path with more segments than this is matched by nothing.
const MAX_SEGMENTS: usize = 64;

/// Which HTTP methods a binding answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    /// This one.
    Only(Method),
    /// Whatever comes (a custom pattern of kind `*`).
    Any,
}

/// Templates and what each leads to.
#[derive(Debug)]
pub(crate) struct Router<T> {
    root: Node,
    targets: Vec<(Template, T)>,
    verbs: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Node {
    literals: BTreeMap<String, Node>,
    one: Option<Box<Node>>,
    here: Vec<Entry>,
    rest: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    verb: Option<String>,
    method: Verb,
    target: usize,
}

/// What a method and path lead to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Matched<'r, T> {
    /// A binding, and the decoded text of each variable of its template, in order.
    Found(&'r T, Vec<String>),
    /// The path exists, but only for these methods.
    WrongMethod(BTreeSet<String>),
    /// The path does not exist.
    Nothing,
    /// The path is not properly percent-encoded UTF-8.
    Malformed,
}

/// Two templates match the same paths for the same method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflict;

impl<T> Router<T> {
    /// Without any template.
    pub(crate) fn new() -> Self {
        Router { root: Node::default(), targets: Vec::new(), verbs: BTreeSet::new() }
    }

    /// Adds a template, unless another one already answers all it would.
    pub(crate) fn insert(&mut self, template: Template, method: Verb, target: T) -> Result<(), Conflict> {
        let mut node = &mut self.root;
        let mut takes_rest = false;
        for segment in &template.segments {
            match segment {
                Segment::Literal(literal) => node = node.literals.entry(literal.clone()).or_default(),
                Segment::One => node = node.one.get_or_insert_default(),
                Segment::Rest => takes_rest = true,
            }
        }
        let entries = if takes_rest { &mut node.rest } else { &mut node.here };
        if entries.iter().any(|entry| entry.verb == template.verb && entry.method == method) {
            return Err(Conflict);
        }
        entries.push(Entry { verb: template.verb.clone(), method, target: self.targets.len() });
        self.verbs.extend(template.verb.clone());
        self.targets.push((template, target));
        Ok(())
    }

    /// Matches a raw path, as it stands in the request line.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Matched<'_, T> {
        let Some(path) = path.strip_prefix('/') else { return Matched::Nothing };
        let (path, verb) = match path.rsplit_once(':') {
            Some((path, verb)) if self.verbs.contains(verb) => (path, Some(verb)),
            _ => (path, None),
        };
        let raw: Vec<&str> = path.split('/').take(MAX_SEGMENTS + 1).collect();
        if raw.len() > MAX_SEGMENTS {
            return Matched::Nothing;
        }
        let mut decoded = Vec::with_capacity(raw.len());
        for segment in &raw {
            match percent::decode(segment) {
                Ok(segment) => decoded.push(segment),
                Err(percent::Malformed) => return Matched::Malformed,
            }
        }
        let mut search = Search { method, verb, found: None, allowed: BTreeSet::new() };
        search.walk(&self.root, &decoded);
        match search.found.and_then(|index| self.targets.get(index)) {
            Some((template, target)) => match capture(template, &raw) {
                Ok(captures) => Matched::Found(target, captures),
                Err(percent::Malformed) => Matched::Malformed,
            },
            None if search.allowed.is_empty() => Matched::Nothing,
            None => Matched::WrongMethod(search.allowed),
        }
    }
}

/// One walk through the tree: the first entry for the method, else the methods there are.
struct Search<'a> {
    method: &'a Method,
    verb: Option<&'a str>,
    found: Option<usize>,
    allowed: BTreeSet<String>,
}

impl Search<'_> {
    fn walk(&mut self, node: &Node, segments: &[Cow<'_, str>]) {
        match segments {
            [] => self.look(&node.here),
            [segment, deeper @ ..] => {
                if let Some(next) = node.literals.get(segment.as_ref()) {
                    self.walk(next, deeper);
                }
                if let (None, Some(next), false) = (self.found, &node.one, segment.is_empty()) {
                    self.walk(next, deeper);
                }
            }
        }
        if self.found.is_none() {
            self.look(&node.rest);
        }
    }

    fn look(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.verb.as_deref() == self.verb) {
            match &entry.method {
                Verb::Any => self.found = self.found.or(Some(entry.target)),
                Verb::Only(method) if method == self.method => self.found = Some(entry.target),
                Verb::Only(method) => {
                    self.allowed.insert(method.to_string());
                }
            }
        }
    }
}

fn capture(template: &Template, raw: &[&str]) -> Result<Vec<String>, percent::Malformed> {
    let capture_one = |variable: &super::template::Variable| {
        let end = match template.segments.get(variable.end - 1) {
            Some(Segment::Rest) => raw.len(),
            Some(Segment::Literal(_) | Segment::One) | None => variable.end,
        };
        let text = raw.get(variable.start..end).unwrap_or_default().join("/");
        let decoded = if template.spans_segments(variable) {
            percent::decode_keeping_slashes(&text)
        } else {
            percent::decode(&text)
        };
        decoded.map(Cow::into_owned)
    };
    template.variables.iter().map(capture_one).collect()
}

#[cfg(test)]
mod tests {
    use http::Method;
    use proptest::prelude::*;

    use super::{Conflict, Matched, Router, Verb};

    const TEMPLATES: &[(Method, &str)] = &[
        (Method::GET, "/v1/units"),
        (Method::POST, "/v1/units"),
        (Method::GET, "/v1/{name=units/*}"),
        (Method::GET, "/v1/units:lookup"),
        (Method::GET, "/v1/units/special"),
        (Method::POST, "/v1/{name=tasks/*}:issue"),
        (Method::GET, "/v1/{name=tasks/*}"),
        (Method::GET, "/v1/{name=tasks/*}/timeline"),
        (Method::POST, "/v1/{name=tasks/*/assignments/*}:sign"),
        (Method::GET, "/v1/{name=files/**}"),
        (Method::GET, "/v1/{name=files/**}:download"),
        (Method::GET, "/v1/years/{year}"),
        (Method::GET, "/v1/{parent=groups/*}/meetings/{meeting}"),
    ];

    fn router() -> Router<&'static str> {
        let mut router = Router::new();
        for (method, template) in TEMPLATES {
            router.insert(template.parse().unwrap(), Verb::Only(method.clone()), *template).unwrap();
        }
        router
    }

    #[test]
    fn each_path_finds_its_template_and_fields() {
        let table: &[(Method, &str, &str, &[&str])] = &[
            (Method::GET, "/v1/units", "/v1/units", &[]),
            (Method::GET, "/v1/units/shuiliju", "/v1/{name=units/*}", &["units/shuiliju"]),
            (Method::GET, "/v1/%75nits/x", "/v1/{name=units/*}", &["units/x"]),
            (Method::GET, "/v1/units:lookup", "/v1/units:lookup", &[]),
            (Method::GET, "/v1/units/special", "/v1/units/special", &[]),
            (Method::GET, "/v1/units/a%2Fb", "/v1/{name=units/*}", &["units/a%2Fb"]),
            (Method::GET, "/v1/units/%E6%B0%B4", "/v1/{name=units/*}", &["units/水"]),
            (Method::GET, "/v1/units/a:b", "/v1/{name=units/*}", &["units/a:b"]),
            (Method::GET, "/v1/units/a%3Alookup", "/v1/{name=units/*}", &["units/a:lookup"]),
            (Method::POST, "/v1/tasks/1:issue", "/v1/{name=tasks/*}:issue", &["tasks/1"]),
            (Method::GET, "/v1/tasks/1/timeline", "/v1/{name=tasks/*}/timeline", &["tasks/1"]),
            (
                Method::POST,
                "/v1/tasks/1/assignments/2:sign",
                "/v1/{name=tasks/*/assignments/*}:sign",
                &["tasks/1/assignments/2"],
            ),
            (Method::GET, "/v1/files/a/b/c", "/v1/{name=files/**}", &["files/a/b/c"]),
            (Method::GET, "/v1/files", "/v1/{name=files/**}", &["files"]),
            (Method::GET, "/v1/files/a/b:download", "/v1/{name=files/**}:download", &["files/a/b"]),
            (Method::GET, "/v1/years/20%2F23", "/v1/years/{year}", &["20/23"]),
            (
                Method::GET,
                "/v1/groups/1/meetings/2",
                "/v1/{parent=groups/*}/meetings/{meeting}",
                &["groups/1", "2"],
            ),
        ];
        let router = router();
        for (method, path, template, captures) in table {
            let captures = captures.iter().map(ToString::to_string).collect();
            assert_eq!(router.find(method, path), Matched::Found(template, captures), "{method} {path}");
        }
    }

    #[test]
    fn a_path_without_a_template_is_told_from_a_method_without_one() {
        let router = router();
        for path in ["/", "", "/v2/units", "/v1/units/", "/v1/units/a/b", "/v1/units//", "/v1/units:issue"] {
            assert_eq!(router.find(&Method::GET, path), Matched::Nothing, "{path}");
        }
        let only = |methods: &[&str]| Matched::WrongMethod(methods.iter().map(ToString::to_string).collect());
        assert_eq!(router.find(&Method::DELETE, "/v1/units"), only(&["GET", "POST"]));
        assert_eq!(router.find(&Method::GET, "/v1/tasks/1:issue"), only(&["POST"]));
        assert_eq!(router.find(&Method::POST, "/v1/units/special"), only(&["GET"]));
    }

    #[test]
    fn a_path_that_does_not_decode_is_malformed() {
        for path in ["/v1/units/%", "/v1/units/%ff", "/v1/%g0/x"] {
            assert_eq!(router().find(&Method::GET, path), Matched::Malformed, "{path}");
        }
    }

    #[test]
    fn the_same_template_twice_is_a_conflict() {
        let mut router = router();
        let again = router.insert("/v1/{id=units/*}".parse().unwrap(), Verb::Only(Method::GET), "again");
        assert_eq!(again, Err(Conflict));
    }

    #[test]
    fn a_binding_for_any_method_answers_all() {
        let mut router = Router::new();
        router.insert("/v1/any".parse().unwrap(), Verb::Any, ()).unwrap();
        assert_eq!(router.find(&Method::PUT, "/v1/any"), Matched::Found(&(), Vec::new()));
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "[/:%a-z0-9水.]*") {
            router().find(&Method::GET, &path);
        }

        #[test]
        fn a_unit_of_any_name_is_found(name in "[^/]{1,20}") {
            let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assume!(name != "special");
            let path = format!("/v1/units/{encoded}");
            let found = Matched::Found(&"/v1/{name=units/*}", vec![format!("units/{name}")]);
            let router = router();
            prop_assert_eq!(router.find(&Method::GET, &path), found);
        }
    }
}
