// The Go libraries of OpenAI and Anthropic against the gateway, whose address is the argument. Prints "ok NAME" for each
// scenario that went well and stops at the first that did not.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

const hello = "hello world, this is more than one delta of a stream"
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

type city struct {
	City    string `json:"city"`
	Degrees int    `json:"degrees"`
}

var ctx = context.Background()
var cityParameters = map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}}
var citySchema = map[string]any{"type": "object", "additionalProperties": false, "required": []string{"city", "degrees"},
	"properties": map[string]any{"city": map[string]any{"type": "string"}, "degrees": map[string]any{"type": "integer"}}}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

func fail(format string, values ...any) {
	fmt.Printf("failed: "+format+"\n", values...)
	os.Exit(1)
}

func equal(got, wanted any) {
	if got != wanted {
		fail("%v instead of %v", got, wanted)
	}
}

func ask(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: "leeroo", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}}
}

func chatPlain(c openai.Client) {
	equal(must(c.Chat.Completions.New(ctx, ask("hi"))).Choices[0].Message.Content, hello)
}

func chatStreamed(c openai.Client) {
	stream, said := c.Chat.Completions.NewStreaming(ctx, ask("hi")), openai.ChatCompletionAccumulator{}
	for stream.Next() {
		if !said.AddChunk(stream.Current()) {
			fail("a chunk that does not fit")
		}
	}
	must(0, stream.Err())
	equal(said.Choices[0].Message.Content, hello)
}

func chatTool(c openai.Client) {
	params := ask("weather in Paris?")
	params.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
		Name: "get_weather", Parameters: cityParameters})}
	message := must(c.Chat.Completions.New(ctx, params)).Choices[0].Message
	equal(message.ToolCalls[0].Function.Name, "get_weather")
	params.Messages = append(params.Messages, message.ToParam(), openai.ToolMessage("sunny", message.ToolCalls[0].ID))
	equal(must(c.Chat.Completions.New(ctx, params)).Choices[0].Message.Content, "It is sunny")
}

func chatStructured(c openai.Client) {
	params := ask("Paris?")
	params.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &openai.ResponseFormatJSONSchemaParam{
		JSONSchema: openai.ResponseFormatJSONSchemaJSONSchemaParam{Name: "city", Schema: citySchema, Strict: openai.Bool(true)}}}
	var said city
	must(0, json.Unmarshal([]byte(must(c.Chat.Completions.New(ctx, params)).Choices[0].Message.Content), &said))
	equal(said, city{"Paris", 21})
}

func chatImage(c openai.Client) {
	params := ask("")
	params.Messages[0] = openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{openai.TextContentPart("what is it?"),
		openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + pixel})})
	equal(must(c.Chat.Completions.New(ctx, params)).Choices[0].Message.Content, "I see a picture")
}

func chatError(c openai.Client) {
	_, err := c.Chat.Completions.New(ctx, ask("please fail"))
	var refused *openai.Error
	if !errors.As(err, &refused) || refused.StatusCode != 400 || !strings.Contains(refused.Message, "the script says so") {
		fail("%v", err)
	}
}

func chatCancelled(c openai.Client) {
	leaving, leave := context.WithCancel(ctx)
	stream := c.Chat.Completions.NewStreaming(leaving, ask("please stall"))
	for stream.Next() && (len(stream.Current().Choices) == 0 || stream.Current().Choices[0].Delta.Content == "") {
	}
	leave()
	for stream.Next() {
	}
	if !errors.Is(stream.Err(), context.Canceled) {
		fail("%v", stream.Err())
	}
}

func responsesPlain(c openai.Client) {
	params := responses.ResponseNewParams{Model: "leeroo", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("hi")}}
	equal(must(c.Responses.New(ctx, params)).OutputText(), hello)
	stream, said := c.Responses.NewStreaming(ctx, params), ""
	for stream.Next() {
		said += stream.Current().Delta
	}
	must(0, stream.Err())
	equal(said, hello)
}

func models(c openai.Client) {
	names := map[string]bool{}
	for page := c.Models.ListAutoPaging(ctx); page.Next(); {
		names[page.Current().ID] = true
	}
	equal(names["leeroo"] && names["cheap"], true)
	equal(must(c.Models.Get(ctx, "cheap")).ID, "cheap")
}

