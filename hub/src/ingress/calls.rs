//! Which parts of a connection have something to do.
//!
//! A connection is one task, though many things wake it: its socket, its clock, each of its
//! streams. Every part has a waker of its own here, so that a wake-up costs what concerns that part
//! and nothing else. A part that calls while its connection is at work is heard without another
//! trip through the scheduler.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// A part that wants to be looked after, HTTP/2 itself left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// The watch: the keep-alive is due, its PING was answered, or the hub ends its connections.
    Watch,
    /// A stream has waited long enough for the one that belongs to it.
    Overdue,
    /// The control channel at this place has received something.
    ReadControl(usize),
    /// The control channel at this place has something to say, or room to say it.
    WriteControl(usize),
    /// The stream at this place has received something.
    Read(usize),
    /// The stream at this place has something to send, or room to send it.
    Write(usize),
}

/// The calls of one connection that have not been answered.
#[derive(Default)]
pub(super) struct Calls(Mutex<State>);

#[derive(Default)]
struct State {
    open: Vec<Arc<Part>>,
    /// The socket is ready, or HTTP/2 has something to write.
    http2: bool,
    /// The connection's task is running and will look here before it rests.
    at_work: bool,
    task: Option<Waker>,
}

impl Calls {
    /// A waker by which one part calls.
    pub(super) fn waker(self: &Arc<Self>, call: Call) -> Waker {
        Waker::from(Arc::new(Part {
            call,
            open: AtomicBool::new(false),
            calls: self.clone(),
        }))
    }

    /// The waker of HTTP/2 itself.
    pub(super) fn http2_waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::new(Http2(self.clone())))
    }

    /// The connection's task runs, woken by `task`: takes the open calls over, to be answered one by
    /// one.
    pub(super) fn begin(&self, task: &Waker, open: &mut Open) {
        let mut state = self.state();
        state.at_work = true;
        if !state.task.as_ref().is_some_and(|t| t.will_wake(task)) {
            state.task = Some(task.clone());
        }
        state.hand_over(open);
    }

    /// Takes over the calls that have come meanwhile.
    pub(super) fn take(&self, open: &mut Open) {
        self.state().hand_over(open);
    }

    /// HTTP/2 is about to be looked after.
    pub(super) fn answer_http2(&self) {
        self.state().http2 = false;
    }

    /// The connection's task rests. Calls that are open by now bring it back after the other tasks.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.at_work = false;
        if (state.http2 || !state.open.is_empty())
            && let Some(task) = &state.task
        {
            task.wake_by_ref();
        }
    }

    fn call(&self, part: Arc<Part>) {
        let mut state = self.state();
        let first = state.open.is_empty() && !state.http2;
        state.open.push(part);
        state.wake_if(first);
    }

    fn call_http2(&self) {
        let mut state = self.state();
        let first = state.open.is_empty() && !state.http2;
        state.http2 = true;
        state.wake_if(first);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hand_over(&mut self, open: &mut Open) {
        debug_assert!(open.0.is_empty(), "calls that were taken are answered");
        std::mem::swap(&mut self.open, &mut open.0);
    }

    fn wake_if(&self, first: bool) {
        if first
            && !self.at_work
            && let Some(task) = &self.task
        {
            task.wake_by_ref();
        }
    }
}

/// Calls on their way to being answered.
#[derive(Default)]
pub(super) struct Open(Vec<Arc<Part>>);

impl Iterator for Open {
    type Item = Call;

    /// The next call; from here on its part may call again.
    fn next(&mut self) -> Option<Call> {
        let part = self.0.pop()?;
        part.open.store(false, Ordering::Relaxed);
        Some(part.call)
    }
}

struct Part {
    call: Call,
    /// It has called and nobody has answered yet.
    open: AtomicBool,
    calls: Arc<Calls>,
}

