//! Runs tests, benchmarks and failure scenarios beside private servers.

use crate::install;
use crate::report::Report;
use crate::servers::Servers;
use crate::workspace::{Workspace, run, run_for_output};

/// Where tests that start real processes find the program.
const PROGRAM: &str = "XIETONG_PROGRAM";
/// Where they find another language's library of webhooks.
const WEBHOOKS_PYTHON: &str = "XIETONG_WEBHOOKS_PYTHON";

/// Builds everything, then runs the tests with nextest, or without where it is
/// not installed.
pub(crate) fn run_tests(workspace: &Workspace, report: &mut Report, arguments: &[String]) {
    let Some(()) = report.step("install servers", Servers::install) else { return };
    let python = report.step("install standardwebhooks", || install::webhooks_python(workspace));
    let Some(python) = python else { return };
    // One build with one feature set; a build of single crates would compile
    // dependencies anew with other features.
    let whole =
        !arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package"));
    if whole {
        let build = || run(&mut workspace.cargo(["build", "--workspace", "--lib", "--bins", "--tests"]));
        let Some(()) = report.step("build", build) else { return };
    }
    let Some(servers) = report.step("start servers", Servers::start) else { return };
    report.step("tests", || {
        let mut tests = if workspace.has_cargo("nextest") {
            workspace.cargo(["nextest", "run"])
        } else {
            eprintln!("cargo-nextest is not installed: cargo test runs the same tests, slower");
            workspace.cargo(["test", "--no-fail-fast", "--lib", "--bins", "--tests"])
        };
        if whole {
            tests.arg("--workspace");
        }
        tests
            .args(arguments)
            .env(PROGRAM, workspace.target().join("debug/xietong"))
            .env(WEBHOOKS_PYTHON, &python);
        servers.tell(&mut tests);
        run(&mut tests)
    });
    report.step("stop servers", || {
        drop(servers);
        Ok(())
    });
}

/// Builds a program of the crate `xietong-tests` and the one it is about in
/// release mode, and runs it.
pub(crate) fn run_release(
    workspace: &Workspace,
    report: &mut Report,
    program: &str,
    name: &str,
    arguments: &[String],
) {
    let Some(()) = report.step("install servers", Servers::install) else { return };
    let built = report.step("build", || {
        let packages = ["build", "--release", "-p", "xietong", "-p", "xietong-tests", "--bins"];
        run(&mut workspace.cargo(packages))
    });
    let Some(()) = built else { return };
    let Some(servers) = report.step("start servers", Servers::start) else { return };
    report.step("run", || {
        let release = workspace.target().join("release");
        let mut command = workspace.command(release.join(program));
        command.arg(name).args(arguments).env(PROGRAM, release.join("xietong"));
        servers.tell(&mut command);
        run_for_output(&mut command)
    });
    report.step("stop servers", || {
        drop(servers);
        Ok(())
    });
}
