//! Owns reading `/proc`: CPU time and memory of the hub, of ourselves, and of the whole machine.

use procfs::process::Process;
use procfs::{Current, CurrentSI, KernelStats, WithCurrentSystemInfo};
use serde::{Deserialize, Serialize};

/// What a process has consumed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessUse {
    /// User and system CPU seconds since its start.
    pub cpu_seconds: f64,
    /// Resident bytes now.
    pub rss_bytes: u64,
    /// Most resident bytes so far.
    pub max_rss_bytes: u64,
}

impl ProcessUse {
    /// Reads a process; `None` when it is gone or not ours to read.
    pub fn of(pid: u32) -> Option<ProcessUse> {
        let process = Process::new(i32::try_from(pid).ok()?).ok()?;
        let stat = process.stat().ok()?;
        let status = process.status().ok()?;
        let per_second = procfs::ticks_per_second() as f64;
        let by_ticks = (stat.utime + stat.stime) as f64 / per_second;
        // Threads that have ended are in the ticks alone; without such, ticks lag behind by one.
        let of_threads = thread_seconds(pid).unwrap_or(0.0);
        Some(ProcessUse {
            cpu_seconds: of_threads.max(by_ticks - 1.0 / per_second),
            rss_bytes: stat.rss_bytes().get(),
            max_rss_bytes: status.vmhwm.unwrap_or(0) * 1024,
        })
    }
}

/// CPU seconds of a process's threads as the scheduler counts them, in nanoseconds where
/// `/proc/PID/stat` counts ticks of 10 ms; `None` where the kernel does not show them.
fn thread_seconds(pid: u32) -> Option<f64> {
    let mut milliseconds = 0.0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let text = std::fs::read_to_string(thread.ok()?.path().join("sched")).ok()?;
        let line = text
            .lines()
            .find(|line| line.starts_with("se.sum_exec_runtime"))?;
        let (_, value) = line.split_once(':')?;
        milliseconds += value.trim().parse::<f64>().ok()?;
    }
    Some(milliseconds / 1e3)
}

/// CPU time of the calling thread so far, in nanoseconds; 0 where the kernel does not say.
pub fn thread_cpu_nanos() -> u64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    spent.tv_sec as u64 * 1_000_000_000 + spent.tv_nsec as u64
}

/// CPU time of the machine so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineUse {
    /// Seconds that CPUs worked, all CPUs added up.
    pub busy_seconds: f64,
    /// Seconds that CPUs had nothing to do.
    pub idle_seconds: f64,
}

impl MachineUse {
    /// Reads `/proc/stat`.
    pub fn now() -> Option<MachineUse> {
        let total = KernelStats::current().ok()?.total;
        let per_second = procfs::ticks_per_second() as f64;
        let idle = total.idle + total.iowait.unwrap_or(0);
        let busy = total.user
            + total.nice
            + total.system
            + total.irq.unwrap_or(0)
            + total.softirq.unwrap_or(0)
            + total.steal.unwrap_or(0);
        Some(MachineUse {
            busy_seconds: busy as f64 / per_second,
            idle_seconds: idle as f64 / per_second,
        })
    }
}

/// What machine the figures come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemName {
    /// Processor model.
    pub cpu: String,
    /// How many CPUs may be used.
    pub cpus: usize,
    /// Kernel release.
    pub kernel: String,
    /// Bytes of memory.
    pub memory_bytes: u64,
}

impl SystemName {
    /// Reads it from the system; what cannot be read stays empty.
    pub fn current() -> SystemName {
        let cpu = procfs::CpuInfo::current().ok();
        let model = cpu
            .as_ref()
            .and_then(|info| info.model_name(0).map(str::to_owned));
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        SystemName {
            cpu: model.unwrap_or_default(),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: kernel.trim().to_owned(),
            memory_bytes: procfs::Meminfo::current().map_or(0, |info| info.mem_total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_can_be_read() {
        let used = ProcessUse::of(std::process::id()).unwrap();
        assert!(used.rss_bytes > 0 && used.max_rss_bytes >= used.rss_bytes / 2);
    }

    #[test]
    fn little_work_shows_as_cpu_time_of_the_process() {
        let used = || ProcessUse::of(std::process::id()).unwrap().cpu_seconds;
        let before = used();
        let sum: u64 = (0..30_000_000u64).map(std::hint::black_box).sum();
        std::thread::yield_now();
        assert!(sum > 0 && used() > before);
    }

    #[test]
    fn a_process_that_is_not_there_reads_as_nothing() {
        assert_eq!(ProcessUse::of(u32::MAX), None);
    }

    #[test]
    fn work_shows_as_cpu_time_of_the_thread() {
        let before = thread_cpu_nanos();
        let sum: u64 = (0..3_000_000u64).map(std::hint::black_box).sum();
        assert!(sum > 0 && thread_cpu_nanos() > before);
    }
}
