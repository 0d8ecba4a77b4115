// Command engram is an engram on the public Go SDK in one of four parts:
//
//	engram echo            sends back what it gets, with the number of each emission
//	engram puppet          shows what it gets and does as standard input says
//	engram source COUNT    sends COUNT frames of audio of 640 bytes
//	engram sink COUNT      receipts what it gets, and says when COUNT have come
//
// It connects as BUBU_TRANSPORT_BINDING says, until SIGINT, SIGTERM or the end of standard
// input: whoever started it is gone then. What it has to say is one JSON object a line on
// standard output.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	sdk "github.com/bubustack/bubu-sdk-go"
	"github.com/bubustack/bubu-sdk-go/engram"
)

// config of the step: there is none.
type config struct{}

// part is a streaming engram that takes commands, one a line.
type part interface {
	engram.StreamingEngram[config]
	command(line string)
}

// listener is an engram that hears nothing on standard input but its end.
type listener struct{}

func (listener) Init(context.Context, config, *engram.Secrets) error { return nil }
func (listener) command(string)                                      {}

func chosen(arguments []string) (part, error) {
	if len(arguments) == 0 {
		return nil, errors.New("say which: echo, puppet, source COUNT or sink COUNT")
	}
	switch name, rest := arguments[0], arguments[1:]; {
	case name == "echo" && len(rest) == 0:
		return &echo{}, nil
	case name == "puppet" && len(rest) == 0:
		return newPuppet(), nil
	case (name == "source" || name == "sink") && len(rest) == 1:
		count, err := strconv.Atoi(rest[0])
		if err != nil {
			return nil, err
		}
		if name == "source" {
			return &source{count: count}, nil
		}
		return &sink{count: count}, nil
	default:
		return nil, fmt.Errorf("no such part: %v", arguments)
	}
}

func main() {
	chosen, err := chosen(os.Args[1:])
	if err != nil {
		slog.Error("the command line", "error", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			chosen.command(lines.Text())
		}
		stop()
	}()
	// A logger of one's own keeps the SDK from looking for a cluster at the end.
	ctx = sdk.WithLogger(ctx, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	err = sdk.StartStreaming[config](ctx, chosen)
	if err != nil && !errors.Is(err, context.Canceled) {
		slog.Error("the engram failed", "error", err)
		os.Exit(1)
	}
}
