package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// The harness starts a node and says here where it is.
func client(t *testing.T) openai.Client {
	t.Helper()
	base := os.Getenv("MESHAI_BASE_URL")
	if base == "" {
		t.Skip("MESHAI_BASE_URL is not set: these tests are run by harness.py")
	}
	return openai.NewClient(option.WithBaseURL(base), option.WithAPIKey(os.Getenv("MESHAI_KEY")), option.WithMaxRetries(0))
}

func params(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    "gpt-fake",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)},
	}
}

func TestWhole(t *testing.T) {
	c := client(t)
	answer, err := c.Chat.Completions.New(context.Background(), params("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Choices[0].Message.Content; got != "You said: hello" {
		t.Errorf("content %q", got)
	}
	if answer.Choices[0].FinishReason != "stop" || answer.Usage.CompletionTokens == 0 {
		t.Errorf("finish %q, usage %+v", answer.Choices[0].FinishReason, answer.Usage)
	}
}

func TestStream(t *testing.T) {
	c := client(t)
	p := params("one two three")
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := c.Chat.Completions.NewStreaming(context.Background(), p)
	all := openai.ChatCompletionAccumulator{}
	steps := 0
	for stream.Next() {
		steps++
		if !all.AddChunk(stream.Current()) {
			t.Fatal("a chunk did not fit")
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got := all.Choices[0].Message.Content; got != "You said: one two three" {
		t.Errorf("content %q", got)
	}
	if steps < 5 || all.Usage.TotalTokens == 0 {
		t.Errorf("%d steps, usage %+v", steps, all.Usage)
	}
}

func TestTools(t *testing.T) {
	c := client(t)
	p := params("weather?")
	p.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
		Name: "get_weather",
		Parameters: openai.FunctionParameters{
			"type":       "object",
			"properties": map[string]any{"city": map[string]string{"type": "string"}},
		},
	})}
	answer, err := c.Chat.Completions.New(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	calls := answer.Choices[0].Message.ToolCalls
	if len(calls) != 1 || calls[0].Function.Name != "get_weather" {
		t.Fatalf("calls %+v", calls)
	}
	var arguments map[string]string
	if err := json.Unmarshal([]byte(calls[0].Function.Arguments), &arguments); err != nil || arguments["city"] != "Paris" {
		t.Errorf("arguments %q: %v", calls[0].Function.Arguments, err)
	}
	p.Messages = append(p.Messages, answer.Choices[0].Message.ToParam(), openai.ToolMessage("sunny", calls[0].ID))
	answer, err = c.Chat.Completions.New(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Choices[0].FinishReason != "stop" {
		t.Errorf("finish %q", answer.Choices[0].FinishReason)
	}
}

func TestErrors(t *testing.T) {
	c := client(t)
	p := params("hello")
	p.Model = "no-such-model"
	_, err := c.Chat.Completions.New(context.Background(), p)
	var failed *openai.Error
	if !errors.As(err, &failed) || failed.StatusCode != 404 || failed.Code != "model_not_found" {
		t.Errorf("error %v", err)
	}
}

func TestCancel(t *testing.T) {
	c := client(t)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	stream := c.Chat.Completions.NewStreaming(ctx, params(`fake:{"text":"a b c d e f g h i j k l m n o p","gap_ms":100}`))
	var text strings.Builder
	for stream.Next() {
		if choices := stream.Current().Choices; len(choices) > 0 {
			text.WriteString(choices[0].Delta.Content)
		}
	}
	if stream.Err() == nil || text.Len() == 0 || strings.Contains(text.String(), "p") {
		t.Errorf("text %q, error %v", text.String(), stream.Err())
	}
}
