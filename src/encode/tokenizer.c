/* Byte pairs, merged by rank. Both kinds of file become one thing: texts of tokens with their numbers, and pairs of
 * numbers with a rank and the number that they become. Ranks of tiktoken are the numbers themselves, so there a pair is
 * looked up by its text.
 *
 * A piece is a list of parts, first its bytes; a heap holds the pairs that may be merged, the lowest rank and of those
 * the first in front. A pair that has changed since is known by its length. All memory of a count is one block, freed
 * at its end; nothing here may be called on an event loop for texts of unlimited size, the caller bounds them. */
#include "encode/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "encode/token_split.h"

#define FILE_BYTES_MAX   (64u << 20)
#define MEMORY_BYTES_MAX (256u << 20)
#define NONE             UINT32_MAX

struct pair {
    uint32_t left, right, rank, becomes; /* left NONE: empty */
};

struct tokenizer {
    struct arena *arena;
    struct map *numbers; /* text of a token → its number */
    struct token_split split;
    bool by_text;        /* tiktoken: ranks by text */
    bool whole_first;    /* a piece that is a token is one, whatever merges say */
    uint32_t bytes[256]; /* the number of a byte by itself; NONE: it has none */
    struct pair *pairs;  /* [pair_slots], a power of two */
    size_t pair_slots;
};

/* Pairs */

static size_t slot_of(const struct tokenizer *t, uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)left << 32 | right) * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(h >> 20) & (t->pair_slots - 1);
    while (t->pairs[at].left != NONE && (t->pairs[at].left != left || t->pairs[at].right != right))
        at = (at + 1) & (t->pair_slots - 1);
    return at;
}

/* Counting */

struct heap_item {
    uint32_t rank, at, len; /* len: of both parts together, to see whether they are still there */
    uint32_t becomes;
};

struct piece {
    const struct tokenizer *t;
    struct str text;
    uint32_t *next, *before, *number; /* [bytes] of the part that begins there; next NONE: gone */
    struct heap_item *heap;
    size_t count, heap_count;
};

static bool is_less(const struct heap_item *a, const struct heap_item *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void swap(struct heap_item *a, struct heap_item *b)
{
    struct heap_item c = *a;
    *a = *b;
    *b = c;
}

static void push(struct piece *p, struct heap_item item)
{
    size_t i = p->heap_count++;
    p->heap[i] = item;
    for (; i > 0 && is_less(&p->heap[i], &p->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&p->heap[i], &p->heap[(i - 1) / 2]);
}

static struct heap_item pop(struct piece *p)
{
    struct heap_item first = p->heap[0];
    p->heap[0] = p->heap[--p->heap_count];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t k = 2 * i + 1; k <= 2 * i + 2; k++)
            if (k < p->heap_count && is_less(&p->heap[k], &p->heap[least]))
                least = k;
        if (least == i)
            return first;
        swap(&p->heap[i], &p->heap[least]);
        i = least;
    }
}

/* The pair that begins at `at`, if it can be merged. */
static void offer(struct piece *p, uint32_t at)
{
    uint32_t right = p->next[at], rank = 0;
    if (right >= p->text.len)
        return;
    struct str both = {p->text.ptr + at, p->next[right] - at};
    struct heap_item item = {.at = at, .len = (uint32_t)both.len};
    if (p->t->by_text) {
        if (!map_get(p->t->numbers, both, &rank))
            return;
        item.rank = item.becomes = rank;
    } else {
        const struct pair *pair = &p->t->pairs[slot_of(p->t, p->number[at], p->number[right])];
        if (pair->left == NONE)
            return;
        item.rank = pair->rank;
        item.becomes = pair->becomes;
    }
    push(p, item);
}

static void merge(struct piece *p, const struct heap_item *item)
{
    uint32_t at = item->at, right = p->next[at];
    p->next[at] = p->next[right];
    p->next[right] = NONE;
    p->number[at] = item->becomes;
    if (p->next[at] < p->text.len)
        p->before[p->next[at]] = at;
    p->count--;
    offer(p, at);
    if (at > 0)
        offer(p, p->before[at]);
}

