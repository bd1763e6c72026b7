/* A table of a few hundred digests under one lock, which is held for a look through it.
 *
 * Looking goes by digests of 256 random bits and compares all of each, so neither order nor time tells of a token that
 * is not known. Times come from the caller. */
#include "keys/sign_in.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define CSRF_SALT "leeroo csrf "

struct sign_in {
    struct digest token, key;
    int64_t expires_ms; /* 0: the place is free */
    uint64_t number;    /* counts up; the lowest is the oldest, whatever the clock did */
};

struct sign_ins {
    pthread_mutex_t lock;
    uint64_t count; /* ever */
    struct sign_in rows[SIGN_IN_COUNT_MAX];
};

struct sign_ins *sign_ins_create(void)
{
    struct sign_ins *s = calloc(1, sizeof(*s));
    if (s)
        pthread_mutex_init(&s->lock, NULL); /* on Linux it cannot fail */
    return s;
}

void sign_ins_free(struct sign_ins *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static enum status write_token(const unsigned char *bytes, size_t len,
                               char into[SIGN_IN_TOKEN_BYTES])
{
    struct buf text;
    buf_init(&text, SIGN_IN_TOKEN_BYTES);
    buf_reserve(&text, SIGN_IN_TOKEN_BYTES - 1); /* so that growing leaves no copy behind */
    digest_write_base64url(&text, bytes, len);
    enum status status = text.status;
    if (status == OK) {
        CHECK(text.len == SIGN_IN_TOKEN_BYTES - 1);
        memcpy(into, text.ptr, SIGN_IN_TOKEN_BYTES);
    }
    if (text.ptr)
        explicit_bzero(text.ptr, text.len);
    buf_done(&text);
    return status;
}

/* A free place, or one whose time is over, or else the oldest. */
static struct sign_in *find_place(struct sign_ins *s, int64_t now_ms)
{
    struct sign_in *place = &s->rows[0];
    for (size_t i = 0; i < SIGN_IN_COUNT_MAX; i++) {
        if (s->rows[i].expires_ms <= now_ms)
            return &s->rows[i];
        if (s->rows[i].number < place->number)
            place = &s->rows[i];
    }
    return place;
}

enum status sign_ins_begin(struct sign_ins *s, const struct digest *key, int64_t now_ms,
                           char token[SIGN_IN_TOKEN_BYTES], int64_t *ret_expires_ms,
                           struct error *err)
{
    unsigned char bytes[DIGEST_BYTES];
    struct sign_in made = {.key = *key, .expires_ms = now_ms + INT64_C(1000) * SIGN_IN_SECONDS};
    enum status status = digest_random(bytes, sizeof(bytes), err);
    if (status == OK && write_token(bytes, sizeof(bytes), token) != OK)
        status = error_set(err, ERR_MEMORY, "out of memory for a session");
    explicit_bzero(bytes, sizeof(bytes));
    if (status == OK)
        status = digest_sha256(str_from(token), &made.token, err);
    if (status != OK)
        return status;
    pthread_mutex_lock(&s->lock);
    made.number = ++s->count;
    *find_place(s, now_ms) = made;
    pthread_mutex_unlock(&s->lock);
    *ret_expires_ms = made.expires_ms;
    return OK;
}

/* Under the lock. All are looked at, so that the time does not tell which it was. */
static struct sign_in *find(struct sign_ins *s, const struct digest *token)
{
    struct sign_in *found = NULL;
    for (size_t i = 0; i < SIGN_IN_COUNT_MAX; i++)
        if (digest_equal(&s->rows[i].token, token) && s->rows[i].expires_ms != 0)
            found = &s->rows[i];
    return found;
}

bool sign_ins_find(struct sign_ins *s, struct str token, int64_t now_ms, struct digest *ret_key,
                   int64_t *ret_expires_ms)
{
    struct digest d;
    if (token.len != SIGN_IN_TOKEN_BYTES - 1 || digest_sha256(token, &d, NULL) != OK)
        return false;
    pthread_mutex_lock(&s->lock);
    const struct sign_in *row = find(s, &d);
    bool good = row && now_ms < row->expires_ms;
    if (good) {
        *ret_key = row->key;
        *ret_expires_ms = row->expires_ms;
    }
    pthread_mutex_unlock(&s->lock);
    return good;
}

void sign_ins_end(struct sign_ins *s, struct str token)
{
    struct digest d;
    if (digest_sha256(token, &d, NULL) != OK)
        return;
    pthread_mutex_lock(&s->lock);
    struct sign_in *row = find(s, &d);
    if (row)
        *row = (struct sign_in){0};
    pthread_mutex_unlock(&s->lock);
}

enum status sign_in_csrf(struct str token, char ret[SIGN_IN_TOKEN_BYTES])
{
    char salted[sizeof(CSRF_SALT) + SIGN_IN_TOKEN_BYTES];
    struct digest d;
    if (token.len >= SIGN_IN_TOKEN_BYTES)
        return ERR_INPUT;
    memcpy(salted, CSRF_SALT, sizeof(CSRF_SALT) - 1);
    memcpy(salted + sizeof(CSRF_SALT) - 1, token.ptr, token.len);
    const struct str all = {salted, sizeof(CSRF_SALT) - 1 + token.len};
    enum status status = digest_sha256(all, &d, NULL);
    if (status == OK)
        status = write_token(d.bytes, sizeof(d.bytes), ret);
    explicit_bzero(salted, sizeof(salted));
    return status;
}

/* By digests of both, so that nothing is compared that an attacker chose the bytes of. */
bool sign_in_csrf_is(struct str token, struct str csrf)
{
    char right[SIGN_IN_TOKEN_BYTES];
    struct digest a, b;
    return csrf.len > 0 && sign_in_csrf(token, right) == OK &&
           digest_sha256(str_from(right), &a, NULL) == OK && digest_sha256(csrf, &b, NULL) == OK &&
           digest_equal(&a, &b);
}

/* The cookie */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_letter(s.ptr[i]))
            return false;
    return s.len == SIGN_IN_TOKEN_BYTES - 1;
}

/* Of "a=b; leeroo_session=TOKEN; c". False: another one than before. */
static bool read_cookies(struct str rest, struct str *found)
{
    const struct str name = STR(SIGN_IN_COOKIE "=");
    while (rest.len > 0) {
        struct str pair = str_trim(str_split(&rest, ';'));
        if (!str_starts(pair, name))
            continue;
        struct str value = str_slice(pair, name.len, pair.len);
        if (!is_token(value))
            continue;
        if (found->len > 0 && !str_equal(*found, value))
            return false;
        *found = value;
    }
    return true;
}

struct str sign_in_cookie(const struct http_header *headers, size_t count)
{
    struct str found = STR("");
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(headers[i].name, STR("cookie")) &&
            !read_cookies(headers[i].value, &found))
            return STR("");
    return found;
}
