# The commands of this project. `make demo` and `make test` need Rust and a C compiler, no more.
.PHONY: help demo test lint docs verify interop goals fuzz sim audit bench bench-peers instructions

help: ## What there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: ## See it work: speech through three engrams, every frame verified
	cargo run --release -p hub -- demo

test: ## Unit, property and integration tests, and the examples in the docs
	cargo test --workspace

lint: ## Format and lints, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

docs: ## The API documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

verify: ## What `make test` is too quick for: vectors, Stories, demos, load, on release binaries
	scripts/verify

interop: ## Engrams of other makes against the release hub: the Go SDK, the Rust SDK, Python
	interop/run

goals: ## Kills, storms, black holes, floods, overload: the release hub measured against its goals
	scripts/goals

fuzz: ## Fuzz each target for a minute (scripts/fuzz --minutes N for longer)
	scripts/fuzz

sim: ## A thousand simulated worlds, and every deliberate fault found
	cargo run --release -p sim -- --seeds 1000
	cargo run --release -p sim --features mutants -- --mutants

audit: ## Licences, sources and duplicates of dependencies (installs cargo-deny when it is missing)
	command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check bans licenses sources
	@cargo deny check advisories || echo "SKIPPED: the advisory database could not be reached"

bench: ## Criterion benches
	cargo bench -p benches

bench-peers: ## The hub beside TCP, HTTP/2 and tonic relays and NATS: benches/RESULTS.md (10 minutes)
	scripts/bench-peers

instructions: ## Instructions per message against the baseline (needs valgrind)
	scripts/instructions
