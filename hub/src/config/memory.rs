//! How much memory this process may use: the least of what its control groups and the machine
//! allow.

use std::fs;
use std::path::Path;

/// Memory limit of this process, in bytes; 1 GiB where the system does not say.
pub fn memory_limit() -> u64 {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let files = limit_files(&groups);
    let limits = files.iter().filter_map(|file| read(Path::new(file)));
    let machine = read(Path::new("/proc/meminfo")).and_then(|text| machine_memory(&text));
    limits
        .filter_map(|text| text.trim().parse().ok())
        .chain(machine)
        .min()
        .unwrap_or(1 << 30)
}

/// Files that may hold a limit: of the process's group and those around it (version 2), and of
/// a container's version 1 group.
fn limit_files(groups: &str) -> Vec<String> {
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/"));
    let around = own.into_iter().flat_map(|own| Path::new(own).ancestors());
    let root = Path::new("/sys/fs/cgroup");
    around
        .map(|group| root.join(group).join("memory.max"))
        .chain([root.join("memory/memory.limit_in_bytes")])
        .map(|path| path.display().to_string())
        .collect()
}

/// `MemTotal`, in bytes.
fn machine_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_memory_is_its_total() {
        let text = "MemTotal:       16384 kB\nMemFree:         1 kB\n";
        assert_eq!(machine_memory(text), Some(16 << 20));
        assert_eq!(machine_memory("MemFree: 1 kB\n"), None);
        assert_eq!(machine_memory("MemTotal: much\n"), None);
    }

    #[test]
    fn limits_are_looked_for_in_every_group_around_the_process() {
        assert_eq!(
            limit_files("0::/a/b\n"),
            [
                "/sys/fs/cgroup/a/b/memory.max",
                "/sys/fs/cgroup/a/memory.max",
                "/sys/fs/cgroup/memory.max",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            ]
        );
        assert_eq!(limit_files("5:memory:/x\n").len(), 1);
    }

    #[test]
    fn there_is_always_a_limit() {
        assert!(memory_limit() > 0);
    }
}
