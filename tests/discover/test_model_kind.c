/* What a name tells of what a model is for. */
#include <criterion/criterion.h>

#include "discover/model_list.h"

Test(model_kind, no_chat)
{
    static const char *const names[] = {"text-embedding-3-small",
                                        "nomic-embed-text:latest",
                                        "whisper-1",
                                        "tts-1-hd",
                                        "dall-e-3",
                                        "gpt-image-1",
                                        "omni-moderation-latest",
                                        "gpt-4o-audio-preview",
                                        "gpt-4o-realtime-preview",
                                        "gpt-4o-mini-transcribe",
                                        "gemini-2.5-flash-image",
                                        "imagen-4.0-generate-001",
                                        "veo-3.0",
                                        "rerank-v3.5",
                                        "meta-llama/Llama-Guard-4-12B",
                                        "mistral-ocr-latest",
                                        "babbage-002",
                                        "gpt-3.5-turbo-instruct",
                                        "o3-deep-research",
                                        "stable-diffusion-xl",
                                        "BAAI/bge-large-en-v1.5"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect(model_is_no_chat(str_from(names[i])), "%s", names[i]);
}

Test(model_kind, chat)
{
    static const char *const names[] = {"gpt-4o",
                                        "gpt-4o-mini",
                                        "claude-opus-4-5",
                                        "o3",
                                        "gemini-2.5-flash",
                                        "llama3.1:8b",
                                        "command-r-plus",
                                        "mistral-large-latest",
                                        "qwen2.5-vl-72b-instruct",
                                        "deepseek-reasoner",
                                        "olive-7b",
                                        "codestral-latest",
                                        "grok-4",
                                        "pixtral-12b",
                                        "gpt-oss-20b",
                                        ""};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect_not(model_is_no_chat(str_from(names[i])), "%s", names[i]);
}
