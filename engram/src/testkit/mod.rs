//! For tests of engrams (feature `testkit`): a hub in memory, and a stricter judgement
//! of messages.
//!
//! ```
//! # use engram::testkit::MemoryHub;
//! # use engram::{BoxError, Context, Engram, Inbound, Outbound, StreamMessage, StreamingEngram};
//! struct Echo;
//!
//! impl Engram<()> for Echo {}
//!
//! impl StreamingEngram<()> for Echo {
//!     async fn stream(
//!         &mut self,
//!         _: Context,
//!         mut inbound: Inbound,
//!         outbound: Outbound,
//!     ) -> Result<(), BoxError> {
//!         while let Some(message) = inbound.next().await {
//!             outbound.send(&message.forward()).await?;
//!             message.done();
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let mut hub = MemoryHub::start();
//! let run = tokio::spawn(hub.runtime().stream::<(), _>(Echo));
//!
//! let sequence = hub.send(&StreamMessage::data().with_metadata("k", "v"));
//! assert_eq!(hub.next().await.unwrap().metadata["k"], "v");
//! hub.receipted(sequence).await;
//!
//! // The connection is lost: what was done does not come again, and nothing is lost.
//! hub.cut();
//! hub.send(&StreamMessage::data().with_metadata("k", "w"));
//! assert_eq!(hub.next().await.unwrap().metadata["k"], "w");
//!
//! hub.stop();
//! assert!(run.await.unwrap().is_ok());
//! # });
//! ```

mod actor;
mod check;
mod memory;

pub use check::{CheckError, check_message};
pub use memory::{MemoryHub, MemoryTransport};
