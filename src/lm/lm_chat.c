/* Chat templates. The whole text that a template makes is usually split into tokens at once, as models have been
 * trained; but where a message holds the text of one of the vocabulary's marks ("<|im_end|>"), that would end the
 * message. Then the template is filled with placeholders, and its own parts and the messages become tokens apart,
 * the latter without any marks. Any thread: only the vocabulary is read. */
#include "lm/lm_chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lm/lm_int.h"

#define TEMPLATES_MAX  256
#define HOLDER_BYTES   32
#define TEMPLATE_SPARE 4096 /* beside the messages */
#define MESSAGE_SPARE  256

struct tokens {
    int32_t *list;
    size_t count, room;
};

bool lm_chat_knows(const char *chat_template)
{
    const struct llama_chat_message hello = {"user", "Hello"};
    return chat_template && llama_chat_apply_template(chat_template, &hello, 1, true, NULL, 0) >= 0;
}

void lm_chat_list(struct buf *out)
{
    const char *names[TEMPLATES_MAX];
    int32_t count = llama_chat_builtin_templates(names, TEMPLATES_MAX);
    if (count > TEMPLATES_MAX)
        count = TEMPLATES_MAX;
    for (int32_t i = 0; i < count; i++)
        buf_addf(out, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", names[i]);
}

/* Whether tokens of the text are among those that no writing gives, but marks alone. */
static bool holds_marks(const struct lm *lm, const char *text)
{
    size_t len = strlen(text);
    if (!strpbrk(text, "<[|{")) /* as every mark begins, or is written by hand */
        return false;
    int32_t plain = llama_tokenize(lm->vocab, text, (int32_t)len, NULL, 0, false, false);
    int32_t *marked = calloc(len + 1, sizeof(*marked));
    int32_t *unmarked = calloc(len + 1, sizeof(*unmarked));
    bool holds = true; /* of what cannot be known the worse */
    if (marked && unmarked && plain <= 0 && (size_t)-plain <= len) {
        int32_t a =
            llama_tokenize(lm->vocab, text, (int32_t)len, marked, (int32_t)len + 1, false, true);
        int32_t b =
            llama_tokenize(lm->vocab, text, (int32_t)len, unmarked, (int32_t)len + 1, false, false);
        holds = a != b || a < 0 || memcmp(marked, unmarked, (size_t)a * sizeof(*marked)) != 0;
    }
    free(marked);
    free(unmarked);
    return holds;
}

static enum status add_tokens(const struct lm *lm, struct str text, bool first, bool marks,
                              struct tokens *into, struct error *err)
{
    /* A token is a byte at least, but for blanks, which some vocabularies spell as three; marks may stand around. */
    size_t room = into->count + 3 * text.len + 8;
    if (room > into->room) {
        int32_t *more = realloc(into->list, room * sizeof(*more));
        if (!more)
            return error_set(err, ERR_MEMORY, "out of memory for a prompt");
        into->list = more;
        into->room = room;
    }
    if (text.len == 0 && !first)
        return OK;
    int32_t n = llama_tokenize(lm->vocab, text.ptr, (int32_t)text.len, into->list + into->count,
                               (int32_t)(into->room - into->count), first, marks);
    if (n < 0)
        return error_set(err, ERR_UPSTREAM, "llama.cpp made no tokens of a prompt");
    into->count += (size_t)n;
    return OK;
}

/* The text of the template, in `out`. */
static enum status apply(const char *chat_template, const struct llama_chat_message *messages,
                         size_t count, size_t bytes, struct buf *out, struct error *err)
{
    size_t room = bytes + count * MESSAGE_SPARE + TEMPLATE_SPARE;
    for (int tries = 0; tries < 2; tries++) {
        char *at = buf_reserve(out, room + 1);
        if (!at)
            return buf_status(out, err);
        int32_t n =
            llama_chat_apply_template(chat_template, messages, count, true, at, (int32_t)room);
        if (n < 0)
            return error_set(err, ERR_UNSUPPORTED, "the model's chat template is not known");
        if ((size_t)n <= room) {
            out->len += (size_t)n;
            return OK;
        }
        room = (size_t)n;
    }
    return error_set(err, ERR_UPSTREAM, "llama.cpp made no prompt");
}

static enum status tokens_at_once(const struct lm *lm, const char *chat_template,
                                  const struct llama_chat_message *messages, size_t count,
                                  size_t bytes, struct tokens *into, struct error *err)
{
    struct buf text;
    buf_init(&text, 2 * (size_t)LM_CHAT_BYTES_MAX);
    enum status status = apply(chat_template, messages, count, bytes, &text, err);
    if (status == OK)
        status = add_tokens(lm, buf_str(&text), true, true, into, err);
    buf_done(&text);
    return status;
}

static void write_holder(char into[HOLDER_BYTES], size_t i)
{
    snprintf(into, HOLDER_BYTES, "\x02%zu\x03", i);
}

/* The template's text with a placeholder for each message, cut at these. */
static enum status tokens_apart(const struct lm *lm, struct str text,
                                const struct lm_chat_message *messages, size_t count,
                                struct tokens *into, struct error *err)
{
    bool first = true;
    enum status status = OK;
    while (status == OK && (text.len > 0 || first)) {
        size_t from = str_find(text, STR("\x02"), 0), to = str_find(text, STR("\x03"), 0);
        uint64_t i = 0;
        bool held = from != SIZE_MAX && to != SIZE_MAX && to > from;
        struct str before = held ? str_slice(text, 0, from) : text;
        status = add_tokens(lm, before, first, true, into, err);
        first = false;
        if (!held || status != OK)
            break;
        if (str_to_uint64(str_slice(text, from + 1, to), &i) != OK || i >= count)
            return error_set(err, ERR_UPSTREAM, "llama.cpp made no prompt");
        status = add_tokens(lm, str_from(messages[i].content), false, false, into, err);
        text = str_slice(text, to + 1, text.len);
    }
    return status;
}

static enum status tokens_by_holders(const struct lm *lm, const char *chat_template,
                                     const struct lm_chat_message *messages, size_t count,
                                     struct tokens *into, struct error *err)
{
    struct llama_chat_message *held = calloc(count + 1, sizeof(*held));
    char(*names)[HOLDER_BYTES] = calloc(count + 1, sizeof(*names));
    struct buf text;
    enum status status = OK;
    buf_init(&text, 2 * (size_t)LM_CHAT_BYTES_MAX);
    if (!held || !names)
        status = error_set(err, ERR_MEMORY, "out of memory for a prompt");
    for (size_t i = 0; status == OK && i < count; i++) {
        write_holder(names[i], i);
        held[i] = (struct llama_chat_message){messages[i].role, names[i]};
    }
    if (status == OK)
        status = apply(chat_template, held, count, count * HOLDER_BYTES, &text, err);
    if (status == OK)
        status = tokens_apart(lm, buf_str(&text), messages, count, into, err);
    buf_done(&text);
    free(held);
    free(names);
    return status;
}

/* One piece: the two ways share the list and what is known of it. */
enum status lm_chat_tokens(const struct lm *lm, const char *chat_template,
                           const struct lm_chat_message *messages, size_t count, int32_t **ret,
                           size_t *ret_count, struct error *err)
{
    struct tokens tokens = {0};
    bool marks = false;
    size_t bytes = 0;
    struct llama_chat_message *list = calloc(count + 1, sizeof(*list));
    if (!list)
        return error_set(err, ERR_MEMORY, "out of memory for a prompt");
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct llama_chat_message){messages[i].role, messages[i].content};
        bytes += strlen(messages[i].content);
        marks |= holds_marks(lm, messages[i].content);
    }
    enum status status = bytes > LM_CHAT_BYTES_MAX
                             ? error_set(err, ERR_TOO_LARGE, "a conversation of %zu bytes", bytes)
                         : marks
                             ? tokens_by_holders(lm, chat_template, messages, count, &tokens, err)
                             : tokens_at_once(lm, chat_template, list, count, bytes, &tokens, err);
    free(list);
    if (status != OK) {
        free(tokens.list);
        return status;
    }
    *ret = tokens.list;
    *ret_count = tokens.count;
    return OK;
}
