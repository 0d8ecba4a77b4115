// Command echo is an engram on the public Go SDK that sends back what it gets. It runs as
// BUBU_TRANSPORT_BINDING says, until SIGINT or SIGTERM.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	sdk "github.com/bubustack/bubu-sdk-go"
	"github.com/bubustack/bubu-sdk-go/engram"
)

// config of the step: there is none.
type config struct{}

type echo struct{}

func (echo) Init(context.Context, config, *engram.Secrets) error { return nil }

// Stream sends every message back without the hub's numbers, and says then that it is done.
func (echo) Stream(ctx context.Context, in <-chan engram.InboundMessage, out chan<- engram.StreamMessage) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case message, open := <-in:
			if !open {
				return nil
			}
			answer := message.StreamMessage
			answer.Envelope = nil
			select {
			case out <- answer:
			case <-ctx.Done():
				return ctx.Err()
			}
			message.Done()
		}
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A logger of one's own keeps the SDK from looking for a cluster at the end.
	ctx = sdk.WithLogger(ctx, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	err := sdk.StartStreaming[config](ctx, echo{})
	if err != nil && !errors.Is(err, context.Canceled) {
		slog.Error("the engram failed", "error", err)
		os.Exit(1)
	}
}
