package conformance

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// The harness starts a node and says here where it and its providers are.
var (
	base  = os.Getenv("MESHAI_BASE_URL")
	word  = os.Getenv("MESHAI_WORD")
	hello = "hello " + word
	ports = map[string]int{}
)

var providers = map[string]string{"gpt-fake": "openai", "claude-fake": "anthropic", "gemini-3-fake": "gemini"}

func client(t *testing.T, more ...option.RequestOption) openai.Client {
	t.Helper()
	if base == "" {
		t.Skip("MESHAI_BASE_URL is not set: these tests are run by run_go.py")
	}
	if err := json.Unmarshal([]byte(os.Getenv("MESHAI_FAKES")), &ports); err != nil {
		t.Fatal(err)
	}
	return openai.NewClient(append([]option.RequestOption{option.WithBaseURL(base),
		option.WithAPIKey(os.Getenv("MESHAI_KEY")), option.WithMaxRetries(0)}, more...)...)
}

func params(model, text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)},
	}
}

// Asks a fake provider; a body makes it a POST.
func fake(t *testing.T, model, path string, body any, into any) {
	t.Helper()
	url := fmt.Sprintf("http://127.0.0.1:%d/fake/%s", ports[providers[model]], path)
	ask := func() (*http.Response, error) { return http.Get(url) }
	if body != nil {
		sent, _ := json.Marshal(body)
		ask = func() (*http.Response, error) { return http.Post(url, "application/json", bytes.NewReader(sent)) }
	}
	answer, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(got, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func play(t *testing.T, model string, script map[string]any) {
	t.Helper()
	script["times"] = 1
	fake(t, model, "rules", []any{script}, nil)
}

func scripted(script map[string]any) string {
	text, _ := json.Marshal(script)
	return "fake:" + string(text)
}

func lastBody(t *testing.T, model string) string {
	t.Helper()
	var all []struct {
		Body string `json:"body"`
	}
	fake(t, model, "requests", nil, &all)
	return all[len(all)-1].Body
}

func eachModel(t *testing.T, run func(t *testing.T, c openai.Client, model string)) {
	t.Helper()
	for model := range providers {
		t.Run(model, func(t *testing.T) { run(t, client(t), model) })
	}
}

// The whole answer of a stream, put together by the client itself.
func gather(
	t *testing.T, c openai.Client, p openai.ChatCompletionNewParams,
) (openai.ChatCompletionAccumulator, int, error) {
	t.Helper()
	stream := c.Chat.Completions.NewStreaming(context.Background(), p)
	all, steps := openai.ChatCompletionAccumulator{}, 0
	for stream.Next() {
		steps++
		if !all.AddChunk(stream.Current()) {
			t.Fatal("a chunk did not fit")
		}
	}
	return all, steps, stream.Err()
}

func TestWhole(t *testing.T) {
	eachModel(t, func(t *testing.T, c openai.Client, model string) {
		answer, err := c.Chat.Completions.New(context.Background(), params(model, hello))
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.Choices[0].Message.Content; got != "You said: "+hello {
			t.Errorf("content %q", got)
		}
		if answer.Choices[0].FinishReason != "stop" || answer.Usage.CompletionTokens == 0 {
			t.Errorf("finish %q, usage %+v", answer.Choices[0].FinishReason, answer.Usage)
		}
	})
}

func TestStream(t *testing.T) {
	eachModel(t, func(t *testing.T, c openai.Client, model string) {
		p := params(model, "one two "+word)
		p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
		all, steps, err := gather(t, c, p)
		if err != nil {
			t.Fatal(err)
		}
		if got := all.Choices[0].Message.Content; got != "You said: one two "+word {
			t.Errorf("content %q", got)
		}
		if steps < 5 || all.Usage.TotalTokens == 0 {
			t.Errorf("%d steps, usage %+v", steps, all.Usage)
		}
	})
}

func TestToolsInParallel(t *testing.T) {
	eachModel(t, func(t *testing.T, c openai.Client, model string) {
		p := params(model, "weather? "+word)
		p.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
			Name: "get_weather",
			Parameters: openai.FunctionParameters{
				"type":       "object",
				"properties": map[string]any{"city": map[string]any{"type": "string", "enum": []string{word}}},
			},
		})}
		for _, streamed := range []bool{false, true} {
			wanted := []string{"Paris " + word, "Rome " + word}
			play(t, model, map[string]any{"calls": []any{
				map[string]any{"name": "get_weather", "arguments": map[string]string{"city": wanted[0]}},
				map[string]any{"name": "get_weather", "arguments": map[string]string{"city": wanted[1]}},
			}})
			var answer *openai.ChatCompletion
			var err error
			if streamed {
				var all openai.ChatCompletionAccumulator
				all, _, err = gather(t, c, p)
				answer = &all.ChatCompletion
			} else {
				answer, err = c.Chat.Completions.New(context.Background(), p)
			}
			if err != nil {
				t.Fatal(err)
			}
			calls := answer.Choices[0].Message.ToolCalls
			if len(calls) != 2 || answer.Choices[0].FinishReason != "tool_calls" {
				t.Fatalf("finish %q, calls %+v", answer.Choices[0].FinishReason, calls)
			}
			after := p
			after.Messages = append([]openai.ChatCompletionMessageParamUnion{}, p.Messages...)
			after.Messages = append(after.Messages, answer.Choices[0].Message.ToParam())
			for i, call := range calls {
				var arguments map[string]string
				err := json.Unmarshal([]byte(call.Function.Arguments), &arguments)
				if err != nil || arguments["city"] != wanted[i] || call.Function.Name != "get_weather" {
					t.Errorf("call %+v: %v", call, err)
				}
				after.Messages = append(after.Messages, openai.ToolMessage("sunny "+word, call.ID))
			}
			answer, err = c.Chat.Completions.New(context.Background(), after)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Choices[0].FinishReason != "stop" || strings.Count(lastBody(t, model), "sunny") != 2 {
				t.Errorf("finish %q", answer.Choices[0].FinishReason)
			}
		}
	})
}

