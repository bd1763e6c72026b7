/* leeroo health: whether a gateway is ready, for containers without a shell or curl, and for scripts that wait for it.
 *
 * One GET of /readyz (discover/fetch.h), again until it is ready or the time is over. Whom to ask is the command line's
 * URL, else the address of leeroo.yaml as one reaches it from this machine. Keys and secrets are needed for neither. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "config/config.h"
#include "discover/fetch.h"

#define DEFAULT_URL      "http://127.0.0.1:8080"
#define URL_BYTES        512
#define ASK_MS           3000
#define PAUSE_MS         200
#define WAIT_SECONDS_MAX 3600.0

static const char text[] =
    "Asks a gateway whether it takes requests (GET /readyz). Exit status 0: it does; 1: it does "
    "not, and\n"
    "why is said. Nothing is asked of experts, and no key is needed.\n"
    "\n"
    "URL is where the gateway is; without one it is the address that leeroo.yaml listens at, as it "
    "is\n"
    "reached from this machine, or " DEFAULT_URL " where no configuration is.\n"
    "\n"
    "  leeroo health\n"
    "  leeroo health --wait 60                       until it is ready\n"
    "  leeroo health https://gateway.example:8443    over TLS, by a name that is in the "
    "certificate\n";

struct options {
    const char *config; /* NULL: leeroo.yaml, which need not be there */
    const char *url, *ca_file;
    double wait_s;
    bool quiet;
};

/* "http://127.0.0.1:8080" for "0.0.0.0:8080": what takes everybody is reached over loopback. */
static enum status url_of_config(const struct config *c, const char *path, char url[URL_BYTES],
                                 struct error *err)
{
    struct str listen = c->listen;
    const char *host = NULL;
    size_t colon = listen.len;
    while (colon > 0 && listen.ptr[colon - 1] != ':')
        colon--;
    struct str address = str_slice(listen, 0, colon ? colon - 1 : 0);
    if (c->tls.certificate)
        return error_set(
            err, ERR_USAGE,
            "%s has `tls`: give the URL with a name that is in the certificate, such as "
            "`leeroo health https://gateway.example:%.*s`",
            path, STR_FMT(str_slice(listen, colon, listen.len)));
    if (str_equal(address, STR("0.0.0.0")) || str_equal(address, STR("*")))
        host = "127.0.0.1";
    else if (str_equal(address, STR("[::]")))
        host = "[::1]";
    if (host)
        snprintf(url, URL_BYTES, "http://%s:%.*s", host,
                 STR_FMT(str_slice(listen, colon, listen.len)));
    else
        snprintf(url, URL_BYTES, "http://%.*s", STR_FMT(listen));
    return OK;
}

static enum status find_url(const struct options *o, char url[URL_BYTES], struct error *err)
{
    const char *path = o->config ? o->config : "leeroo.yaml";
    struct config *c = NULL;
    if (o->url && strncmp(o->url, "http://", 7) != 0 && strncmp(o->url, "https://", 8) != 0)
        return error_set(err, ERR_USAGE, "'%.200s' is no URL; one begins with http:// or https://",
                         o->url);
    if (o->url || (!o->config && access(path, F_OK) != 0)) {
        const char *base = o->url ? o->url : DEFAULT_URL;
        size_t length = strlen(base);
        if (length >= URL_BYTES)
            return error_set(err, ERR_USAGE, "a URL of %zu characters is too long", length);
        snprintf(url, URL_BYTES, "%.*s", (int)(length - (base[length - 1] == '/')), base);
        return OK;
    }
    enum status status = config_load_without_secrets(path, &c, err);
    if (status == OK)
        status = url_of_config(c, path, url, err);
    config_free(c);
    return status;
}

static enum status why(const struct fetch *f, const char *url, struct error *err)
{
    if (f->end == FETCH_ANSWERED)
        return OK;
    if (f->end == FETCH_NOBODY)
        return error_set(err, ERR_UPSTREAM, "nobody answers at %s: %s", url, f->text);
    if (f->end == FETCH_LOADING)
        return error_set(err, ERR_OVERLOAD,
                         "%s is there, and takes no requests: it is shutting down", url);
    if (f->http_status)
        return error_set(err, ERR_UPSTREAM, "%s/readyz answers %d, so it is no gateway of ours",
                         url, f->http_status);
    return error_set(err, ERR_UPSTREAM, "no whole answer from %s: %s", url, f->text);
}

static enum status ask(const struct options *o, const char *url, struct error *err)
{
    const struct http_client_options network = {.ca_file = o->ca_file};
    char path[URL_BYTES + 16];
    snprintf(path, sizeof(path), "%s/readyz", url);
    struct fetch f = {.url = str_from(path),
                      .dialect = dialect_find(STR("openai")),
                      .connect_timeout_ms = ASK_MS,
                      .total_timeout_ms = ASK_MS};
    enum status status = fetch_all(&f, 1, &network, err);
    if (status == OK)
        status = why(&f, url, err);
    fetch_done(&f);
    return status;
}

static enum status wait_until_ready(const struct options *o, const char *url, struct error *err)
{
    const struct timespec pause = {0, PAUSE_MS * 1000000L};
    uint64_t end_ms = clock_now_ms() + (uint64_t)(o->wait_s * 1e3);
    enum status status = ask(o, url, err);
    while (status != OK && clock_now_ms() + PAUSE_MS <= end_ms) {
        (void)nanosleep(&pause, NULL);
        status = ask(o, url, err);
    }
    return status;
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct options o = {0};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "whose gateway (default leeroo.yaml)", OPTION_STRING, &o.config,
         0, 0, NULL},
        {"--wait", 'w', "SECONDS", "ask until it is ready, for so long (0)", OPTION_DOUBLE,
         &o.wait_s, 0, WAIT_SECONDS_MAX, NULL},
        {"--ca-file", 0, "FILE", "certificates that its own is verified with (the system's)",
         OPTION_STRING, &o.ca_file, 0, 0, NULL},
        {"--quiet", 'q', NULL, "say nothing where it is ready", OPTION_FLAG, &o.quiet, 0, 0, NULL},
    };
    const struct usage usage = {"health [URL] [-c leeroo.yaml] [--wait SECONDS]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    char url[URL_BYTES];
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count > 1)
        status = error_set(&err, ERR_USAGE, "'%.60s': expected one URL at most", argv[1]);
    o.url = count ? argv[0] : NULL;
    if (status == OK)
        status = find_url(&o, url, &err);
    if (status == OK)
        status = wait_until_ready(&o, url, &err);
    if (status == OK && !o.quiet)
        printf("%s is ready\n", url);
    return status == OK ? 0 : cli_fail("health", &err);
}

const struct command health_command = {"health", "is the gateway ready; waits until it is", run};
