package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxSender is the longest name of a sender in bytes.
const maxSender = 256

// Draft is a message as its sender sends it.
type Draft struct {
	// Sender is who sends it; it may be empty.
	Sender string `json:"sender"`
	// ID is the sender's own number for the message, 0 if it has none.
	ID int64 `json:"id"`
	// Sent is when it was sent, in nanoseconds since the start of the run. 0 means when the room gets it, by the date of its host.
	Sent int64 `json:"sent_ns"`
	// Text is what it says.
	Text string `json:"text"`
}

// Message is a message as members get it.
type Message struct {
	// Number is the message's place in the room, from 1, or from 1 + n × 2^32 after the n-th restart of the room's host.
	Number int64 `json:"number"`
	Draft
}

// page is the answer to a poll.
type page struct {
	// Last is the number of the room's latest message, 0 if there was none.
	Last     int64     `json:"last"`
	Messages []Message `json:"messages"`
}

// decodeDraft reads what a client sent.
func decodeDraft(text []byte) (Draft, error) {
	var d Draft
	if !utf8.Valid(text) {
		return d, errors.New("the message is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return d, fmt.Errorf("the message is not one such as {\"sender\": \"ann\", \"text\": \"hello\"}: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return d, errors.New("something follows the message")
	}
	switch {
	case len(d.Sender) > maxSender:
		return d, fmt.Errorf("sender: found %d bytes, wanted at most %d", len(d.Sender), maxSender)
	case d.ID < 0:
		return d, fmt.Errorf("id: found %d, wanted 0 or more", d.ID)
	case d.Sent < 0:
		return d, fmt.Errorf("sent_ns: found %d, wanted 0 or more", d.Sent)
	}
	return d, nil
}

// encode returns a message, or a draft, as JSON.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("chat: a message that is no JSON: %v", err))
	}
	return text
}

// decodeMessage reads what a room sent over WebSocket.
func decodeMessage(text []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("the room sent no message: %w", err)
	}
	return m, m.check()
}

// decodePage reads a room's answer to a poll.
func decodePage(text []byte) (page, error) {
	var p page
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("the room sent no messages: %w", err)
	}
	for i := range p.Messages {
		if err := p.Messages[i].check(); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (m *Message) check() error {
	if m.Number < 1 || m.ID < 0 { // the room's clock may be wrong
		return fmt.Errorf("the room sent a message numbered %d with id %d, sent at %d", m.Number, m.ID, m.Sent)
	}
	return nil
}
