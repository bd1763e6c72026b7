/* One pass over the lines of a message: blocks of clients are cut, fenced code is jumped over. What is kept is copied
 * only once something was cut, so that a text without blocks costs a look at its '<' and is returned as it is. A pure
 * function for any thread. A search for a closing tag that fails costs the rest of the text, so that there may be only
 * a few of them. The lists at the top are names as clients write them, not patterns. */
#include "encode/spoken.h"

#include <stdlib.h>
#include <string.h>

#include "encode/char_class.h"
#include "encode/follow_up.h"

#define TAG_BYTES_MAX   256 /* between < and >; notes have short names and few attributes */
#define WORD_BYTES_MAX  16
#define NESTED_MAX      8    /* closing tags that may belong to tags inside */
#define UNCLOSED_MAX    8    /* with so many tags that are not closed the rest is taken for text */
#define DUMP_BYTES_MIN  512  /* a shorter <file> may be part of the question */
#define FENCE_BYTES_MAX 1024 /* of fenced code that is; longer is a file */

enum tag {
    TAG_TEXT,     /* nothing that a client puts there */
    TAG_NOTE,     /* a client's, with its contents, where it stands on lines of its own */
    TAG_SURE,     /* the same, and may share its first or its last line with other text */
    TAG_DUMP,     /* a file, if it is long */
    TAG_EMPTY,    /* around a part that is no text: Codex's images */
    TAG_WRAPPER,  /* what is inside was typed by the user */
    TAG_QUESTION, /* the same, and nothing else was */
};

/* As clients write them. */
static const struct {
    struct str name;
    enum tag tag;
} names[] = {
    {STR_INIT("INSTRUCTIONS"), TAG_NOTE},
    {STR_INIT("additional_data"), TAG_NOTE},
    {STR_INIT("attached_files"), TAG_SURE},
    {STR_INIT("attachment"), TAG_DUMP},
    {STR_INIT("attachments"), TAG_DUMP},
    {STR_INIT("bash-input"), TAG_NOTE},
    {STR_INIT("command-args"), TAG_WRAPPER},
    {STR_INIT("command-message"), TAG_SURE},
    {STR_INIT("command-name"), TAG_SURE},
    {STR_INIT("environment_context"), TAG_SURE},
    {STR_INIT("environment_details"), TAG_SURE},
    {STR_INIT("feedback"), TAG_WRAPPER},
    {STR_INIT("file"), TAG_DUMP},
    {STR_INIT("ide_opened_file"), TAG_SURE},
    {STR_INIT("ide_selection"), TAG_SURE},
    {STR_INIT("image"), TAG_EMPTY},
    {STR_INIT("local-command-caveat"), TAG_SURE},
    {STR_INIT("local-command-stderr"), TAG_SURE},
    {STR_INIT("local-command-stdout"), TAG_SURE},
    {STR_INIT("model_switch"), TAG_NOTE},
    {STR_INIT("project_layout"), TAG_NOTE},
    {STR_INIT("realtime_conversation"), TAG_NOTE},
    {STR_INIT("skill"), TAG_DUMP},
    {STR_INIT("system-reminder"), TAG_SURE},
    {STR_INIT("system_reminder"), TAG_SURE},
    {STR_INIT("task"), TAG_WRAPPER},
    {STR_INIT("timestamp"), TAG_NOTE},
    {STR_INIT("turn_aborted"), TAG_SURE},
    {STR_INIT("user-prompt-submit-hook"), TAG_SURE},
    {STR_INIT("userRequest"), TAG_QUESTION},
    {STR_INIT("user_info"), TAG_NOTE},
    {STR_INIT("user_input"), TAG_WRAPPER},
    {STR_INIT("user_instructions"), TAG_SURE},
    {STR_INIT("user_message"), TAG_WRAPPER},
    {STR_INIT("user_prompt"), TAG_WRAPPER},
    {STR_INIT("user_query"), TAG_QUESTION},
    {STR_INIT("user_request"), TAG_WRAPPER},
    {STR_INIT("user_shell_command"), TAG_SURE},
};

