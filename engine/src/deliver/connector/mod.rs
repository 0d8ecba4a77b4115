//! What waits, as clients of the connector contract get it (spec 3, "Data, hub to engram").
//!
//! Owns the translation of one queued `ProcessResponse` into a `DataResponse`: fields renumbered,
//! large ones shared, a frame where there is none, nothing in it that would end the engram's
//! session. Never decides who gets what. Done as a message leaves, so that the same queued bytes
//! can be delivered by either contract; nothing of it is spent on clients of the other one.

mod assemblies;
mod envelope;
mod facts;
mod fit;
mod segment;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use transport_proto::names::metadata as names;
use transport_proto::splice::{
    Cut, GRPC_HEAD_LEN, Kept, put_envelope_frame, put_grpc_head, put_metadata, put_payload,
};
use transport_proto::view::{Dialect, PacketView};

use super::encode::{SHARE_ABOVE, Sink, share_or_copy};
use super::spool::{Pieces, Spool};
use crate::account::DropReason;
pub(crate) use assemblies::{Assemblies, Towards};
use facts::{Facts, Kind};
use segment::{Segment, joined, segments_of};

/// Why a packet cannot be sent to an engram on the connector contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub reason: DropReason,
    /// For people.
    pub why: &'static str,
}

impl Unfit {
    fn invalid(why: &'static str) -> Self {
        Self {
            reason: DropReason::Invalid,
            why,
        }
    }
}

/// How messages of one step leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// The hub numbers its packets: receivers tell them apart by that.
    pub numbered: bool,
    /// Largest message, in bytes.
    pub max_message: usize,
}

/// Translates messages, one after the other.
#[derive(Debug)]
pub(crate) struct Encoder {
    view: PacketView,
    spool: Spool,
    /// Bytes in `spool`.
    written: usize,
}

/// What is taken out of a packet, and what stands in for it.
#[derive(Default)]
struct Edit {
    message_id: bool,
    frame: bool,
    payload: bool,
    tail: BytesMut,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            view: PacketView::new(Dialect::Packet),
            spool: Spool::default(),
            written: 0,
        }
    }
}

impl Encoder {
    /// Translates one queued message, its gRPC prefix included. A chunk must go with those that went
    /// to the same session before it, where that is given.
    ///
    /// # Errors
    /// [`Unfit`]; nothing is written then.
    pub(crate) fn encode(
        &mut self,
        message: &[Bytes],
        manner: Manner,
        towards: Option<Towards<'_>>,
    ) -> Result<(), Unfit> {
        let Some(segments) = segments_of(message, &mut self.view) else {
            return self.encode_whole(&joined(message), manner, towards);
        };
        if let [sole] = &segments[..] {
            return self.encode_whole(&sole.bytes, manner, towards);
        }
        let mut facts = Facts::default();
        for segment in &segments {
            segment.walk(&mut self.view);
            facts.gather(&segment.bytes, &self.view);
            facts.unfit = facts
                .unfit
                .or_else(|| fit::judge(&segment.bytes, &self.view));
        }
        // What breaks a rule in one piece may be mended by another.
        if !facts.can_be_told_in_pieces() {
            return self.encode_whole(&joined(message), manner, towards);
        }
        let edit = facts.edit(manner)?;
        self.write(&segments, &edit, manner)
    }

    /// Moves all that was translated out. Returns its bytes.
    pub(crate) fn drain(&mut self, out: &mut Pieces) -> usize {
        let written = std::mem::take(&mut self.written);
        self.spool.take(written, out);
        written
    }

    fn encode_whole(
        &mut self,
        packet: &Bytes,
        manner: Manner,
        towards: Option<Towards<'_>>,
    ) -> Result<(), Unfit> {
        if self.view.walk(packet).is_err() {
            return Err(Unfit::invalid("it is no packet"));
        }
        let mut facts = Facts::default();
        facts.gather(packet, &self.view);
        // Without a frame an engram looks at nothing in it.
        let is_read = !facts.is_heartbeat;
        if is_read {
            facts.unfit = fit::judge(packet, &self.view);
        }
        let is_fit = is_read && facts.unfit.is_none();
        let Some(mut towards) = towards.filter(|_| is_fit) else {
            return self.finish(packet, &facts, manner).map(drop);
        };
        towards.judge((packet, &self.view))?;
        if self.finish(packet, &facts, manner)? {
            towards.note((packet, &self.view));
        }
        Ok(())
    }

