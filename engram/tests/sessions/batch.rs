//! What an engram is given when it starts, and engrams that do one piece of work.

use std::time::Duration;

use engram::{
    BatchEngram, BoxError, Engram, Environment, ExecutionContext, Impulse, RunError, Secrets,
    start_batch, start_impulse,
};
use serde::Deserialize;

use crate::scene::within;
use crate::server::{Hub, flow, number, ready, sent};
use transport_proto::v1::FlowControlSignal;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    factor: Option<u32>,
    label: String,
}

/// Multiplies, and says what it knows.
#[derive(Default)]
struct Multiplier {
    config: Config,
    secret: String,
    sleeps: bool,
}

impl Engram<Config> for Multiplier {
    async fn init(
        &mut self,
        _: &ExecutionContext,
        config: Config,
        secrets: Secrets,
    ) -> Result<(), BoxError> {
        if config.factor == Some(0) {
            return Err("a factor of 0".into());
        }
        self.config = config;
        self.secret = secrets.get("TOKEN").unwrap_or_default().to_owned();
        Ok(())
    }
}

#[derive(Deserialize)]
struct Input {
    number: u32,
}

impl BatchEngram<Config> for Multiplier {
    type Input = Input;
    type Output = serde_json::Value;

    async fn process(
        &mut self,
        context: &ExecutionContext,
        input: Input,
    ) -> Result<serde_json::Value, BoxError> {
        if self.sleeps {
            std::future::pending::<()>().await;
        }
        Ok(serde_json::json!({
            "product": input.number * self.config.factor.unwrap_or(1),
            "label": self.config.label,
            "secret": self.secret,
            "key": context.idempotency_key()?,
        }))
    }
}

fn environment(more: &[(&str, &str)]) -> Environment {
    let given = [
        ("BUBU_STEP_CONFIG", r#"{"factor":3,"label":"from json"}"#),
        ("BUBU_CONFIG_label", "from its own variable"),
        ("BUBU_TRIGGER_DATA", r#"{"number":14}"#),
        ("BUBU_SECRET_TOKEN", "literal"),
        ("BUBU_STORYRUN_ID", "run"),
        ("BUBU_STEPRUN_NAME", "step"),
    ];
    given.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn a_batch_engram_is_given_configuration_input_and_secrets() {
    let outcome = start_batch(Multiplier::default(), environment(&[])).await;
    let outcome = outcome.expect("it works");
    let expected = serde_json::json!({
        "product": 42,
        "label": "from its own variable",
        "secret": "literal",
        "key": "storyrun/run/steprun/step",
    });
    assert_eq!(outcome.output, expected);
    assert!(!outcome.sent, "there is no binding");
}

#[tokio::test]
async fn the_output_goes_through_the_hub_where_there_is_one() {
    let mut hub = Hub::start().await;
    let binding = hub.binding();
    let environment = environment(&[("BUBU_TRANSPORT_BINDING", &binding)]);
    let run = tokio::spawn(start_batch(Multiplier::default(), environment));
    let (mut data, control) = hub.connection().await;
    ready(&control);
    let packet = sent(&mut data).await;
    let product = packet
        .payload
        .as_ref()
        .and_then(|payload| payload.fields.get("product"));
    assert!(product.is_some(), "{packet:?}");
    control.say(flow(number(&packet), FlowControlSignal::Unspecified));
    drop((data, control));
    assert!(within(run).await.expect("no panic").expect("it works").sent);
}

#[tokio::test]
async fn what_is_wrong_at_the_start_is_told() {
    let start = |name, value| start_batch(Multiplier::default(), environment(&[(name, value)]));
    let refused = start("BUBU_STEP_CONFIG", r#"{"factor":0}"#)
        .await
        .expect_err("init refuses");
    assert_eq!(
        refused.to_string(),
        "the engram cannot start: a factor of 0"
    );
    let config = start("BUBU_STEP_CONFIG", r#"{"factor":"x"}"#)
        .await
        .expect_err("no number");
    assert!(
        config.to_string().starts_with("BUBU_STEP_CONFIG: "),
        "{config}"
    );
    let input = start("BUBU_TRIGGER_DATA", "[]")
        .await
        .expect_err("no object");
    assert!(
        input.to_string().starts_with("BUBU_TRIGGER_DATA: "),
        "{input}"
    );
    let secret = start("BUBU_SECRET_TOKEN", "file:")
        .await
        .expect_err("no path");
    assert!(matches!(secret, RunError::Secrets(_)), "{secret}");
    let binding = start("BUBU_TRANSPORT_BINDING", "[]")
        .await
        .expect_err("no binding");
    assert!(matches!(binding, RunError::Binding(_)), "{binding}");
    assert_eq!(binding.exit_code(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_step_has_its_time() {
    let engram = Multiplier {
        sleeps: true,
        ..Multiplier::default()
    };
    let environment = environment(&[("BUBU_STEP_TIMEOUT", "1h")]);
    let began = tokio::time::Instant::now();
    let error = start_batch(engram, environment)
        .await
        .expect_err("too late");
    assert_eq!(
        (error.exit_code(), began.elapsed()),
        (124, Duration::from_secs(3600))
    );
}

#[tokio::test(start_paused = true)]
async fn output_that_no_hub_takes_is_not_sent() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = closed.local_addr().expect("an address");
    drop(closed);
    let binding =
        format!(r#"{{"name":"n","binding":{{"endpoint":"{addr}","protocolVersion":"1.0.0"}}}}"#);
    let environment = environment(&[
        ("BUBU_TRANSPORT_BINDING", &binding),
        ("BUBU_GRPC_RECONNECT_MAX_RETRIES", "-1"),
        ("BUBU_STEP_TIMEOUT", "1m"),
    ]);
    let error = start_batch(Multiplier::default(), environment).await;
    assert_eq!(error.expect_err("nobody has it").exit_code(), 124);
}

#[tokio::test]
async fn an_impulse_runs_to_its_end() {
    struct Once;
    impl Engram<()> for Once {}
    impl Impulse<()> for Once {
        async fn run(&mut self, context: &ExecutionContext) -> Result<(), BoxError> {
            match context.story.story_run_id.as_str() {
                "run" => Ok(()),
                other => Err(other.into()),
            }
        }
    }
    start_impulse(Once, environment(&[]))
        .await
        .expect("a clean end");
}
