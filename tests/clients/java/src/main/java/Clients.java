// The Java libraries of OpenAI and Anthropic against the gateway, whose address is the argument. Prints "ok NAME" for each
// scenario that went well and stops at the first that did not.
import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.Base64ImageSource;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.ImageBlockParam;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.TextBlockParam;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolResultBlockParam;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessage;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.responses.ResponseCreateParams;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

public final class Clients {
    private static final String HELLO = "hello world, this is more than one delta of a stream";
    private static final String PIXEL =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    private static OpenAIClient oa;
    private static AnthropicClient an;

    public static class City {
        public String city;
        public int degrees;
    }

    @com.fasterxml.jackson.annotation.JsonClassDescription("The weather of a city")
    @com.fasterxml.jackson.annotation.JsonTypeName("get_weather")
    public static class GetWeather {
        public String city;
    }

    private static void equal(Object got, Object wanted) {
        if (!got.equals(wanted)) throw new AssertionError(got + " instead of " + wanted);
    }

    private static void refused(Runnable ask) {
        try {
            ask.run();
        } catch (RuntimeException e) {
            if (e.getMessage().contains("the script says so")) return;
            throw e;
        }
        throw new AssertionError("no refusal");
    }

    private static ChatCompletionCreateParams.Builder chat(String text) {
        return ChatCompletionCreateParams.builder().model("leeroo").addUserMessage(text);
    }

    private static String said(ChatCompletionCreateParams params) {
        return oa.chat().completions().create(params).choices().get(0).message().content().orElseThrow();
    }

    private static void chatPlain() {
        equal(said(chat("hi").build()), HELLO);
    }

    private static void chatStreamed() {
        ChatCompletionAccumulator all = ChatCompletionAccumulator.create();
        try (var stream = oa.chat().completions().createStreaming(chat("hi").build())) {
            stream.stream().forEach(all::accumulate);
        }
        equal(all.chatCompletion().choices().get(0).message().content().orElseThrow(), HELLO);
    }

    private static void chatTool() {
        ChatCompletionCreateParams.Builder params = chat("weather in Paris?").addTool(GetWeather.class);
        ChatCompletion first = oa.chat().completions().create(params.build());
        ChatCompletionMessage message = first.choices().get(0).message();
        var call = message.toolCalls().orElseThrow().get(0).asFunction();
        equal(call.function().name(), "get_weather");
        params.addMessage(message).addMessage(ChatCompletionToolMessageParam.builder().toolCallId(call.id()).content("sunny").build());
        equal(said(params.build()), "It is sunny");
    }

    private static void chatStructured() {
        City city = oa.chat().completions().create(chat("Paris?").responseFormat(City.class).build())
            .choices().get(0).message().content().orElseThrow();
        equal(city.city + city.degrees, "Paris21");
    }

