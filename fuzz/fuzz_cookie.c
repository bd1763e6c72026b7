/* Cookie headers, a line each: what is found is a token that stands in one of them, and whoever sends one twice, or
 * beside any number of other cookies, is found by it all the same. */
#include <string.h>

#include "base/check.h"
#include "keys/sign_in.h"

#define HEADERS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct str found, struct str all)
{
    return found.ptr >= all.ptr && found.ptr + found.len <= all.ptr + all.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = {(const char *)data, size}, rest = all;
    struct http_header headers[HEADERS_MAX + 1];
    size_t count = 0;
    while (rest.len > 0 && count < HEADERS_MAX)
        headers[count++] = (struct http_header){STR("cookie"), str_split(&rest, '\n')};
    struct str found = sign_in_cookie(headers, count);
    if (found.len == 0)
        return 0;
    CHECK(is_inside(found, all));
    CHECK(found.len == SIGN_IN_TOKEN_BYTES - 1);
    for (size_t i = 0; i < found.len; i++)
        CHECK(found.ptr[i] != ';' && found.ptr[i] != ' ' && found.ptr[i] != '=');
    char again[sizeof(SIGN_IN_COOKIE) + SIGN_IN_TOKEN_BYTES];
    memcpy(again, SIGN_IN_COOKIE "=", sizeof(SIGN_IN_COOKIE));
    memcpy(again + sizeof(SIGN_IN_COOKIE), found.ptr, found.len);
    headers[count] = (struct http_header){
        STR("Cookie"), {again, sizeof(SIGN_IN_COOKIE) + SIGN_IN_TOKEN_BYTES - 1}};
    CHECK(str_equal(sign_in_cookie(headers, count + 1), found));
    again[sizeof(again) - 2] = found.ptr[found.len - 1] == 'A' ? 'B' : 'A';
    CHECK(sign_in_cookie(headers, count + 1).len == 0);
    return 0;
}
