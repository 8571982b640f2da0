//! What processes cost, as Linux counts it in `/proc`: the same counters that `getrusage`
//! reads, for processes that are still running.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::time::Duration;

/// Ticks a second in `/proc`: `USER_HZ`, which is part of Linux's interface.
const TICKS: u64 = 100;

/// A process of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// The process of this number.
    pub fn of(pid: u32) -> Self {
        Process(pid)
    }

    /// The one that asks.
    pub fn this() -> Self {
        Process(std::process::id())
    }

    /// The process that started this one.
    ///
    /// # Errors
    /// When it does not run.
    pub fn parent(self) -> Result<Self> {
        Ok(Process(self.stat()?.parent))
    }

    /// Time on a processor of all its threads, in the program and in the kernel, and that of
    /// the children it has waited for. To a hundredth of a second.
    ///
    /// # Errors
    /// When it does not run.
    pub fn cpu(self) -> Result<Duration> {
        Ok(self.stat()?.cpu)
    }

    /// The same, with that of the children that still run: all of a PostgreSQL, asked of
    /// its first process.
    ///
    /// # Errors
    /// When it does not run.
    pub fn cpu_with_children(self) -> Result<Duration> {
        let mut cpu = self.cpu()?;
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            // A process may end between the two looks; then its parent has its time.
            if let Ok(stat) = Process(pid).stat()
                && stat.parent == self.0
            {
                cpu += stat.cpu;
            }
        }
        Ok(cpu)
    }

    /// Memory that it holds now, in bytes, code and shared libraries included.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resident_bytes(self) -> Result<u64> {
        let status = fs::read_to_string(self.file("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        Ok(kibibytes.ok_or_else(|| unreadable("status"))? * 1_024)
    }

    fn stat(self) -> Result<Stat> {
        Stat::parse(&fs::read_to_string(self.file("stat"))?).ok_or_else(|| unreadable("stat"))
    }

    fn file(self, name: &str) -> std::path::PathBuf {
        Path::new("/proc").join(self.0.to_string()).join(name)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    cpu: Duration,
}

impl Stat {
    fn parse(line: &str) -> Option<Self> {
        // The second field is the program's name in parentheses, which may hold anything.
        let (_, fields) = line.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // State, parent, …, and from the twelfth on: user, system, and both of the children.
        let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum::<Option<u64>>()?;
        Some(Stat {
            parent: fields.get(1)?.parse().ok()?,
            cpu: Duration::from_millis(ticks.saturating_mul(1_000 / TICKS)),
        })
    }
}

fn unreadable(file: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("/proc/…/{file} is not as expected"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Process, Stat};

    #[test]
    fn the_name_of_a_program_may_hold_anything() {
        let line = "42 (a) b) S 7 42 42 0 -1 4194560 100 0 0 0 150 50 25 75 20 0 1 0 100 1 1";
        assert_eq!(Stat::parse(line), Some(Stat { parent: 7, cpu: Duration::from_secs(3) }));
    }

    #[test]
    fn the_asking_process_is_there_and_has_a_parent() {
        let this = Process::this();
        assert!(this.resident_bytes().unwrap() > 100_000);
        assert!(this.cpu().unwrap() <= this.cpu_with_children().unwrap());
        this.parent().unwrap().cpu().unwrap();
    }

    #[test]
    fn a_process_that_does_not_run_costs_nothing_to_ask() {
        Process::of(u32::MAX).cpu().unwrap_err();
    }
}