static bool is_there_still(const struct piece *p, const struct heap_item *item)
{
    uint32_t right = p->next[item->at];
    return right != NONE && right < p->text.len && p->next[right] - item->at == item->len;
}

static uint64_t merge_all(struct piece *p)
{
    uint32_t n = (uint32_t)p->text.len;
    p->count = n;
    p->heap_count = 0;
    for (uint32_t i = 0; i < n; i++) {
        p->next[i] = i + 1;
        p->before[i] = i > 0 ? i - 1 : 0;
        p->number[i] = p->t->bytes[(unsigned char)p->text.ptr[i]];
    }
    for (uint32_t i = 0; i + 1 < n; i++)
        offer(p, i);
    while (p->heap_count > 0) {
        struct heap_item item = pop(p);
        if (is_there_still(p, &item))
            merge(p, &item);
    }
    return p->count;
}

/* Byte-level files write a byte as a character: what can be printed as itself, the rest from U+0100 on. */
static uint32_t letter_of_byte(unsigned byte)
{
    if ((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174)
        return byte;
    if (byte < 33)
        return 256 + byte;
    return byte == 173 ? 256 + 67 : 256 + 33 + byte - 127;
}

static size_t write_letter(char *into, unsigned byte)
{
    uint32_t c = letter_of_byte(byte);
    if (c < 0x80) {
        into[0] = (char)c;
        return 1;
    }
    into[0] = (char)(0xC0 | c >> 6);
    into[1] = (char)(0x80 | (c & 0x3F));
    return 2;
}

#define TOKEN_BYTES_MAX 4096 /* of a token's text in the file */
#define WHOLE_BYTES_MAX 256  /* no token of a vocabulary is longer that would be a piece */

static bool is_token(const struct tokenizer *t, struct str piece)
{
    char letters[2 * WHOLE_BYTES_MAX];
    size_t len = 0;
    uint32_t number;
    if (t->by_text)
        return map_get(t->numbers, piece, &number);
    if (!t->whole_first || piece.len > WHOLE_BYTES_MAX)
        return false;
    for (size_t i = 0; i < piece.len; i++)
        len += write_letter(letters + len, (unsigned char)piece.ptr[i]);
    return map_get(t->numbers, (struct str){letters, len}, &number);
}

/* Of the longest piece, for the memory of all. */
static size_t longest_piece(const struct tokenizer *t, struct str text)
{
    size_t longest = 0;
    for (size_t at = 0, end; at < text.len; at = end) {
        end = token_split_next(&t->split, text, at);
        longest = end - at > longest ? end - at : longest;
    }
    return longest;
}

enum status tokenizer_count(const struct tokenizer *t, struct str text, uint64_t *ret,
                            struct error *err)
{
    uint64_t count = 0;
    size_t n = longest_piece(t, text);
    if (n >= NONE / 4)
        return error_set(err, ERR_TOO_LARGE, "a piece of %zu bytes is too long to count", n);
    char *memory = malloc(n * (3 * sizeof(uint32_t) + 3 * sizeof(struct heap_item)) + 1);
    if (!memory)
        return error_set(err, ERR_MEMORY, "out of memory for counting tokens");
    struct piece p = {.t = t, .heap = (struct heap_item *)(void *)memory};
    p.next = (uint32_t *)(void *)(p.heap + 3 * n); /* each merge offers two pairs at most */
    p.before = p.next + n;
    p.number = p.before + n;
    for (size_t at = 0, end; at < text.len; at = end) {
        end = token_split_next(&t->split, text, at);
        p.text = str_slice(text, at, end);
        count += is_token(t, p.text) ? 1 : merge_all(&p);
    }
    free(memory);
    *ret = count;
    return OK;
}

/* Files of ranks */

static unsigned sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* False: it is no base64. */
static bool read_base64(struct str text, char *into, size_t *ret)
{
    uint32_t bits = 0;
    size_t n = 0, have = 0;
    while (text.len > 0 && text.ptr[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        unsigned s = sextet(text.ptr[i]);
        if (s == 64)
            return false;
        bits = bits << 6 | s;
        have += 6;
        if (have >= 8) {
            have -= 8;
            into[n++] = (char)(bits >> have & 255);
        }
    }
    *ret = n;
    return n > 0;
}

static enum status read_rank(struct tokenizer *t, struct str line, char **at, struct error *err)
{
    uint64_t rank = 0;
    size_t len = 0, space = str_find(line, STR(" "), 0);
    if (space == SIZE_MAX || !read_base64(str_slice(line, 0, space), *at, &len) ||
        str_to_uint64(str_slice(line, space + 1, line.len), &rank) != OK || rank >= NONE)
        return error_set(err, ERR_INPUT, "is neither a file of ranks nor a tokenizer.json");
    if (len == 1)
        t->bytes[(unsigned char)**at] = (uint32_t)rank;
    enum status status = map_put(t->numbers, (struct str){*at, len}, (uint32_t)rank);
    *at += len;
    return status == OK ? OK : error_set(err, ERR_MEMORY, "out of memory for a tokenizer");
}

/* Files of ranks do not say how text is cut; how many ranks there are tells which encoding it is. */
static enum status split_by_size(struct tokenizer *t, struct error *err)
{
    static const struct {
        size_t from, to;
        struct token_split split;
    } known[] = {{50256, 50281, {TOKEN_SPLIT_GPT2, 0, false}},     /* gpt2, r50k, p50k */
                 {100256, 100256, {TOKEN_SPLIT_CL100K, 3, false}}, /* cl100k */
                 {128000, 128000, {TOKEN_SPLIT_CL100K, 3, false}}, /* Llama 3 */
                 {151643, 151643, {TOKEN_SPLIT_CL100K, 1, false}}, /* Qwen */
                 {199998, 199998, {TOKEN_SPLIT_O200K, 3, false}}}; /* o200k */
    size_t count = map_count(t->numbers);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (count >= known[i].from && count <= known[i].to) {
            t->split = known[i].split;
            return OK;
        }
    return error_set(err, ERR_UNSUPPORTED,
                     "has %zu ranks, as no known encoding; give the model's tokenizer.json", count);
}

static enum status read_ranks(struct tokenizer *t, struct str file, struct error *err)
{
    enum status status = OK;
    char *texts = arena_alloc(t->arena, file.len + 1), *at = texts;
    t->numbers = map_create(file.len / 16);
    t->by_text = true;
    if (!texts || !t->numbers)
        return error_set(err, ERR_MEMORY, "out of memory for a tokenizer");
    for (struct str rest = file; status == OK && rest.len > 0;) {
        struct str line = str_trim(str_split(&rest, '\n'));
        if (line.len > 0)
            status = read_rank(t, line, &at, err);
    }
    return status == OK ? split_by_size(t, err) : status;
}

/* tokenizer.json */

static enum status not_known(struct json_value v, const char *what, struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED, "has %s that is not known: %.*s", what,
                     (int)(v.raw.len < 160 ? v.raw.len : 160), v.raw.ptr ? v.raw.ptr : "none");
}

static bool is_type(struct json_value v, const char *type)
{
    return json_string_equal(json_get(v, "type"), str_from(type));
}

static bool is_true(struct json_value v, const char *member)
{
    return json_get(v, member).type == JSON_TRUE;
}

/* One step of the pre-tokenizer. */
static enum status read_step(struct tokenizer *t, struct json_value v, struct error *err)
{
    static const struct str gpt2 = STR_INIT(
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");
    struct str regex;
    struct json_value pattern = json_get(json_get(v, "pattern"), "Regex");
    bool apart = t->split.digits_apart;
    if (is_type(v, "Digits") && is_true(v, "individual_digits"))
        t->split.digits_apart = true;
    else if (is_type(v, "ByteLevel") && !is_true(v, "add_prefix_space") &&
             json_get(v, "use_regex").type == JSON_FALSE)
        return OK;
    else if (is_type(v, "ByteLevel") && !is_true(v, "add_prefix_space"))
        (void)token_split_find(gpt2, &t->split);
    else if (!is_type(v, "Split") || is_true(v, "invert") ||
             !json_string_equal(json_get(v, "behavior"), STR("Isolated")) ||
             json_string_decode(pattern, t->arena, &regex) != OK ||
             !token_split_find(regex, &t->split))
        return not_known(v, "a pre-tokenizer", err);
    t->split.digits_apart |= apart;
    return OK;
}

static enum status read_split(struct tokenizer *t, struct json_value v, struct error *err)
{
    struct json_value steps = json_get(v, "pretokenizers"), step;
    struct json_iter it = json_iter_begin(steps);
    enum status status = OK;
    if (!is_type(v, "Sequence"))
        return read_step(t, v, err);
    for (size_t splits = 0;
         status == OK && steps.type == JSON_ARRAY && json_array_next(&it, &step);) {
        splits += is_type(step, "Split");
        status = splits > 1 ? not_known(step, "a second pattern", err) : read_step(t, step, err);
    }
    return status;
}

static enum status read_numbers(struct tokenizer *t, struct json_value vocab, struct error *err)
{
    struct json_iter it = json_iter_begin(vocab);
    struct json_value key, value;
    char letter[2];
    t->numbers = map_create(vocab.raw.len / 16);
    if (!t->numbers)
        return error_set(err, ERR_MEMORY, "out of memory for a tokenizer");
    while (vocab.type == JSON_OBJECT && json_object_next(&it, &key, &value)) {
        struct str text, copy = {0};
        int64_t number = 0;
        if (json_string_decode(key, t->arena, &text) == OK)
            copy = arena_copy(t->arena, text);
        if (!copy.ptr)
            return error_set(err, ERR_MEMORY, "out of memory for a tokenizer");
        if (json_to_int64(value, &number) != OK || number < 0 || number >= NONE)
            return not_known(value, "a number of a token", err);
        if (map_put(t->numbers, copy, (uint32_t)number) != OK)
            return error_set(err, ERR_MEMORY, "out of memory for a tokenizer");
    }
    for (unsigned b = 0; b < 256; b++)
        if (!map_get(t->numbers, (struct str){letter, write_letter(letter, b)}, &t->bytes[b]))
            t->bytes[b] = NONE - 1; /* merges with nothing, counts as one */
    return OK;
}

/* "a b", or ["a", "b"] in newer files. */
static bool read_merge(struct tokenizer *t, struct json_value v, struct str *left,
                       struct str *right)
{
    struct json_iter it = json_iter_begin(v);
    struct json_value one, two;
    struct str both;
    if (v.type == JSON_ARRAY)
        return json_array_next(&it, &one) && json_array_next(&it, &two) &&
               json_string_decode(one, t->arena, left) == OK &&
               json_string_decode(two, t->arena, right) == OK;
    if (json_string_decode(v, t->arena, &both) != OK)
        return false;
    size_t space = str_find(both, STR(" "), 0);
    if (space == SIZE_MAX)
        return false;
    *left = str_slice(both, 0, space);
    *right = str_slice(both, space + 1, both.len);
    return true;
}

static bool add_pair(struct tokenizer *t, struct str left, struct str right, uint32_t rank)
{
    char both[TOKEN_BYTES_MAX];
    struct pair p = {.rank = rank};
    if (left.len + right.len > sizeof(both))
        return false;
    memcpy(both, left.ptr, left.len);
    memcpy(both + left.len, right.ptr, right.len);
    if (!map_get(t->numbers, left, &p.left) || !map_get(t->numbers, right, &p.right) ||
        !map_get(t->numbers, (struct str){both, left.len + right.len}, &p.becomes))
        return false;
    struct pair *slot = &t->pairs[slot_of(t, p.left, p.right)];
    if (slot->left == NONE)
        *slot = p;
    return true;
}

static size_t count_items(struct json_value list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    size_t n = 0;
    while (list.type == JSON_ARRAY && json_array_next(&it, &item))
        n++;
    return n;
}

static enum status read_merges(struct tokenizer *t, struct json_value merges, struct error *err)
{
    struct json_iter it = json_iter_begin(merges);
    struct json_value item;
    size_t count = count_items(merges);
    t->pair_slots = 16;
    while (t->pair_slots < 2 * count)
        t->pair_slots *= 2;
    t->pairs = malloc(t->pair_slots * sizeof(*t->pairs));
    if (!t->pairs)
        return error_set(err, ERR_MEMORY, "out of memory for a tokenizer");
    for (size_t i = 0; i < t->pair_slots; i++)
        t->pairs[i].left = NONE;
    for (uint32_t rank = 0; merges.type == JSON_ARRAY && json_array_next(&it, &item); rank++) {
        struct str left, right;
        if (!read_merge(t, item, &left, &right) || !add_pair(t, left, right, rank))
            return not_known(item, "a merge", err);
    }
    return OK;
}

/* Texts are taken to be composed already: most are, and a count is no worth another table. */
static bool is_known_normalizer(struct json_value v)
{
    struct json_value list = json_get(v, "normalizers"), item;
    struct json_iter it = json_iter_begin(list);
    bool known = v.type != JSON_OBJECT || is_type(v, "NFC");
    if (!is_type(v, "Sequence"))
        return known;
    for (known = true; known && list.type == JSON_ARRAY && json_array_next(&it, &item);)
        known = is_type(item, "NFC");
    return known;
}

static enum status read_json(struct tokenizer *t, struct str file, const char *place,
                             struct error *err)
{
    struct json_value root, model;
    enum status status = json_parse(file, place, 1, &root, err);
    if (status != OK)
        return status;
    model = json_get(root, "model");
    struct json_value normalizer = json_get(root, "normalizer"), kind = json_get(model, "type");
    if (kind.type != JSON_NONE && !is_type(model, "BPE"))
        return not_known(kind, "a model", err);
    if (!is_known_normalizer(normalizer))
        return not_known(normalizer, "a normalizer", err);
    if (is_true(model, "byte_fallback"))
        return error_set(err, ERR_UNSUPPORTED, "is not byte-level: it has byte_fallback");
    t->whole_first = is_true(model, "ignore_merges");
    status = read_split(t, json_get(root, "pre_tokenizer"), err);
    if (status == OK)
        status = read_numbers(t, json_get(model, "vocab"), err);
    return status == OK ? read_merges(t, json_get(model, "merges"), err) : status;
}

/* Life */

void tokenizer_free(struct tokenizer *t)
{
    if (!t)
        return;
    map_free(t->numbers);
    free(t->pairs);
    arena_free(t->arena);
    free(t);
}

enum status tokenizer_parse(struct str file, const char *place, struct tokenizer **ret,
                            struct error *err)
{
    struct tokenizer *t = calloc(1, sizeof(*t));
    if (t)
        t->arena = arena_create(MEMORY_BYTES_MAX);
    if (!t || !t->arena) {
        tokenizer_free(t);
        return error_set(err, ERR_MEMORY, "out of memory for a tokenizer");
    }
    struct str begin = str_trim(str_slice(file, 0, 64));
    bool is_json = begin.len > 0 && begin.ptr[0] == '{';
    struct error why = {0};
    enum status status = is_json ? read_json(t, file, place, &why) : read_ranks(t, file, &why);
    if (status != OK) {
        tokenizer_free(t);
        return is_json && why.line > 0 ? error_set(err, status, "%s", why.text)
                                       : error_set(err, status, "%s %s", place, why.text);
    }
    *ret = t;
    return OK;
}

enum status tokenizer_open(const char *path, struct tokenizer **ret, struct error *err)
{
    struct file_copy file = {0};
    enum status status = file_copy_open(path, &file, err);
    if (status != OK)
        return status;
    if (file.len > FILE_BYTES_MAX)
        status = error_set(err, ERR_TOO_LARGE, "%s is over %u MiB", path, FILE_BYTES_MAX >> 20);
    else
        status = tokenizer_parse((struct str){(const char *)file.ptr, file.len}, path, ret, err);
    file_copy_close(&file);
    return status;
}