impl Wake for Part {
    fn wake(self: Arc<Self>) {
        if !self.open.swap(true, Ordering::Relaxed) {
            self.calls.clone().call(self);
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.open.swap(true, Ordering::Relaxed) {
            self.calls.call(self.clone());
        }
    }
}

struct Http2(Arc<Calls>);

impl Wake for Http2 {
    fn wake(self: Arc<Self>) {
        self.0.call_http2();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.call_http2();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    pub(in super::super) struct Count(AtomicUsize);

    impl Count {
        pub(in super::super) fn woken(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Rig {
        calls: Arc<Calls>,
        count: Arc<Count>,
    }

    impl Rig {
        fn new() -> Self {
            let rig = Self {
                calls: Arc::default(),
                count: Arc::default(),
            };
            rig.begin();
            rig.calls.end();
            rig
        }

        fn begin(&self) {
            self.calls
                .begin(&Waker::from(self.count.clone()), &mut Open::default());
        }

        fn woken(&self) -> usize {
            self.count.woken()
        }

        fn open(&self) -> Vec<Call> {
            let mut open = Open::default();
            self.calls.take(&mut open);
            self.calls.answer_http2();
            open.collect()
        }
    }

    #[test]
    fn calls_of_a_resting_connection_wake_its_task_once() {
        let rig = Rig::new();
        let read = rig.calls.waker(Call::Read(1));
        read.wake_by_ref();
        rig.calls.waker(Call::Write(1)).wake();
        rig.calls.http2_waker().wake();
        read.wake_by_ref();
        assert_eq!(rig.woken(), 1);
        assert_eq!(rig.open(), [Call::Write(1), Call::Read(1)]);
        rig.calls.waker(Call::Read(1)).wake();
        assert_eq!(rig.woken(), 2, "it rests again");
    }

    #[test]
    fn calls_to_a_connection_at_work_wake_nobody_while_it_answers_them() {
        let rig = Rig::new();
        rig.begin();
        rig.calls.waker(Call::Read(0)).wake();
        assert_eq!(rig.open(), [Call::Read(0)]);
        rig.calls.end();
        assert_eq!(rig.woken(), 0);
    }

    #[test]
    fn a_task_that_begins_gets_the_calls_that_woke_it() {
        let rig = Rig::new();
        rig.calls.waker(Call::Read(0)).wake();
        let mut open = Open::default();
        rig.calls.begin(&Waker::from(rig.count.clone()), &mut open);
        assert_eq!(open.collect::<Vec<_>>(), [Call::Read(0)]);
        rig.calls.end();
        assert_eq!((rig.woken(), rig.open()), (1, Vec::new()));
    }

    #[test]
    fn http2_wakes_the_task_of_a_resting_connection_once() {
        let rig = Rig::new();
        rig.calls.http2_waker().wake_by_ref();
        rig.calls.http2_waker().wake();
        assert_eq!(rig.woken(), 1);
    }

    #[test]
    fn http2_left_unanswered_brings_the_task_back() {
        let rig = Rig::new();
        rig.begin();
        rig.calls.http2_waker().wake();
        rig.calls.end();
        assert_eq!(rig.woken(), 1);
    }

    #[test]
    fn a_call_wakes_the_task_that_ran_last() {
        let (rig, moved) = (Rig::new(), Arc::<Count>::default());
        rig.calls
            .begin(&Waker::from(moved.clone()), &mut Open::default());
        rig.calls.end();
        rig.calls.waker(Call::Read(0)).wake();
        assert_eq!((rig.woken(), moved.woken()), (0, 1));
    }

    #[test]
    fn a_call_left_open_brings_the_task_back() {
        let rig = Rig::new();
        rig.begin();
        rig.calls.http2_waker().wake();
        rig.calls.answer_http2();
        rig.calls.waker(Call::Watch).wake();
        rig.calls.end();
        assert_eq!(rig.woken(), 1);
        assert_eq!(rig.open(), [Call::Watch]);
    }

    #[test]
    fn a_part_that_is_woken_again_and_again_is_called_once() {
        let rig = Rig::new();
        for _ in 0..2 {
            let read = rig.calls.waker(Call::Read(1));
            read.wake_by_ref();
            read.wake_by_ref();
            assert_eq!(rig.open(), [Call::Read(1)]);
            read.wake();
            assert_eq!(rig.open(), [Call::Read(1)], "it may call again");
        }
    }

    #[test]
    fn a_part_that_calls_while_http2_waits_wakes_nobody() {
        let rig = Rig::new();
        rig.calls.http2_waker().wake();
        rig.calls.waker(Call::Read(1)).wake();
        assert_eq!(rig.woken(), 1);
    }
}
