//! The environment and `--set`, and the incumbent's names.

use std::path::PathBuf;
use std::time::Duration;

use hub::config::{Config, LogFormat, Subscriber};

use crate::{from_env, from_sets, refused};

#[test]
fn the_environment_speaks_in_upper_case_with_double_underscores() {
    let config = from_env(&[
        ("HUB__LIMITS__QUEUE_BUDGET_BYTES", "64MiB"),
        ("HUB__LOG__FORMAT", "json"),
        ("HUB__DATA__DIR", "/data"),
        ("HUB__EVENTS__SUBSCRIBERS", "[]"),
        ("HUB_SECRET_LIVEKIT_KEY", "not ours"),
        ("PATH", "/bin"),
    ])
    .unwrap();
    assert_eq!(config.limits.queue_budget_bytes, Some(64 << 20));
    assert_eq!(config.log.format, Some(LogFormat::Json));
    assert_eq!(config.data.dir, Some(PathBuf::from("/data")));
    assert_eq!(config.events.subscribers, []);
}

#[test]
fn an_empty_variable_takes_an_optional_value_away() {
    let config = from_env(&[
        ("HUB__DATA__DIR", ""),
        ("HUB__LOG__FORMAT", ""),
        ("HUB__LIMITS__QUEUE_BUDGET_BYTES", ""),
    ]);
    assert_eq!(config.unwrap(), Config::default());
    refused(
        from_env(&[("HUB__LIMITS__MAX_STREAMS", "")]),
        &["limits.max_streams"],
    );
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    refused(
        from_env(&[("HUB__HEARTBEAT__TIMEOUTS", "1s")]),
        &[
            "HUB__HEARTBEAT__TIMEOUTS",
            "did you mean heartbeat.timeout?",
        ],
    );
    // A name that is like none: all that there are.
    refused(
        from_env(&[("HUB__STATE__FOO", "1s")]),
        &["HUB__STATE__FOO", "[state] has ttl"],
    );
    refused(
        from_env(&[("HUB__STATE__TTL", "10 minutes")]),
        &["HUB__STATE__TTL: state.ttl:", "10 minutes"],
    );
}

#[test]
fn a_set_without_a_value_or_with_an_unknown_key_is_refused() {
    refused(from_sets(&["limits.max_streams"]), &["--set", "has no '='"]);
    refused(
        from_sets(&["limits.max_stream=1"]),
        &["did you mean limits.max_streams?"],
    );
    refused(from_sets(&["=1"]), &["--set"]);
    assert_eq!(
        from_sets(&["state.ttl = 5m"]).unwrap().state.ttl,
        Duration::from_secs(300)
    );
    let config = from_sets(&["events.subscribers=[{type = \"noop\"}]"]).unwrap();
    assert_eq!(config.events.subscribers, [Subscriber::Noop]);
}

#[test]
fn the_names_of_the_incumbent_are_aliases_below_our_own() {
    let config = from_env(&[
        ("BUBU_HUB_BUFFER_MAX_MESSAGES", "500"),
        ("BUBU_HUB_BUFFER_MAX_BYTES", "1048576"),
        ("BUBU_HUB_MAX_ACTIVE_STREAMS", "10"),
        ("BUBU_HUB_MAX_BUFFERS", "20"),
        ("BUBU_HUB_MAX_DOWNSTREAMS", "8"),
        ("BUBU_GRPC_HEARTBEAT_INTERVAL", "5s"),
        ("HUB__LIMITS__MAX_QUEUES", "30"),
    ])
    .unwrap();
    assert_eq!(config.limits.buffer_messages, 500);
    assert_eq!(config.limits.buffer_bytes, 1 << 20);
    assert_eq!(config.limits.max_streams, 10);
    assert_eq!(config.limits.max_queues, 30);
    assert_eq!(config.limits.max_downstreams, 8);
    assert_eq!(config.heartbeat.interval, Duration::from_secs(5));
    refused(
        from_env(&[("BUBU_HUB_MAX_BUFFERS", "many")]),
        &["BUBU_HUB_MAX_BUFFERS"],
    );
}

#[test]
fn of_the_two_message_sizes_of_the_incumbent_the_smaller_one_holds() {
    for (receive, send) in [("2097152", "4194304"), ("4194304", "2097152")] {
        let config = from_env(&[
            ("BUBU_GRPC_MAX_RECV_BYTES", receive),
            ("BUBU_GRPC_MAX_SEND_BYTES", send),
        ]);
        assert_eq!(config.unwrap().limits.max_message_bytes, 2 << 20);
    }
    let config = from_env(&[("BUBU_GRPC_MAX_RECV_BYTES", "4194304")]);
    assert_eq!(config.unwrap().limits.max_message_bytes, 4 << 20);
}

#[test]
fn the_tls_files_of_the_incumbent_are_refused_rather_than_ignored() {
    refused(
        from_env(&[("BUBU_HUB_TLS_CERT_FILE", "/tls.crt")]),
        &["BUBU_HUB_TLS_CERT_FILE", "not built yet"],
    );
    assert!(from_env(&[("BUBU_HUB_TLS_CERT_FILE", "")]).is_ok());
}