/* Sorted. Words that describe what is around a question; the second list only beside one of the first. */
static const char *const clear_words[] = {
    "aborted",      "agent",       "agents",      "attached", "caveat",    "collaboration",
    "command",      "commands",    "context",     "cursor",   "deferred",  "diagnostics",
    "editor",       "environment", "git",         "hook",     "hooks",     "ide",
    "instructions", "linter",      "mcp",         "memories", "memory",    "notification",
    "opened",       "permissions", "personality", "plugins",  "recently",  "reminder",
    "reminders",    "repo",        "repository",  "session",  "shell",     "skills",
    "stderr",       "stdout",      "system",      "tools",    "workspace",
};
static const char *const other_words[] = {
    "active",      "additional", "and",     "apps",        "available", "content",  "contents",
    "current",     "date",       "details", "dir",         "directory", "errors",   "file",
    "files",       "folder",     "info",    "information", "list",      "local",    "mode",
    "name",        "new",        "of",      "open",        "os",        "output",   "project",
    "recommended", "results",    "root",    "rules",       "selection", "server",   "servers",
    "skill",       "spec",       "state",   "status",      "structure", "subagent", "task",
    "terminal",    "time",       "tool",    "user",        "viewed",    "visible",
};

/* Lines that clients write by themselves, up to their ends. */
static const struct str lines[] = {
    STR_INIT("[Request interrupted by user"),
    STR_INIT("Called the Read tool with the following input:"),
};

/* Lines from which on a client speaks, to the message's end: Aider's files, and its rules behind a question. */
static const struct str endings[] = {
    STR_INIT("I have *added these files to the chat*"),
    STR_INIT("Here are summaries of some files present in my git repository."),
    STR_INIT("Here are some READ ONLY files, provided for your reference."),
    STR_INIT("# *SEARCH/REPLACE block* Rules:"),
};

static const struct str agents_heading = STR_INIT("# AGENTS.md instructions");

struct reader {
    struct str text;
    struct arena *arena;
    char *kept;              /* NULL: nothing was cut until now */
    size_t kept_len, copied; /* the text up to `copied` is in it, or cut */
    size_t searched;         /* bytes that were looked through for nothing */
    size_t wrapper_end;      /* where the closing tag of a wrapper stands; 0: none is open */
    bool question;           /* ... behind which nothing counts */
    bool without_files;      /* they are cut, too */
    bool has_files;          /* ... and some were */
    bool full;               /* the arena is */
};

/* Who looks for ends that are not there, or of blocks that are none, looks at every byte a few times and no more. */
static bool is_tired(const struct reader *x)
{
    return x->searched / UNCLOSED_MAX >= x->text.len;
}

static void cut(struct reader *x, size_t from, size_t to)
{
    if (!x->kept)
        x->kept = arena_alloc(x->arena, x->text.len);
    x->full |= !x->kept;
    if (x->kept) {
        memcpy(x->kept + x->kept_len, x->text.ptr + x->copied, from - x->copied);
        x->kept_len += from - x->copied;
    }
    x->copied = to;
}

/* Names */

