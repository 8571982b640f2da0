//! Installs what a command needs and this machine lacks.
//!
//! Servers come from Debian's packages, which takes root. Tools that only check
//! things are put under the build directory, in versions fixed here, so that a
//! check means the same on every machine.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use xietong_throwaway::{Postgres, Redis};

use crate::workspace::{Workspace, run, succeeds};

const CARGO_DENY: &str = "0.20.2";
const BUF: &str = "1.75.0";
const STANDARD_WEBHOOKS: &str = "1.1.0";

/// PostgreSQL, Redis, and what the tests call them with.
pub(crate) fn servers() -> anyhow::Result<()> {
    let mut packages = Vec::new();
    if !Postgres::is_installed() {
        packages.push("postgresql");
    }
    if !Redis::is_installed() {
        packages.push("redis-server");
    }
    // The README's tour is run word for word.
    if !succeeds(Command::new("curl").arg("--version")) {
        packages.push("curl");
    }
    debian(&packages)
}

/// `clippy` and `rustfmt`, which a minimal Rust comes without.
pub(crate) fn rust_components(workspace: &Workspace) -> anyhow::Result<()> {
    for component in ["clippy", "fmt"] {
        if !workspace.has_cargo(component) {
            return run(workspace.command("rustup").args(["component", "add", "clippy", "rustfmt"]));
        }
    }
    Ok(())
}

/// `cargo-deny`; built once, where its own release is not installed already.
pub(crate) fn cargo_deny(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let root = workspace.tools().join(format!("cargo-deny-{CARGO_DENY}"));
    let program = root.join("bin/cargo-deny");
    if !program.exists() {
        let mut install = workspace.cargo([
            "install",
            "cargo-deny",
            "--locked",
            "--quiet",
            "--version",
            CARGO_DENY,
            "--root",
        ]);
        install.arg(&root);
        // It runs for seconds: built as it is released it takes several times as long to build.
        install
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env_remove("CARGO_TARGET_DIR");
        run(&mut install)?;
    }
    Ok(program)
}

/// `buf`, from the Python wheel that carries its binary.
pub(crate) fn buf(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let environment = workspace.tools().join(format!("buf-{BUF}"));
    let program = environment.join("bin/buf");
    if !program.exists() {
        python(&environment, &format!("buf-bin=={BUF}"))?;
    }
    Ok(program)
}

/// A Python with the library of Standard Webhooks, which verifies what we sign.
pub(crate) fn webhooks_python(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let environment = workspace.tools().join(format!("standardwebhooks-{STANDARD_WEBHOOKS}"));
    let program = environment.join("bin/python");
    // Made last: an installation that broke off is begun again.
    let complete = environment.join("complete");
    if !complete.exists() {
        python(&environment, &format!("standardwebhooks=={STANDARD_WEBHOOKS}"))?;
        fs::write(&complete, "").with_context(|| format!("writing {}", complete.display()))?;
    }
    Ok(program)
}

/// A Python environment with one package from PyPI.
fn python(environment: &Path, package: &str) -> anyhow::Result<()> {
    let make = || {
        let mut command = Command::new("python3");
        command.args(["-m", "venv", "--clear"]).arg(environment);
        command
    };
    if !succeeds(&mut make()) {
        debian(&["python3-venv"])?;
        run(&mut make())?;
    }
    run(Command::new(environment.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .arg(package))
}

/// Installs Debian packages, without what they recommend and without starting
/// the services they bring.
fn debian(packages: &[&str]) -> anyhow::Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        command
    };
    if !is_root()? || !succeeds(apt().arg("--version")) {
        bail!(
            "not installed: {names}; on Debian run as root: apt-get install --no-install-recommends {names}"
        );
    }
    let _held = HeldServices::hold()?;
    run(apt().arg("update"))?;
    run(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

fn is_root() -> anyhow::Result<bool> {
    Ok(fs::metadata("/proc/self").context("reading /proc/self")?.uid() == 0)
}

/// While it lives, installing a package starts no service: Debian's maintainer
/// scripts ask this file first. A machine that has one keeps its own.
struct HeldServices {
    made: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl HeldServices {
    fn hold() -> anyhow::Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { made: false });
        }
        fs::write(POLICY, "#!/bin/sh\nexit 101\n").with_context(|| format!("writing {POLICY}"))?;
        let held = Self { made: true };
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("making {POLICY} executable"))?;
        Ok(held)
    }
}

impl Drop for HeldServices {
    fn drop(&mut self) {
        if self.made
            && let Err(error) = fs::remove_file(POLICY)
        {
            eprintln!("cannot remove {POLICY}, which keeps services from being started: {error}");
        }
    }
}
