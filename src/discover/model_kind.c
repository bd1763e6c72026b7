/* Names of models that embed, draw, speak, listen, rank or guard. Lists seldom say what a model is for, so its name
 * must tell; a mistake costs a line in an offer, and nothing else. */
#include "discover/model_list.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_among(struct str word, const struct str *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(word, words[i]))
            return true;
    return false;
}

/* Words of letters alone: "tts-1-hd" has "tts" and "hd". */
static bool has_word(struct str id, const struct str *words, size_t count)
{
    for (size_t from = 0, at = 0; at <= id.len; at++)
        if (at == id.len || !is_letter(id.ptr[at])) {
            if (at > from && is_among(str_slice(id, from, at), words, count))
                return true;
            from = at + 1;
        }
    return false;
}

static bool has_part(struct str id, const struct str *parts, size_t count)
{
    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i + parts[p].len <= id.len; i++)
            if (str_equal_nocase(str_slice(id, i, i + parts[p].len), parts[p]))
                return true;
    return false;
}

bool model_is_no_chat(struct str id)
{
    static const struct str words[] = {
        STR_INIT("tts"),        STR_INIT("stt"),      STR_INIT("asr"),       STR_INIT("audio"),
        STR_INIT("realtime"),   STR_INIT("image"),    STR_INIT("images"),    STR_INIT("imagen"),
        STR_INIT("veo"),        STR_INIT("sora"),     STR_INIT("ocr"),       STR_INIT("speech"),
        STR_INIT("live"),       STR_INIT("aqa"),      STR_INIT("bge"),       STR_INIT("gte"),
        STR_INIT("clip"),       STR_INIT("flux"),     STR_INIT("kokoro"),    STR_INIT("parakeet"),
        STR_INIT("orpheus"),    STR_INIT("playai"),   STR_INIT("robotics"),  STR_INIT("lyria"),
        STR_INIT("banana"),     STR_INIT("babbage"),  STR_INIT("davinci"),   STR_INIT("video"),
        STR_INIT("music"),      STR_INIT("reward"),   STR_INIT("guard"),     STR_INIT("safeguard"),
        STR_INIT("transcribe"), STR_INIT("research"), STR_INIT("container"), STR_INIT("search")};
    static const struct str parts[] = {
        STR_INIT("embed"),          STR_INIT("rerank"),      STR_INIT("whisper"),
        STR_INIT("moderation"),     STR_INIT("dall-e"),      STR_INIT("diffusion"),
        STR_INIT("minilm"),         STR_INIT("e5-"),         STR_INIT("llamaguard"),
        STR_INIT("turbo-instruct"), STR_INIT("computer-use")};
    return has_word(id, words, sizeof(words) / sizeof(words[0])) ||
           has_part(id, parts, sizeof(parts) / sizeof(parts[0]));
}