func message(text string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{Model: "leeroo", MaxTokens: 99,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))}}
}

func messagesPlain(c anthropic.Client) {
	equal(must(c.Messages.New(ctx, message("hi"))).Content[0].Text, hello)
}

func messagesStreamed(c anthropic.Client) {
	stream, said := c.Messages.NewStreaming(ctx, message("hi")), anthropic.Message{}
	for stream.Next() {
		must(0, said.Accumulate(stream.Current()))
	}
	must(0, stream.Err())
	equal(said.Content[0].Text, hello)
	equal(string(said.StopReason), "end_turn")
}

func messagesTool(c anthropic.Client) {
	params := message("weather in Paris?")
	params.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{Name: "get_weather",
		InputSchema: anthropic.ToolInputSchemaParam{Properties: cityParameters["properties"]}}}}
	said := must(c.Messages.New(ctx, params))
	call := said.Content[len(said.Content)-1].AsToolUse()
	equal(call.Name, "get_weather")
	params.Messages = append(params.Messages, said.ToParam(), anthropic.NewUserMessage(anthropic.NewToolResultBlock(call.ID, "sunny", false)))
	equal(must(c.Messages.New(ctx, params)).Content[0].Text, "It is sunny")
}

func messagesImage(c anthropic.Client) {
	params := message("what is it?")
	params.Messages = append(params.Messages, anthropic.NewUserMessage(anthropic.NewImageBlockBase64("image/png", pixel)))
	equal(must(c.Messages.New(ctx, params)).Content[0].Text, "I see a picture")
}

func messagesError(c anthropic.Client) {
	_, err := c.Messages.New(ctx, message("please fail"))
	var refused *anthropic.Error
	if !errors.As(err, &refused) || refused.StatusCode != 400 || !strings.Contains(err.Error(), "the script says so") {
		fail("%v", err)
	}
}

func messagesCancelled(c anthropic.Client) {
	leaving, leave := context.WithCancel(ctx)
	stream := c.Messages.NewStreaming(leaving, message("please stall"))
	for stream.Next() && stream.Current().Type != "content_block_delta" {
	}
	leave()
	for stream.Next() {
	}
	if !errors.Is(stream.Err(), context.Canceled) {
		fail("%v", stream.Err())
	}
}

func messagesModels(c anthropic.Client) {
	names := map[string]bool{}
	for page := c.Models.ListAutoPaging(ctx, anthropic.ModelListParams{}); page.Next(); {
		names[page.Current().ID] = !page.Current().CreatedAt.IsZero()
	}
	equal(names["leeroo"] && names["cheap"], true)
	equal(must(c.Models.Get(ctx, "cheap", anthropic.ModelGetParams{})).ID, "cheap")
	count := must(c.Messages.CountTokens(ctx, anthropic.MessageCountTokensParams{Model: "leeroo", Messages: message("hi").Messages}))
	equal(count.InputTokens > 0, true)
}

func main() {
	oa := openai.NewClient(option.WithBaseURL(os.Args[1]+"/v1"), option.WithAPIKey("k"), option.WithMaxRetries(0))
	an := anthropic.NewClient(anthropicoption.WithBaseURL(os.Args[1]), anthropicoption.WithAPIKey("k"), anthropicoption.WithMaxRetries(0))
	for _, s := range []struct {
		name string
		run  func(openai.Client)
	}{{"chat plain", chatPlain}, {"chat streamed", chatStreamed}, {"chat tool", chatTool}, {"chat structured", chatStructured},
		{"chat image", chatImage}, {"chat error", chatError}, {"chat cancelled", chatCancelled}, {"responses", responsesPlain}, {"models", models}} {
		s.run(oa)
		fmt.Println("ok", s.name)
	}
	for _, s := range []struct {
		name string
		run  func(anthropic.Client)
	}{{"messages plain", messagesPlain}, {"messages streamed", messagesStreamed}, {"messages tool", messagesTool},
		{"messages image", messagesImage}, {"messages error", messagesError}, {"messages cancelled", messagesCancelled},
		{"messages models", messagesModels}} {
		s.run(an)
		fmt.Println("ok", s.name)
	}
	fmt.Println("all well")
}
