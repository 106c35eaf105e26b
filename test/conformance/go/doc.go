// Package conformance runs OpenAI's own Go client against a running node.
package conformance
