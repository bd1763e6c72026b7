/* The address of a Redis server: see redis_url.h. */
#include "share/redis_url.h"

#include <string.h>

static enum status malformed(struct error *err, const char *what)
{
    return error_set(err, ERR_INPUT,
                     "the address of Redis: %s; it is redis://[USER:PASSWORD@]HOST[:PORT][/DB] or "
                     "unix:/PATH",
                     what);
}

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = memchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c, 16);
    return at ? (int)(at - digits) : -1;
}

/* Percent-decoded, with a NUL behind it. NULL: malformed, or no memory. */
static const char *decode(struct str text, struct arena *a)
{
    char *into = arena_alloc(a, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; into && i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? digit_of(text.ptr[i + 1]) : -1;
            int low = high >= 0 ? digit_of(text.ptr[i + 2]) : -1;
            if (low < 0)
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return NULL;
        into[len++] = c;
    }
    return into;
}

static enum status read_user(struct str text, struct arena *a, struct redis_url *u,
                             struct error *err)
{
    struct str user = str_split(&text, ':');
    u->password = decode(text, a);
    if (user.len > 0)
        u->user = decode(user, a);
    if (!u->password || (user.len > 0 && !u->user))
        return malformed(err, "user or password are malformed (percent-encode what is special)");
    if (text.len == 0)
        return malformed(err, "there is a user without a password");
    return OK;
}

static enum status read_db(struct str text, struct redis_url *u, struct error *err)
{
    int64_t db;
    if (str_to_int64(text, &db) != OK || db < 0 || db > REDIS_DB_MAX)
        return malformed(err, "its database is a number from 0 to 65535");
    u->db = (uint32_t)db;
    return OK;
}

static enum status read_port(struct str text, struct redis_url *u, struct error *err)
{
    int64_t port;
    if (str_to_int64(text, &port) != OK || port < 1 || port > 65535)
        return malformed(err, "its port is a number from 1 to 65535");
    u->port = (uint16_t)port;
    return OK;
}

/* HOST[:PORT][/DB]; [::1] for addresses of IPv6. */
static enum status read_host(struct str rest, struct arena *a, struct redis_url *u,
                             struct error *err)
{
    struct str host = str_split(&rest, '/');
    size_t close = host.len > 0 && host.ptr[0] == '[' ? str_find(host, STR("]"), 0) : SIZE_MAX;
    struct str port = host, name = close < SIZE_MAX ? str_slice(host, 1, close) : host;
    enum status status = OK;
    if (close < SIZE_MAX)
        port = str_slice(host, close + 1, host.len);
    if (close == SIZE_MAX)
        name = str_split(&port, ':');
    else
        (void)str_split(&port, ':');
    u->host = decode(name, a);
    if (!u->host || name.len == 0)
        return malformed(err, "it has no host");
    if (port.len > 0)
        status = read_port(port, u, err);
    if (status == OK && rest.len > 0)
        status = read_db(rest, u, err);
    return status;
}

static enum status read_socket(struct str rest, struct arena *a, struct redis_url *u,
                               struct error *err)
{
    struct str path = str_split(&rest, '?');
    if (path.len < 2 || path.ptr[0] != '/')
        return malformed(err, "the path of the socket begins with a /");
    if (!(u->path = arena_copy(a, path).ptr))
        return error_set(err, ERR_MEMORY, "out of memory");
    if (rest.len == 0)
        return OK;
    return str_starts(rest, STR("db=")) ? read_db(str_slice(rest, 3, rest.len), u, err)
                                        : malformed(err, "after ? is db=N");
}

/* One piece: the scheme decides what follows it. */
enum status redis_url_parse(struct str url, struct arena *a, struct redis_url *ret,
                            struct error *err)
{
    struct redis_url u = {.port = REDIS_PORT};
    enum status status = OK;
    bool is_socket = str_starts(url, STR("unix:"));
    if (str_starts(url, STR("rediss:")))
        return error_set(err, ERR_UNSUPPORTED,
                         "rediss:// is not spoken: let a TLS tunnel (stunnel, ssh -L) stand before "
                         "Redis, and give its redis:// address");
    if (url.len > REDIS_URL_BYTES || memchr(url.ptr, '\0', url.len))
        return malformed(err, "it is too long, or holds a NUL");
    if (!is_socket && !str_starts(url, STR("redis://")))
        return malformed(err, "it begins with redis:// or unix:");
    struct str rest = str_slice(url, is_socket ? 5 : 8, url.len);
    bool has_slashes = is_socket && str_starts(rest, STR("//"));
    if (has_slashes)
        rest = str_slice(rest, 2, rest.len);
    size_t at = is_socket && !has_slashes ? SIZE_MAX : str_find(rest, STR("@"), 0);
    if (at < SIZE_MAX) {
        status = read_user(str_slice(rest, 0, at), a, &u, err);
        rest = str_slice(rest, at + 1, rest.len);
    }
    if (status == OK)
        status = is_socket ? read_socket(rest, a, &u, err) : read_host(rest, a, &u, err);
    if (status == OK)
        *ret = u;
    return status;
}

void redis_url_write(const struct redis_url *u, struct buf *out)
{
    if (u->host)
        buf_addf(out, "%s:%u", u->host, u->port);
    else
        buf_add_c(out, u->path);
}
