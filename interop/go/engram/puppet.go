package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/bubustack/bubu-sdk-go/engram"
)

// puppet shows what happens to it and does what it is told, one line each:
//
//	hold               keep what comes until it is told that it is done (so it begins)
//	prompt             say of what comes that it is done, at once
//	done all           say it of all that is kept, oldest first
//	done ID...         say it of these, whatever has become of their session
//	emit NAME          send a message
//	answer TYPE REPLY  answer directives of TYPE with one of type REPLY
//
// Each line is answered by {"event": "did"} when it is carried out.
type puppet struct {
	listener
	lock    sync.Mutex
	prompt  bool
	held    []held
	ids     int
	answers map[string]string
	session int
	ctx     context.Context
	out     chan<- engram.StreamMessage
}

type held struct {
	id      int
	message engram.InboundMessage
}

func newPuppet() *puppet { return &puppet{answers: map[string]string{}} }

func (p *puppet) Stream(ctx context.Context, in <-chan engram.InboundMessage, out chan<- engram.StreamMessage) error {
	p.lock.Lock()
	p.session++
	session := p.session
	p.ctx, p.out = ctx, out
	p.lock.Unlock()
	say(fact{"event": "session", "number": session})
	defer func() { say(fact{"event": "ended", "number": session}) }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case message, open := <-in:
			if !open {
				return nil
			}
			p.take(message)
		}
	}
}

func (p *puppet) take(message engram.InboundMessage) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.ids++
	say(fact{"event": "got", "id": p.ids, "name": message.Metadata["n"], "session": p.session})
	if p.prompt {
		message.Done()
		return
	}
	p.held = append(p.held, held{p.ids, message})
}

// HandleControlDirective takes the place of the SDK's own answers.
func (p *puppet) HandleControlDirective(_ context.Context, directive engram.ControlDirective) (*engram.ControlDirective, error) {
	p.lock.Lock()
	reply, known := p.answers[directive.Type]
	p.lock.Unlock()
	// Whoever reads of the directive may change the answer: it was chosen before.
	say(fact{"event": "directive", "type": directive.Type, "metadata": directive.Metadata})
	if !known {
		return nil, nil
	}
	return &engram.ControlDirective{Type: reply, Metadata: map[string]string{"of": directive.Type}}, nil
}

func (p *puppet) command(line string) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return
	}
	if err := p.do(words[0], words[1:]); err != nil {
		fmt.Fprintln(os.Stderr, line, "failed:", err)
		os.Exit(1)
	}
	say(fact{"event": "did"})
}

func (p *puppet) do(verb string, words []string) error {
	switch {
	case verb == "hold" || verb == "prompt":
		p.lock.Lock()
		defer p.lock.Unlock()
		p.prompt = verb == "prompt"
		return nil
	case verb == "done":
		return p.done(words)
	case verb == "emit" && len(words) == 1:
		return p.emit(words[0])
	case verb == "answer" && len(words) == 2:
		p.lock.Lock()
		defer p.lock.Unlock()
		p.answers[words[0]] = words[1]
		return nil
	default:
		return fmt.Errorf("no such command")
	}
}

func (p *puppet) done(words []string) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	if len(words) == 1 && words[0] == "all" {
		for _, held := range p.held {
			held.message.Done()
		}
		p.held = nil
		return nil
	}
	for _, word := range words {
		id, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		at := p.index(id)
		if at < 0 {
			return fmt.Errorf("%d is not kept", id)
		}
		p.held[at].message.Done()
		p.held = append(p.held[:at], p.held[at+1:]...)
	}
	return nil
}

func (p *puppet) index(id int) int {
	for at, held := range p.held {
		if held.id == id {
			return at
		}
	}
	return -1
}

// emit sends outside the lock: a hub that pauses the engram must not keep it from being told.
func (p *puppet) emit(name string) error {
	p.lock.Lock()
	ctx, out := p.ctx, p.out
	p.lock.Unlock()
	if out == nil {
		return fmt.Errorf("there was no session yet")
	}
	message := engram.StreamMessage{
		Kind:     engram.StreamMessageKindData,
		Metadata: map[string]string{"n": name},
		Binary:   &engram.BinaryFrame{Payload: []byte(name), MimeType: "application/octet-stream"},
	}
	select {
	case out <- message:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
