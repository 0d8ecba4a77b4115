package main

import (
	"context"
	"strconv"

	"github.com/bubustack/bubu-sdk-go/engram"
)

// numberKey is the metadata that numbers the messages of a source, from 1.
const numberKey = "number"

// source sends count frames of 20 ms of audio as fast as they are taken, once.
type source struct {
	listener
	count int
	sent  bool
}

func (s *source) Stream(ctx context.Context, in <-chan engram.InboundMessage, out chan<- engram.StreamMessage) error {
	say(fact{"event": "session"})
	for number := 1; number <= s.count && !s.sent; number++ {
		message := engram.StreamMessage{
			Kind:     engram.StreamMessageKindData,
			Metadata: map[string]string{numberKey: strconv.Itoa(number)},
			Audio:    &engram.AudioFrame{PCM: make([]byte, 640), SampleRateHz: 16000, Channels: 1, Codec: "pcm16"},
		}
		select {
		case out <- message:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.sent = true
	say(fact{"event": "sent"})
	// A stream that ended at once would take with it what the SDK has not sent yet.
	<-ctx.Done()
	return ctx.Err()
}

// sink receipts what it gets. It says when a tenth of count has come, and when all has: what
// lies between is measured, without the beginning.
type sink struct {
	listener
	count     int
	seen      int
	disorders int
}

func (s *sink) Stream(ctx context.Context, in <-chan engram.InboundMessage, _ chan<- engram.StreamMessage) error {
	say(fact{"event": "session"})
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case message, open := <-in:
			if !open {
				return nil
			}
			s.seen++
			if message.Metadata[numberKey] != strconv.Itoa(s.seen) {
				s.disorders++
			}
			message.Done()
			switch s.seen {
			case s.count / 10:
				say(fact{"event": "begun"})
			case s.count:
				say(fact{"event": "complete", "disorders": s.disorders})
			}
		}
	}
}