func TestResponseFormat(t *testing.T) {
	eachModel(t, func(t *testing.T, c openai.Client, model string) {
		play(t, model, map[string]any{"text": fmt.Sprintf(`{"said":%q}`, word)})
		p := params(model, hello)
		p.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &openai.ResponseFormatJSONSchemaParam{JSONSchema: openai.ResponseFormatJSONSchemaJSONSchemaParam{
				Name:   "said",
				Strict: openai.Bool(true),
				Schema: map[string]any{
					"type": "object", "properties": map[string]any{"said": map[string]any{"type": "string"}},
					"required": []string{"said"}, "additionalProperties": false,
				},
			}},
		}
		answer, err := c.Chat.Completions.New(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.Unmarshal([]byte(answer.Choices[0].Message.Content), &got); err != nil || got["said"] != word {
			t.Errorf("content %q: %v", answer.Choices[0].Message.Content, err)
		}
		if !strings.Contains(lastBody(t, model), `"said"`) {
			t.Error("the schema did not reach the provider")
		}
	})
}

func TestImages(t *testing.T) {
	eachModel(t, func(t *testing.T, c openai.Client, model string) {
		data := base64.StdEncoding.EncodeToString([]byte("no real PNG " + word))
		p := params(model, "")
		p.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
			openai.TextContentPart(hello),
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + data}),
		})}
		if _, err := c.Chat.Completions.New(context.Background(), p); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(lastBody(t, model), data) {
			t.Error("the image did not reach the provider")
		}
	})
}

func TestReasoning(t *testing.T) {
	eachModel(t, func(t *testing.T, c openai.Client, model string) {
		play(t, model, map[string]any{"thinking": "because " + word, "text": "So."})
		answer, err := c.Chat.Completions.New(context.Background(), params(model, hello))
		if err != nil {
			t.Fatal(err)
		}
		var thought string
		raw := answer.Choices[0].Message.JSON.ExtraFields["reasoning_content"].Raw()
		if err := json.Unmarshal([]byte(raw), &thought); err != nil || thought != "because "+word {
			t.Errorf("reasoning %q: %v", raw, err)
		}
	})
}

func TestWhatOnlyOpenAIKnows(t *testing.T) {
	c := client(t)
	p := params("gpt-fake", hello)
	p.N, p.Logprobs, p.Seed = openai.Int(2), openai.Bool(true), openai.Int(7)
	answer, err := c.Chat.Completions.New(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Choices) != 2 || answer.Choices[1].Logprobs.Content[0].Logprob != -0.25 {
		t.Errorf("choices %+v", answer.Choices)
	}
	all, _, err := gather(t, c, p)
	if err != nil || len(all.Choices) != 2 || all.Choices[1].Message.Content != "You said: "+hello {
		t.Errorf("choices %+v, error %v", all.Choices, err)
	}
}