static int compare_word(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static bool is_in(const char *word, const char *const *list, size_t count)
{
    return bsearch(word, list, count, sizeof(list[0]), compare_word);
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_name_char(char c)
{
    return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
}

/* The next word of "local-command", "local_command", "local command" or "localCommand", in lower case. */
static bool next_word(struct str name, size_t *at, char word[WORD_BYTES_MAX + 1])
{
    size_t len = 0;
    while (*at < name.len && strchr("-_ ", name.ptr[*at]))
        ++*at;
    for (; *at < name.len && !strchr("-_ ", name.ptr[*at]); ++*at) {
        if (len > 0 && is_upper(name.ptr[*at]) && !is_upper(name.ptr[*at - 1]))
            break;
        if (len < WORD_BYTES_MAX)
            word[len++] = (char)char_lower((unsigned char)name.ptr[*at]);
    }
    word[len] = '\0';
    return len > 0;
}

static bool is_one_word(struct str name)
{
    for (size_t i = 1; i < name.len; i++)
        if (name.ptr[i] == '-' || name.ptr[i] == '_' || name.ptr[i] == ' ' ||
            (is_upper(name.ptr[i]) && !is_upper(name.ptr[i - 1])))
            return false;
    return true;
}

static enum tag tag_by_words(struct str name)
{
    char word[WORD_BYTES_MAX + 1];
    size_t at = 0, count = 0;
    bool clear = false;
    if (is_one_word(name))
        return TAG_TEXT;
    for (; next_word(name, &at, word); count++) {
        if (is_in(word, clear_words, sizeof(clear_words) / sizeof(clear_words[0])))
            clear = true;
        else if (!is_in(word, other_words, sizeof(other_words) / sizeof(other_words[0])))
            return TAG_TEXT;
    }
    return clear && count > 1 ? TAG_NOTE : TAG_TEXT;
}

/* Most tags are HTML's, so lengths are compared before anything is called. */
static enum tag tag_of(struct str name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].name.len == name.len && !memcmp(names[i].name.ptr, name.ptr, name.len))
            return names[i].tag;
    return tag_by_words(name);
}

/* Blocks */

struct block {
    enum tag tag;
    size_t from, inside, inside_end, to; /* of `from` the '<', of `to` behind the last '>' */
};

/* What stands between < and >: the name, and maybe attributes. "permissions instructions" is a name. */
static bool open_tag(struct str text, size_t from, struct str *ret_name, size_t *ret_inside)
{
    size_t at = from + 1, max = from + TAG_BYTES_MAX;
    while (at < text.len && is_name_char(text.ptr[at]))
        at++;
    size_t name_end = at;
    bool attributes = false;
    if (name_end == from + 1)
        return false;
    for (; at < text.len && at < max && text.ptr[at] != '>'; at++) {
        if (text.ptr[at] == '<' || text.ptr[at] == '\n')
            return false;
        attributes |= text.ptr[at] == '=';
    }
    if (at >= text.len || at >= max)
        return false;
    *ret_name = str_slice(text, from + 1, attributes ? name_end : at);
    *ret_inside = at + 1;
    return text.ptr[at - 1] != '/';
}

/* As far as they could be closed. */
static size_t count_tags(struct str text, struct str tag)
{
    size_t count = 0;
    for (size_t at = 0; count < NESTED_MAX; at += tag.len, count++) {
        at = str_find(text, tag, at);
        if (at == SIZE_MAX)
            break;
    }
    return count;
}

/* Where the </name> that belongs to it stands; SIZE_MAX: nowhere. A note may quote another of its kind, and where these
 * are not closed, the first one is it. */
static size_t find_close(struct reader *x, struct str name, size_t from)
{
    char text[TAG_BYTES_MAX + 3] = "</", opening[TAG_BYTES_MAX + 2] = "<";
    memcpy(text + 2, name.ptr, name.len);
    text[2 + name.len] = '>';
    memcpy(opening + 1, text + 2, name.len + 1);
    const struct str close = {text, name.len + 3}, begin = {opening, name.len + 2};
    size_t first = str_find(x->text, close, from), at = from, end = first, open = 0;
    for (size_t i = 0; i < NESTED_MAX && open < NESTED_MAX && end != SIZE_MAX; i++) {
        open += count_tags(str_slice(x->text, at, end), begin);
        if (open-- == 0)
            return end;
        at = end + close.len;
        end = str_find(x->text, close, at);
    }
    x->searched += end == SIZE_MAX ? x->text.len : at - first;
    return first;
}

