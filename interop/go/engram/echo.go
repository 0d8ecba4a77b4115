package main

import (
	"context"
	"maps"
	"os"
	"strconv"

	"github.com/bubustack/bubu-sdk-go/engram"
)

// emissionKey is the metadata under which an echo says of each message which of its own it is:
// its process, and a number from 1.
const emissionKey = "go"

// echo sends every message back without the hub's numbers, and says only then that it is done.
type echo struct {
	listener
	emitted int
}

func (e *echo) Stream(ctx context.Context, in <-chan engram.InboundMessage, out chan<- engram.StreamMessage) error {
	say(fact{"event": "session"})
	// Of a process that outlives its sessions it is known how much it handed to its SDK.
	defer func() { say(fact{"event": "ended", "emitted": e.emitted}) }()
	process := strconv.Itoa(os.Getpid())
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
			answer.Metadata = maps.Clone(answer.Metadata)
			if answer.Metadata == nil {
				answer.Metadata = map[string]string{}
			}
			answer.Metadata[emissionKey] = process + "." + strconv.Itoa(e.emitted+1)
			select {
			case out <- answer:
				e.emitted++
			case <-ctx.Done():
				return ctx.Err()
			}
			message.Done()
		}
	}
}
