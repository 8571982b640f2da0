//! The checks of `cargo xtask ci` that are not tests. Each runs whatever became
//! of the others, so that one run tells everything that is wrong.

use crate::install;
use crate::purity;
use crate::report::Report;
use crate::workspace::{Workspace, run, succeeds};

/// The protos that clients out there have been promised.
const RELEASED: &str = "proto/released.binpb";

/// Format, purity of the domain, dependencies, protos, lints.
pub(crate) fn run_all(workspace: &Workspace, report: &mut Report) {
    report.step("install components", || install::rust_components(workspace));
    report.step("format", || run(&mut workspace.cargo(["fmt", "--all", "--check"])));
    report.step("domain is pure", || purity::check(workspace));
    dependencies(workspace, report);
    protos(workspace, report);
    report.step("lints", || {
        let lints = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        run(&mut workspace.cargo(lints))
    });
}

fn dependencies(workspace: &Workspace, report: &mut Report) {
    let Some(deny) = report.step("install cargo-deny", || install::cargo_deny(workspace)) else { return };
    let check = |what: &[&str]| {
        run(workspace
            .command(&deny)
            .args(["--log-level", "error", "check", "--hide-inclusion-graph"])
            .args(what))
    };
    report.step("dependencies", || check(&["bans", "licenses", "sources"]));
    // The database of advisories is a git repository elsewhere, and a build must not
    // fail because a network does; where it can be had, its word counts.
    if succeeds(workspace.command(&deny).args(["fetch", "db"])) {
        report.step("advisories", || check(&["advisories"]));
    } else {
        report.skip("advisories", "their database cannot be fetched here");
    }
}

/// Style, and promises kept to clients.
pub(crate) fn protos(workspace: &Workspace, report: &mut Report) {
    let Some(buf) = report.step("install buf", || install::buf(workspace)) else { return };
    report.step("protos: style", || run(workspace.command(&buf).args(["lint", "proto"])));
    report.step("protos: breaking", || {
        run(workspace.command(&buf).args(["breaking", "proto", "--against", RELEASED]))
    });
}

/// Writes [`RELEASED`] from the protos as they are.
pub(crate) fn proto_release(workspace: &Workspace, report: &mut Report) {
    let Some(buf) = report.step("install buf", || install::buf(workspace)) else { return };
    report.step("protos: release", || {
        run(workspace.command(&buf).args(["build", "proto", "--exclude-source-info", "-o", RELEASED]))
    });
}
