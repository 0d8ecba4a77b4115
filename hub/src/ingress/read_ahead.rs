//! Reading ahead: where a socket has much to say, it is asked once for all that a turn reads.
//!
//! HTTP/2 asks for as much as the frame that it is at has left, and for 8 KiB between frames: a frame
//! of 16 KiB, which is what clients send when there is much, takes two reads, and half of it is moved
//! into a larger buffer in between. Owns one buffer for all connections of a thread, which they fill
//! and empty one after the other, so that an idle one has none. Never holds a byte back.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes that are read at once: what a turn reads of frames of 16 KiB.
const MOST: usize = 66 << 10;

/// The buffer of a thread.
#[derive(Default)]
pub(crate) struct Shared(RefCell<Buffer>);

#[derive(Default)]
struct Buffer {
    bytes: Box<[u8]>,
    /// What nobody has asked for yet, and whose it is.
    unread: Range<usize>,
    of: Option<Rc<Own>>,
}

/// What a connection had in the buffer when another one needed it.
#[derive(Default)]
struct Own(Cell<Bytes>);

/// What a connection reads ahead.
pub(super) struct ReadAhead {
    shared: Rc<Shared>,
    /// Made when it first reads ahead: most connections never do.
    own: Option<Rc<Own>>,
    /// Its bytes that nobody has asked for yet.
    left: usize,
}

impl ReadAhead {
    pub(super) fn new(shared: Rc<Shared>) -> Self {
        Self {
            shared,
            own: None,
            left: 0,
        }
    }

    /// Whether nothing is read ahead.
    pub(super) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Reads up to `most` bytes from `io`. Returns how many came: none at its end.
    pub(super) fn fill<I: AsyncRead + Unpin>(
        &mut self,
        io: &mut I,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let buffer = &mut *self.shared.0.borrow_mut();
        buffer.give_way(self.own.get_or_insert_default());
        let most = most.min(buffer.bytes.len());
        let mut room = ReadBuf::new(buffer.bytes.split_at_mut(most).0);
        ready!(Pin::new(io).poll_read(cx, &mut room))?;
        self.left = room.filled().len();
        buffer.unread = 0..self.left;
        Poll::Ready(Ok(self.left))
    }

    /// Has `look` say how many of the bytes that were read ahead go to `buf`, as many as there is
    /// room for at most.
    pub(super) fn hand_out(&mut self, buf: &mut ReadBuf<'_>, look: impl FnOnce(&[u8]) -> usize) {
        let Some(own) = &self.own else { return };
        let buffer = &mut *self.shared.0.borrow_mut();
        let is_here = buffer.of.as_ref().is_some_and(|of| Rc::ptr_eq(of, own));
        let mut kept = if is_here { Bytes::new() } else { own.0.take() };
        let unread = match is_here {
            true => buffer.bytes.get(buffer.unread.clone()).unwrap_or_default(),
            false => &kept[..],
        };
        let most = unread.len().min(buf.remaining());
        let count = look(unread).min(most);
        buf.put_slice(unread.split_at(count).0);
        self.left -= count;
        if is_here {
            buffer.unread.start += count;
        } else {
            kept.advance(count);
            if !kept.is_empty() {
                own.0.set(kept);
            }
        }
    }
}

impl Buffer {
    /// Lets `own` have the buffer; what another connection has in it is kept for it.
    fn give_way(&mut self, own: &Rc<Own>) {
        if self.bytes.is_empty() {
            self.bytes = vec![0; MOST].into();
        }
        let is_its = |of: &Rc<Own>| Rc::ptr_eq(of, own);
        if self.of.as_ref().is_some_and(is_its) {
            return;
        }
        let unread = self.bytes.get(self.unread.clone()).unwrap_or_default();
        let before = self.of.replace(own.clone());
        if let (Some(before), false) = (before, unread.is_empty()) {
            before.0.set(Bytes::copy_from_slice(unread));
        }
        self.unread = 0..0;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Waker;

    use super::*;

    fn fill(ahead: &mut ReadAhead, mut io: impl AsyncRead + Unpin) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        ahead.fill(&mut io, MOST, &mut cx).is_ready()
    }

    fn hand_out(ahead: &mut ReadAhead, most: usize) -> Vec<u8> {
        let mut room = vec![0; most];
        let mut buf = ReadBuf::new(&mut room);
        ahead.hand_out(&mut buf, <[u8]>::len);
        buf.filled().to_vec()
    }

    /// What the buffer was emptied of for another one.
    fn kept(ahead: &ReadAhead) -> Bytes {
        let own = ahead.own.as_ref().expect("it has read ahead");
        own.0.take()
    }

    #[test]
    fn what_one_has_left_goes_to_nobody_else() {
        let shared = Rc::<Shared>::default();
        let [mut one, mut other, mut third] = [(); 3].map(|()| ReadAhead::new(shared.clone()));
        assert!(fill(&mut one, &b"secret"[..]));
        let (silent, _peer) = tokio::io::duplex(1);
        assert!(!fill(&mut other, silent));
        assert!(fill(&mut third, &b"words"[..]));
        assert!(kept(&other).is_empty() && other.is_empty());
        assert_eq!(hand_out(&mut one, 10), b"secret");
        assert_eq!(hand_out(&mut third, 10), b"words");
    }

    #[test]
    fn what_was_kept_for_one_is_given_back_once_it_has_been_read() {
        let shared = Rc::<Shared>::default();
        let [mut one, mut other] = [(); 2].map(|()| ReadAhead::new(shared.clone()));
        assert!(fill(&mut one, &b"secret"[..]));
        assert!(fill(&mut other, &b"words"[..]));
        // In place of its own bytes, such that tell when they are gone.
        struct Owner(Vec<u8>, #[expect(dead_code)] Arc<()>);
        impl AsRef<[u8]> for Owner {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        let alive = Arc::new(());
        let bytes = Owner(kept(&one).to_vec(), alive.clone());
        let own = one.own.as_ref().expect("it has read ahead");
        own.0.set(Bytes::from_owner(bytes));
        assert_eq!(hand_out(&mut one, 3), b"sec");
        assert_eq!(Arc::strong_count(&alive), 2);
        assert_eq!(hand_out(&mut one, 3), b"ret");
        assert_eq!(Arc::strong_count(&alive), 1);
        assert!(one.is_empty());
    }
}
