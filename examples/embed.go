// Package examples holds the topologies that come with netlab. Each one shows something: its description says what, its
// expect lines say it in numbers, and a test runs it. The command netlab knows them by the names of their files.
package examples

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/tailscale/hujson"
)

//go:embed *.json
var files embed.FS

// Example is one of the topologies.
type Example struct {
	// Name is the file's name without its ending.
	Name string
	// Description is what the file says about itself.
	Description string
}

// List returns all examples, by name. It panics if one of them is no JSON, which the tests make sure of.
func List() []Example {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("examples: " + err.Error())
	}
	var list []Example
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		description, err := describe(name)
		if err != nil {
			panic("examples: " + err.Error())
		}
		list = append(list, Example{name, description})
	}
	return list
}

// Read returns the file of an example.
func Read(name string) ([]byte, error) {
	data, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("there is no example %q", name)
	}
	return data, nil
}

func describe(name string) (string, error) {
	data, err := Read(name)
	if err != nil {
		return "", err
	}
	if data, err = hujson.Standardize(data); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	var head struct {
		Description string `json:"description"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return head.Description, nil
}