static bool read_block(struct reader *x, size_t from, struct block *ret)
{
    struct str name;
    size_t inside;
    if (!open_tag(x->text, from, &name, &inside))
        return false;
    enum tag tag = tag_of(name);
    size_t end = tag == TAG_TEXT ? SIZE_MAX : find_close(x, name, inside);
    bool is_file = x->without_files && end != SIZE_MAX && end - inside >= DUMP_BYTES_MIN;
    if (end == SIZE_MAX || (tag == TAG_DUMP && !is_file) ||
        (tag == TAG_EMPTY && str_trim(str_slice(x->text, inside, end)).len > 0)) {
        x->searched += end != SIZE_MAX ? end - inside : 0;
        return false;
    }
    *ret = (struct block){tag, from, inside, end, end + name.len + 3};
    return true;
}

static size_t skip_blanks(struct str text, size_t at)
{
    while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t' || text.ptr[at] == '\r'))
        at++;
    return at;
}

/* Whether a line ends here, or another tag begins. */
static bool is_end(struct str text, size_t at)
{
    at = skip_blanks(text, at);
    return at >= text.len || text.ptr[at] == '\n' || text.ptr[at] == '<';
}

/* Behind the blanks and the end of the line, if nothing else is on it. */
static size_t line_rest(struct str text, size_t at)
{
    size_t end = skip_blanks(text, at);
    if (end < text.len && text.ptr[end] == '\n')
        return end + 1;
    return end >= text.len ? end : at;
}

static bool closes_wrapper(const struct reader *x, size_t at)
{
    return x->wrapper_end > 0 && at == x->wrapper_end;
}

/* It was looked for in vain. */
static size_t reject(struct reader *x, const struct block *b)
{
    x->searched += b->to - b->from;
    return 0;
}

/* The block at a '<', cut if it is one. `first`: nothing but blanks and blocks are before it on its line, from
 * `line` on. Returns where to go on; 0: there is none. */
static size_t take_block(struct reader *x, size_t line, size_t at, bool first)
{
    struct block b;
    if (closes_wrapper(x, at)) {
        size_t to = x->question ? x->text.len : str_find(x->text, STR(">"), at) + 1;
        cut(x, at, to);
        x->wrapper_end = 0;
        return to;
    }
    if (!read_block(x, at, &b))
        return 0;
    bool last = is_end(x->text, b.to);
    if (b.tag == TAG_SURE || b.tag == TAG_QUESTION ? !(first || last) : !(first && last))
        return reject(x, &b);
    if (b.tag == TAG_WRAPPER || b.tag == TAG_QUESTION) {
        if (x->wrapper_end > 0)
            return reject(x, &b);
        x->wrapper_end = b.inside_end;
        x->question = b.tag == TAG_QUESTION;
        cut(x, first ? line : at, line_rest(x->text, b.inside));
        if (x->question)
            x->kept_len = 0;
        return x->copied;
    }
    x->has_files |= b.tag == TAG_DUMP;
    cut(x, first ? line : at, first ? line_rest(x->text, b.to) : b.to);
    return x->copied;
}

/* Lines */

static size_t line_end(struct str text, size_t at)
{
    const char *end = memchr(text.ptr + at, '\n', text.len - at);
    return end ? (size_t)(end - text.ptr) : text.len;
}

static void cut_file(struct reader *x, size_t from, size_t to)
{
    cut(x, from, to);
    x->has_files = true;
}

/* Fenced code that opens at `at`: where the line that closes it ends. Not closed, it is none. */
static size_t skip_fence(struct reader *x, size_t at)
{
    struct str text = x->text, mark = str_slice(text, at, at + 3);
    size_t open_end = line_end(text, at), close = open_end;
    while ((close = str_find(text, mark, close)) != SIZE_MAX) {
        size_t line = close;
        while (line > open_end && (text.ptr[line - 1] == ' ' || text.ptr[line - 1] == '\t'))
            line--;
        if (text.ptr[line - 1] == '\n') {
            if (x->without_files && line - open_end > FENCE_BYTES_MAX)
                cut_file(x, at, line_end(text, close));
            return line_end(text, close);
        }
        close += mark.len;
    }
    x->searched += text.len;
    return open_end;
}

static bool starts_any(struct str line, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_starts(line, list[i]))
            return true;
    return false;
}

