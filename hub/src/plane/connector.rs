//! What only clients of the connector contract ask of the plane.

use engine::{Actions, Bound, Directive, Engine, Moment, Registration, Unbound};

use super::{DataPlane, Router, Stream};

impl DataPlane {
    /// Routes packets as [`route`](Self::route) does, which came by the connector contract.
    pub(crate) fn route_connector<R>(
        &self,
        stream: &Stream,
        now: Moment,
        feed: impl FnOnce(&mut Router<'_>) -> R,
    ) -> R {
        let inner = &mut *self.inner.borrow_mut();
        let mut router = Router {
            engine: &mut inner.engine,
            actions: &mut inner.actions,
            walker: &mut inner.connector_walker,
            conn: stream.conn,
            now,
        };
        let result = feed(&mut router);
        inner.carry_out();
        // Of what was dropped only its own producer is told.
        if inner.engine.has_directives(stream.conn, now) {
            stream.tell();
        }
        result
    }

    /// Has `work` done to the engine, on behalf of a client's control channel.
    pub(crate) fn steer<R>(&self, work: impl FnOnce(&mut Engine, &mut Actions) -> R) -> R {
        let inner = &mut *self.inner.borrow_mut();
        let result = work(&mut inner.engine, &mut inner.actions);
        inner.carry_out();
        result
    }

    /// Moves what `stream`'s client is to be told into `out`.
    pub(crate) fn directives(&self, stream: &Stream, out: &mut Vec<Directive>) {
        let now = self.now();
        let engine = &mut self.inner.borrow_mut().engine;
        engine.take_directives(stream.conn, now, out);
    }

    /// Whether somebody is connected as the step that `who` names.
    pub(crate) fn is_connected(&self, who: &Registration<'_>) -> bool {
        self.inner.borrow().engine.is_connected(who)
    }

    /// The step that a binding stands for.
    ///
    /// # Errors
    /// The engine's [`Unbound`].
    pub(crate) fn binding(&self, namespace: Option<&str>, name: &str) -> Result<Bound, Unbound> {
        self.inner.borrow().engine.binding(namespace, name)
    }
}