func TestCompletions(t *testing.T) {
	eachModel(t, func(t *testing.T, c openai.Client, model string) {
		p := openai.CompletionNewParams{
			Model:  openai.CompletionNewParamsModel(model),
			Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(hello)},
		}
		answer, err := c.Completions.New(context.Background(), p)
		if err != nil || answer.Choices[0].Text != "You said: "+hello {
			t.Fatalf("answer %+v, error %v", answer, err)
		}
		stream, text := c.Completions.NewStreaming(context.Background(), p), ""
		for stream.Next() {
			if choices := stream.Current().Choices; len(choices) > 0 {
				text += choices[0].Text
			}
		}
		if stream.Err() != nil || text != "You said: "+hello {
			t.Errorf("text %q, error %v", text, stream.Err())
		}
	})
}

func TestEmbeddings(t *testing.T) {
	c := client(t)
	answer, err := c.Embeddings.New(context.Background(), openai.EmbeddingNewParams{
		Model: "embed-fake",
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{hello, "and another"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Data) != 2 || fmt.Sprint(answer.Data[1].Embedding) != "[0.25 -0.5 0.75]" {
		t.Errorf("vectors %+v", answer.Data)
	}
}

func TestModels(t *testing.T) {
	c := client(t)
	names := ""
	for page := c.Models.ListAutoPaging(context.Background()); page.Next(); {
		names += page.Current().ID + "\n"
	}
	for _, wanted := range []string{"auto", "both", "gpt-fake", "claude-fake", "embed-fake"} {
		if !strings.Contains(names, wanted+"\n") {
			t.Errorf("%s is not among %q", wanted, names)
		}
	}
	one, err := c.Models.Get(context.Background(), "claude-fake")
	if err != nil || one.OwnedBy != "anthropic" {
		t.Errorf("model %+v, error %v", one, err)
	}
}

func TestErrors(t *testing.T) {
	refused := func(
		c openai.Client, p openai.ChatCompletionNewParams, status int, code string, more ...option.RequestOption,
	) {
		t.Helper()
		_, err := c.Chat.Completions.New(context.Background(), p, more...)
		var failed *openai.Error
		if !errors.As(err, &failed) || failed.StatusCode != status || failed.Code != code {
			t.Errorf("error %v instead of %d %s", err, status, code)
		}
	}
	c, p := client(t), params("gpt-fake", hello)
	refused(c, params("no-such-model", hello), 404, "model_not_found")
	refused(c, p, 400, "unsupported_parameter", option.WithJSONSet("mesh.private", true))
	refused(c, p, 403, "reach_excludes_all", option.WithHeader("x-mesh-reach", "device"))
	refused(client(t, option.WithAPIKey("wrong-"+word)), p, 401, "invalid_api_key")
	play(t, "gpt-fake", map[string]any{"status": 503})
	refused(c, p, 503, "node_overloaded", option.WithJSONSet("mesh.fallback", false))
}

func TestBrokenStream(t *testing.T) {
	eachModel(t, func(t *testing.T, c openai.Client, model string) {
		p := params(model, scripted(map[string]any{"text": "one two " + word, "fault": "error_event", "at": 2}))
		p.SetExtraFields(map[string]any{"mesh": map[string]any{"fallback": false}})
		all, _, err := gather(t, c, p)
		if err == nil || all.Choices[0].Message.Content != "one two" || all.Choices[0].FinishReason != "" {
			t.Errorf("choices %+v, error %v", all.Choices, err)
		}
	})
}

func TestCancel(t *testing.T) {
	eachModel(t, func(t *testing.T, c openai.Client, model string) {
		var before, after []int
		fake(t, model, "broken_off", nil, &before)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		asked := scripted(map[string]any{"text": "a b c d e f g h i j k l m n o p", "gap_ms": 100})
		stream := c.Chat.Completions.NewStreaming(ctx, params(model, asked))
		var text strings.Builder
		for stream.Next() {
			if choices := stream.Current().Choices; len(choices) > 0 {
				text.WriteString(choices[0].Delta.Content)
			}
			if strings.Contains(text.String(), "b") {
				cancel()
			}
		}
		if stream.Err() == nil || !strings.HasPrefix(text.String(), "a b") || strings.Contains(text.String(), "p") {
			t.Errorf("text %q, error %v", text.String(), stream.Err())
		}
		for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
			if fake(t, model, "broken_off", nil, &after); after[0] == before[0]+1 {
				return
			}
		}
		t.Errorf("the provider was broken off %d times more", after[0]-before[0])
	})
}