/* Of a line that a client wrote, where that ends; SIZE_MAX: it did not. */
static size_t clients_line(struct str text, size_t at, size_t end)
{
    struct str line = str_slice(text, at, end);
    if (line.len == 0 || !strchr("[#CHI", line.ptr[0]))
        return SIZE_MAX;
    if (starts_any(line, endings, sizeof(endings) / sizeof(endings[0])))
        return text.len;
    if (starts_any(line, lines, sizeof(lines) / sizeof(lines[0])))
        return end;
    if (!str_starts(line, agents_heading))
        return SIZE_MAX;
    size_t next = end;
    while (next < text.len && (text.ptr[next] == '\n' || text.ptr[next] == '\r'))
        next++;
    struct str rest = str_slice(text, next, text.len);
    bool follows =
        str_starts(rest, STR("<INSTRUCTIONS>")) || str_starts(rest, STR("<environment_context>"));
    return follows ? end : SIZE_MAX;
}

/* The blocks of one line, of which the last may end some lines further on. Returns where the next line begins. */
static size_t read_line(struct reader *x, size_t line, size_t end)
{
    size_t from = line, begin = skip_blanks(x->text, line);
    while (!is_tired(x)) {
        const char *hit = from < end ? memchr(x->text.ptr + from, '<', end - from) : NULL;
        if (!hit)
            break;
        size_t at = (size_t)(hit - x->text.ptr);
        bool first = begin == at, closes = closes_wrapper(x, at);
        size_t to = take_block(x, line, at, first);
        from = to ? to : at + 1;
        if (!to)
            continue;
        if (to > line && x->text.ptr[to - 1] == '\n')
            return to;
        if (first || closes) {
            line = to;
            begin = skip_blanks(x->text, line);
        }
        if (to > end)
            end = line_end(x->text, to);
    }
    return end + 1;
}

static void read_lines(struct reader *x)
{
    size_t at = 0;
    while (at < x->text.len && !is_tired(x) && !x->full) {
        if (x->text.ptr[at] == '\n') {
            at++;
            continue;
        }
        size_t begin = skip_blanks(x->text, at), end = line_end(x->text, begin);
        struct str line = str_slice(x->text, begin, end);
        size_t ours = clients_line(x->text, begin, end);
        if (ours != SIZE_MAX) {
            at = ours < x->text.len ? ours + 1 : ours;
            cut(x, begin, at);
        } else if (str_starts(line, STR("```")) || str_starts(line, STR("~~~"))) {
            at = skip_fence(x, begin) + 1;
        } else {
            at = read_line(x, at, end);
        }
    }
}

static enum status speak(struct reader *x, struct str *ret, struct error *err)
{
    read_lines(x);
    if (x->full)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    if (x->kept) {
        cut(x, x->text.len, x->text.len);
        *ret = str_trim((struct str){x->kept, x->kept_len});
    } else {
        *ret = x->text;
    }
    return OK;
}

static bool has(struct str text, char c)
{
    return memchr(text.ptr, c, text.len);
}

/* Most texts have none of the characters that blocks, fences and clients' lines are made of, and are not read at all.
 * Aider's lines stand above fences. */
static bool may_hold_notes(struct str text)
{
    return text.len > 0 && (has(text, '<') || has(text, '`') || has(text, '~') ||
                            (has(text, '[') && str_find(text, lines[0], 0) != SIZE_MAX) ||
                            (has(text, '{') && str_find(text, lines[1], 0) != SIZE_MAX));
}

/* Where the words beside a file have nothing of their own ("fix this"), the file is what is asked about. */
enum status spoken_text(struct str text, struct arena *a, struct str *ret, struct error *err)
{
    struct reader x = {.text = text, .arena = a, .without_files = true};
    struct reader with_files = {.text = text, .arena = a};
    struct str said = text;
    enum status status = may_hold_notes(text) ? speak(&x, &said, err) : OK;
    if (status == OK && x.has_files && follow_up_share(said) > 0)
        status = speak(&with_files, &said, err);
    if (status == OK)
        *ret = said;
    return status;
}