    /// Translates a packet in one piece, of which the view is. Returns whether its frame goes too.
    fn finish(&mut self, packet: &Bytes, facts: &Facts, manner: Manner) -> Result<bool, Unfit> {
        let mut edit = facts.edit(manner)?;
        let at = (&packet[..], &self.view);
        if facts.is_heartbeat {
            edit.frame = true;
        } else if !facts.is_plain() {
            match facts.kind(at)? {
                // Without a frame the engram takes it for a heartbeat, which it is.
                Kind::Quiet => edit.frame = true,
                Kind::Error => envelope::put_error(at, facts, &mut edit)?,
                Kind::Other if facts.frame.is_none() => {
                    let keeps_id = !edit.message_id;
                    let json = envelope::built(at, facts, (keeps_id, true))?;
                    put_envelope_frame(&mut edit.tail, Dialect::Connector, &json);
                }
                Kind::Other => {}
            }
        }
        self.write(&[Segment::of(packet.clone())], &edit, manner)?;
        Ok(!edit.frame)
    }

    /// Writes the message: what is kept of the segments, then the tail.
    fn write(&mut self, segments: &[Segment], edit: &Edit, manner: Manner) -> Result<(), Unfit> {
        let id = [names::ENVELOPE_MESSAGE_ID];
        let cut = Cut {
            metadata_keys: if edit.message_id { &id } else { &[] },
            frame: edit.frame,
            payload: edit.payload,
            ..Cut::default()
        };
        let mut kept = SmallVec::<[Kept; 4]>::new();
        let mut len = edit.tail.len();
        for segment in segments {
            self.walk_again(segment, segments.len());
            kept.push(Kept::of(&segment.bytes, &self.view, &cut));
            len += match segment.tag {
                None => kept.last().map_or(0, Kept::len),
                Some(_) => 1 + segment.bytes.len(),
            };
        }
        if len > manner.max_message {
            return Err(Unfit {
                reason: DropReason::Oversize,
                why: "as the engram gets it, it is larger than a message may be",
            });
        }
        let small = len <= SHARE_ABOVE;
        let room = if small { len } else { 0 };
        put_grpc_head(self.spool.room(GRPC_HEAD_LEN + room), len);
        for (segment, kept) in segments.iter().zip(&kept) {
            self.walk_again(segment, segments.len());
            let (view, spool, bytes) = (&self.view, &mut self.spool, &segment.bytes);
            if let Some(tag) = segment.tag {
                let tag = Dialect::Packet.renumbered(tag, Dialect::Connector);
                share_or_copy(spool, Some(tag), (bytes, 0..bytes.len()));
            } else if small {
                let out = spool.room(kept.len());
                kept.copy_renumbered(bytes, view, Dialect::Connector, out);
            } else {
                kept.each_renumbered(bytes, view, Dialect::Connector, |tag, range| {
                    share_or_copy(spool, tag, (bytes, range));
                });
            }
        }
        self.spool
            .room(edit.tail.len())
            .extend_from_slice(&edit.tail);
        self.written += GRPC_HEAD_LEN + len;
        Ok(())
    }

    /// Has the view look at `segment`; where there is only one it does already.
    fn walk_again(&mut self, segment: &Segment, of: usize) {
        if of > 1 {
            segment.walk(&mut self.view);
        }
    }
}

impl Facts {
    /// What every packet gets: where receivers tell packets apart by their message id, it is taken
    /// out, and kept as what packets join by.
    fn edit(&self, manner: Manner) -> Result<Edit, Unfit> {
        if let Some(why) = self.unfit {
            return Err(Unfit::invalid(why));
        }
        let mut edit = Edit::default();
        let Some(id) = &self.message_id else {
            return Ok(edit);
        };
        let stays = manner.numbered || self.is_hook();
        edit.message_id = !stays || id.trim() != &**id;
        if edit.message_id && !self.has_join_key && !id.is_empty() {
            put_metadata(
                &mut edit.tail,
                Dialect::Connector,
                names::JOIN_KEY,
                id.trim(),
            );
        }
        Ok(edit)
    }
}

impl Edit {
    /// Has `body`, a Struct, stand in for the payload.
    fn put_payload(&mut self, body: &[u8]) {
        self.payload = true;
        put_payload(&mut self.tail, Dialect::Connector, body);
    }
}
