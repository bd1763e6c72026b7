/* Codes, versions, and structs that may be of another size than ours: what all functions of leeroo.h have in common. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"

static const struct code_row {
    enum status status;
    int code;
} rows[] = {
    {OK, LEEROO_OK},
    {ERR_INPUT, LEEROO_ERR_INPUT},
    {ERR_USAGE, LEEROO_ERR_INPUT},
    {ERR_NOT_FOUND, LEEROO_ERR_NOT_FOUND},
    {ERR_IO, LEEROO_ERR_IO},
    {ERR_CORRUPT, LEEROO_ERR_CORRUPT},
    {ERR_UNSUPPORTED, LEEROO_ERR_UNSUPPORTED},
    {ERR_CONTEXT, LEEROO_ERR_UNSUPPORTED},
    {ERR_MEMORY, LEEROO_ERR_MEMORY},
    {ERR_TOO_LARGE, LEEROO_ERR_TOO_LARGE},
    {ERR_BUDGET, LEEROO_ERR_BUDGET},
    {ERR_TIMEOUT, LEEROO_ERR_ENCODER},
    {ERR_UPSTREAM, LEEROO_ERR_ENCODER},
};

static const char *const code_names[] = {"ok",      "input",       "not_found", "io",
                                         "corrupt", "unsupported", "memory",    "too_large",
                                         "budget",  "encoder",     "internal"};

const char *leeroo_version(void)
{
    return LEEROO_VERSION;
}

int leeroo_abi(void)
{
    return LEEROO_ABI;
}

const char *leeroo_code_name(int code)
{
    size_t count = sizeof(code_names) / sizeof(code_names[0]);
    return code >= 0 && (size_t)code < count ? code_names[code] : "unknown";
}

void leeroo_string_free(char *string)
{
    free(string);
}

int api_result(struct leeroo_error *out, enum status status, const struct error *err)
{
    int code = LEEROO_ERR_INTERNAL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].status == status)
            code = rows[i].code;
    if (code != LEEROO_OK && out) {
        out->code = code;
        snprintf(out->text, sizeof(out->text), "%s", err->text);
    }
    return code;
}

int api_refuse(struct leeroo_error *out, const char *format, ...)
{
    if (out) {
        va_list args;
        va_start(args, format);
        out->code = LEEROO_ERR_INPUT;
        vsnprintf(out->text, sizeof(out->text), format, args);
        va_end(args);
    }
    return LEEROO_ERR_INPUT;
}

int api_no_memory(struct leeroo_error *out)
{
    const struct error err = {.text = "out of memory"};
    return api_result(out, ERR_MEMORY, &err);
}

bool api_struct_take(void *own, size_t size, const void *theirs, size_t theirs_size)
{
    const char *bytes = theirs;
    if (theirs_size < sizeof(size_t))
        return false;
    for (size_t i = size; i < theirs_size; i++)
        if (bytes[i])
            return false;
    memset(own, 0, size);
    memcpy(own, theirs, theirs_size < size ? theirs_size : size);
    return true;
}

bool api_struct_give(void *theirs, const void *own, size_t size)
{
    size_t room;
    memcpy(&room, theirs, sizeof(room));
    if (room < sizeof(room))
        return false;
    size_t shared = room < size ? room : size;
    memset(theirs, 0, room);
    memcpy(theirs, own, shared);
    memcpy(theirs, &room, sizeof(room));
    return true;
}

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t plain_locale; /* lives as long as the process */

static void locale_make(void)
{
    plain_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
}

locale_t api_locale_enter(void)
{
    pthread_once(&locale_once, locale_make);
    return plain_locale ? uselocale(plain_locale) : (locale_t)0;
}

void api_locale_leave(locale_t before)
{
    if (before)
        uselocale(before);
}

bool api_release(atomic_size_t *holders)
{
    return atomic_fetch_sub(holders, 1) == 1;
}
