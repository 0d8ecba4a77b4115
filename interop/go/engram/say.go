package main

import (
	"encoding/json"
	"os"
	"sync"
)

// fact is what a line on standard output says.
type fact map[string]any

var saying sync.Mutex

// say writes one line. Nobody reads any more when it fails, so the error is nobody's.
func say(what fact) {
	line, err := json.Marshal(what)
	if err != nil {
		panic(err) // facts are made of strings, numbers and maps of these
	}
	saying.Lock()
	defer saying.Unlock()
	_, _ = os.Stdout.Write(append(line, '\n'))
}
