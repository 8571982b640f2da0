//! The domain crates stay pure: nothing that waits, stores or listens is among
//! what they are built from, directly or through others.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::workspace::Workspace;

/// Whoever depends on one of these could do input and output.
const BANNED: &[&str] =
    &["axum", "hyper", "mio", "redis", "reqwest", "sea-orm", "socket2", "sqlx-core", "tokio", "tonic"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `None` for an ordinary dependency, else `dev` or `build`.
    kind: Option<String>,
}

/// Fails when a crate under `domain/` is built from a banned one.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let output =
        workspace.cargo(["metadata", "--format-version=1"]).output().context("running cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let impure = impure_paths(&metadata);
    if !impure.is_empty() {
        bail!("{}", impure.join("; "));
    }
    Ok(())
}

/// A line for each way from a domain crate to a banned crate.
fn impure_paths(metadata: &Metadata) -> Vec<String> {
    let names: HashMap<&str, &str> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
    let nodes: HashMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let domain = metadata.packages.iter().filter(|package| package.name.starts_with("domain-"));

    let mut impure = Vec::new();
    for package in domain {
        let mut seen = BTreeSet::new();
        let mut open = vec![(package.id.as_str(), package.name.clone())];
        while let Some((id, path)) = open.pop() {
            let ordinary =
                nodes.get(id).into_iter().flat_map(|node| &node.deps).filter(|dependency| {
                    dependency.dep_kinds.iter().any(|dependency| dependency.kind.is_none())
                });
            for dependency in ordinary {
                let name = names.get(dependency.pkg.as_str()).copied().unwrap_or(&dependency.pkg);
                let path = format!("{path} → {name}");
                if BANNED.contains(&name) {
                    impure.push(path);
                } else if seen.insert(dependency.pkg.as_str()) {
                    open.push((&dependency.pkg, path));
                }
            }
        }
    }
    impure
}

#[cfg(test)]
mod tests {
    use super::{Metadata, impure_paths};

    fn metadata(kind: &str) -> Metadata {
        let text = format!(
            r#"{{
                "packages": [
                    {{"id": "1", "name": "domain-roster"}},
                    {{"id": "2", "name": "helper"}},
                    {{"id": "3", "name": "tokio"}}
                ],
                "resolve": {{"nodes": [
                    {{"id": "1", "deps": [{{"pkg": "2", "dep_kinds": [{{"kind": {kind}}}]}}]}},
                    {{"id": "2", "deps": [{{"pkg": "3", "dep_kinds": [{{"kind": null}}]}}]}},
                    {{"id": "3", "deps": []}}
                ]}}
            }}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_banned_crate_behind_another_one_is_found() {
        assert_eq!(impure_paths(&metadata("null")), ["domain-roster → helper → tokio"]);
    }

    #[test]
    fn tests_of_a_domain_crate_may_use_anything() {
        assert!(impure_paths(&metadata("\"dev\"")).is_empty());
    }
}