    private static void chatImage() {
        equal(said(ChatCompletionCreateParams.builder().model("leeroo").addUserMessageOfArrayOfContentParts(List.of(
            ChatCompletionContentPart.ofText(ChatCompletionContentPartText.builder().text("what is it?").build()),
            ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder().imageUrl(
                ChatCompletionContentPartImage.ImageUrl.builder().url("data:image/png;base64," + PIXEL).build()).build()))).build()),
            "I see a picture");
    }

    private static void chatCancelled() {
        try (var stream = oa.chat().completions().createStreaming(chat("please stall").build())) {
            stream.stream().anyMatch(c -> c.choices().stream().anyMatch(x -> x.delta().content().orElse("").length() > 0));
        }
    }

    private static void responsesPlain() {
        var params = ResponseCreateParams.builder().model("leeroo").input("hi").build();
        equal(oa.responses().create(params).output().get(0).asMessage().content().get(0).asOutputText().text(), HELLO);
        try (var stream = oa.responses().createStreaming(params)) {
            equal(stream.stream().flatMap(e -> e.outputTextDelta().stream()).map(d -> d.delta()).collect(Collectors.joining()), HELLO);
        }
    }

    private static void models() {
        equal(oa.models().list().data().stream().map(m -> m.id()).collect(Collectors.toList()).containsAll(List.of("leeroo", "cheap")), true);
        equal(oa.models().retrieve("cheap").id(), "cheap");
        equal(an.models().list().autoPager().stream().map(m -> m.id()).collect(Collectors.toList()).containsAll(List.of("leeroo", "cheap")), true);
        var one = an.models().retrieve("cheap");
        one.validate();
        equal(one.id() + (one.createdAt().getYear() > 1900), "cheaptrue");
    }

    private static MessageCreateParams.Builder message(String text) {
        return MessageCreateParams.builder().model("leeroo").maxTokens(99).addUserMessage(text);
    }

    private static String said(MessageCreateParams params) {
        return an.messages().create(params).content().get(0).asText().text();
    }

    private static void messagesPlain() {
        equal(said(message("hi").build()), HELLO);
        equal(an.messages().countTokens(MessageCountTokensParams.builder().model("leeroo").addUserMessage("hi").build()).inputTokens() > 0, true);
    }

    private static void messagesStreamed() {
        MessageAccumulator all = MessageAccumulator.create();
        try (var stream = an.messages().createStreaming(message("hi").build())) {
            stream.stream().forEach(all::accumulate);
        }
        equal(all.message().content().get(0).asText().text(), HELLO);
    }

    private static void messagesTool() {
        Tool tool = Tool.builder().name("get_weather").inputSchema(Tool.InputSchema.builder()
            .properties(JsonValue.from(Map.of("city", Map.of("type", "string")))).build()).build();
        MessageCreateParams.Builder params = message("weather in Paris?").addTool(tool);
        Message first = an.messages().create(params.build());
        var call = first.content().get(first.content().size() - 1).asToolUse();
        equal(call.name(), "get_weather");
        params.addMessage(first).addUserMessageOfContentBlockParams(List.of(ContentBlockParam.ofToolResult(
            ToolResultBlockParam.builder().toolUseId(call.id()).content("sunny").build())));
        equal(said(params.build()), "It is sunny");
    }

    private static void messagesImage() {
        equal(said(MessageCreateParams.builder().model("leeroo").maxTokens(99).addUserMessageOfContentBlockParams(List.of(
            ContentBlockParam.ofText(TextBlockParam.builder().text("what is it?").build()),
            ContentBlockParam.ofImage(ImageBlockParam.builder().source(Base64ImageSource.builder()
                .mediaType(Base64ImageSource.MediaType.IMAGE_PNG).data(PIXEL).build()).build()))).build()), "I see a picture");
    }

    private static void messagesCancelled() {
        try (var stream = an.messages().createStreaming(message("please stall").build())) {
            stream.stream().anyMatch(e -> e.isContentBlockDelta());
        }
    }

    public static void main(String[] arguments) {
        oa = OpenAIOkHttpClient.builder().baseUrl(arguments[0] + "/v1").apiKey("k").maxRetries(0).build();
        an = AnthropicOkHttpClient.builder().baseUrl(arguments[0]).apiKey("k").maxRetries(0).build();
        play("chat plain", Clients::chatPlain);
        play("chat streamed", Clients::chatStreamed);
        play("chat tool", Clients::chatTool);
        play("chat structured", Clients::chatStructured);
        play("chat image", Clients::chatImage);
        play("chat error", () -> refused(() -> said(chat("please fail").build())));
        play("chat cancelled", Clients::chatCancelled);
        play("responses", Clients::responsesPlain);
        play("models", Clients::models);
        play("messages plain", Clients::messagesPlain);
        play("messages streamed", Clients::messagesStreamed);
        play("messages tool", Clients::messagesTool);
        play("messages image", Clients::messagesImage);
        play("messages error", () -> refused(() -> said(message("please fail").build())));
        play("messages cancelled", Clients::messagesCancelled);
        System.out.println("all well");
        System.exit(0);
    }

    private static void play(String name, Runnable scenario) {
        scenario.run();
        System.out.println("ok " + name);
    }
}
