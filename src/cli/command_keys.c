/* leeroo keys: who may call the gateway, and how much: create, list, change, revoke.
 *
 * It edits the file of keys and nothing else; a gateway that runs sees the change within half a second
 * (keys/client_keys.h). The file is locked while it is changed, so that two commands do not undo each other. A secret
 * is printed once, when it is made, and kept nowhere. */
#include "keys/key_desk.h"
#include "keys/keys_limits.h"
#include "print/keys_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/screen.h"
#include "cli/commands.h"

#define ARENA_BYTES_MAX (64u << 20)
#define JSON_BYTES_MAX  (64u << 10)

static const char text[] =
    "Makes, lists, changes and revokes the keys that clients call the gateway with. A key is "
    "shown\n"
    "once, when it is made: the file keeps only a digest of it. A running gateway sees every "
    "change\n"
    "within a second.\n"
    "\n"
    "  leeroo keys create --name ci-bot --budget-day 5 --requests-per-minute 60\n"
    "  leeroo keys list\n"
    "  leeroo keys change ci-bot --budget-day 10 --requests-per-minute none\n"
    "  leeroo keys revoke ci-bot\n"
    "\n"
    "Clients send it as `Authorization: Bearer lr-...`, `x-api-key: lr-...` or `api-key: lr-...`;\n"
    "OpenAI's and Anthropic's libraries do so when it is given to them as the API key.\n"
    "\n"
    "Without a limit a key is unlimited. Budgets are in USD; a day and a month begin at 00:00 "
    "UTC.\n"
    "With --policies a key may use those policies as they are, and experts by name only when\n"
    "--experts lists them. --role admin makes a key for the admin API and the page, which may do\n"
    "whatever other keys may; --role metrics one that reads /metrics and may do nothing else.\n";

struct options {
    const char *config, *file, *name, *role;
    struct keys_wishes wishes;
    bool metrics, json;
    enum key_role as; /* what role and metrics say */
};

struct key_place { /* where the keys are, and the names they may list */
    struct arena *arena;
    struct config *config; /* NULL with --file */
    const char *spend_path;
    struct key_desk desk;
};

/* Opening */

static enum status find_file(const struct options *o, struct key_place *p, struct error *err)
{
    const char *slash = o->file ? strrchr(o->file, '/') : NULL;
    int64_t now_ms = clock_wall_ms();
    if (o->file) {
        p->desk = key_desk_at(p->arena, o->file, NULL, now_ms);
        p->spend_path = arena_printf(p->arena, "%.*skeys.spend",
                                     slash ? (int)(slash - o->file) + 1 : 0, o->file);
        return p->spend_path ? OK : error_set(err, ERR_MEMORY, "out of memory");
    }
    enum status status = config_load_without_secrets(o->config, &p->config, err);
    if (status != OK)
        return status;
    if (!p->config->keys_path)
        return error_set(err, ERR_INPUT,
                         "%s does not say where keys are kept; add `state_dir: state` or `keys: "
                         "FILE` to it",
                         o->config);
    p->desk = key_desk_at(p->arena, p->config->keys_path, p->config->state_dir, now_ms);
    p->spend_path = p->config->spend_path;
    return OK;
}

static void place_close(struct key_place *p)
{
    key_desk_close(&p->desk);
    config_free(p->config);
    arena_free(p->arena);
}

static enum status place_open(const struct options *o, struct key_place *p, struct error *err)
{
    *p = (struct key_place){.desk = {.lock = -1}};
    p->arena = arena_create(ARENA_BYTES_MAX);
    return p->arena ? find_file(o, p, err) : error_set(err, ERR_MEMORY, "out of memory");
}

/* Actions */

static void print_made(const struct options *o, const struct key_desk *d, const struct key_row *row,
                       const char *secret)
{
    struct buf json;
    if (!o->json) {
        fflush(stdout);
        fprintf(stderr, "%.*s '%.*s' is in %s. The key is shown this once:\n", STR_FMT(row->id),
                STR_FMT(row->name), d->path);
        puts(secret);
        return;
    }
    buf_init(&json, JSON_BYTES_MAX);
    key_row_write(row, false, &json);
    printf("{\"key\": \"%s\", %s}\n", secret, json.ptr ? json.ptr : "");
    buf_done(&json);
}

/* A key that nobody has seen is in the file all the same. */
static enum status show_made(const struct options *o, const struct key_desk *d,
                             const struct key_row *row, const char *secret, struct error *err)
{
    print_made(o, d, row, secret);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return OK;
    return error_set(err, ERR_IO,
                     "standard output did not take the key, which is shown only once: `leeroo keys "
                     "revoke %.*s` and make another",
                     STR_FMT(row->id));
}

static enum status create(const struct options *o, struct key_place *p, struct error *err)
{
    char secret[KEY_SECRET_BYTES] = {0};
    struct key_desk *d = &p->desk;
    struct key_row row = key_desk_blank(d, str_from(o->name), o->as);
    enum status status = key_desk_open(d, true, err);
    if (status == OK)
        status = keys_apply(&o->wishes, p->config, d->arena, d->now_ms, &row, err);
    if (status == OK)
        status = key_desk_add(d, &row, secret, err);
    if (status == OK)
        status = show_made(o, d, &row, secret, err);
    explicit_bzero(secret, sizeof(secret));
    return status;
}

static enum status list(const struct options *o, struct key_place *p, struct error *err)
{
    struct key_desk *d = &p->desk;
    enum status status = key_file_load(d->path, d->arena, &d->file, err);
    if (status == ERR_NOT_FOUND && !o->json)
        return error_set(err, ERR_NOT_FOUND,
                         "%s: there are no keys yet; `leeroo keys create --name NAME` makes one",
                         d->path);
    if (status == ERR_NOT_FOUND)
        status = OK;
    struct key_spent *spent = ARENA_ARRAY(d->arena, d->file.count + 1, struct key_spent);
    if (status == OK && !spent)
        status = error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK && p->spend_path)
        status = key_spend_read(p->spend_path, d->file.rows, d->file.count, spent, err);
    for (size_t i = 0; status == OK && i < d->file.count; i++)
        key_spent_roll(&spent[i], d->now_ms);
    if (status != OK)
        return status;
    if (o->json)
        return keys_print_json(&d->file, spent, d->now_ms, stdout, err);
    struct screen screen;
    keys_print_table(&d->file, spent, d->now_ms, screen_begin(&screen, stdout));
    screen_end(&screen);
    return OK;
}

static enum status revoke_key(const char *who, struct key_desk *d, struct error *err)
{
    struct key_row *row = NULL;
    enum status status = key_desk_open(d, false, err);
    if (status == OK)
        status = key_desk_find(d, str_from(who), &row, err);
    if (status == OK)
        status = key_desk_revoke(d, row, err);
    if (status == OK)
        fprintf(stderr, "%.*s '%.*s' is revoked; a running gateway refuses it within a second\n",
                STR_FMT(row->id), STR_FMT(row->name));
    return status;
}

static enum status change(const struct options *o, const char *who, struct key_place *p,
                          struct error *err)
{
    struct key_row *row = NULL;
    struct key_desk *d = &p->desk;
    enum status status = key_desk_open(d, false, err);
    if (status == OK)
        status = key_desk_find(d, str_from(who), &row, err);
    if (status == OK)
        status = keys_apply(&o->wishes, p->config, d->arena, d->now_ms, row, err);
    if (status == OK)
        status = key_desk_save(d, err);
    if (status == OK)
        fprintf(stderr, "%.*s '%.*s' is changed\n", STR_FMT(row->id), STR_FMT(row->name));
    return status;
}

static enum status act(const struct options *o, const char *action, const char *who,
                       struct key_place *p, struct error *err)
{
    if (!strcmp(action, "create"))
        return create(o, p, err);
    if (!strcmp(action, "list"))
        return list(o, p, err);
    return !strcmp(action, "revoke") ? revoke_key(who, &p->desk, err) : change(o, who, p, err);
}

static bool asks_for_limits(const struct keys_wishes *w)
{
    bool budget = w->budget_usd[KEY_DAY] || w->budget_usd[KEY_MONTH] || w->budget_usd[KEY_TOTAL];
    return budget || w->requests_per_minute || w->tokens_per_minute || w->experts || w->policies;
}

/* One piece: a list of what does not go together. */
static enum status check_usage(struct options *o, int count, char **argv, struct error *err)
{
    static const char *const actions[] = {"create", "list", "revoke", "change"};
    size_t i = 0;
    o->as = o->metrics ? KEY_METRICS : KEY_USER;
    if (o->role && (o->metrics || key_role_parse(str_from(o->role), &o->as) != OK))
        return error_set(err, ERR_USAGE, "--role is user, admin or metrics, and then no --metrics");
    while (count > 0 && i < 4 && strcmp(argv[0], actions[i]) != 0)
        i++;
    if (count == 0 || i == 4)
        return error_set(
            err, ERR_USAGE,
            "say what to do: create, list, change or revoke; `leeroo keys -h` explains");
    if (i == 0 && !o->name)
        return error_set(err, ERR_USAGE, "create: --name NAME says whose key it is");
    if (i != 0 && o->name)
        return error_set(err, ERR_USAGE, "--name is for create; %s takes ID or NAME as it is",
                         actions[i]);
    if (i != 0 && (o->role || o->metrics))
        return error_set(err, ERR_USAGE, "%s is for create; a key keeps its role",
                         o->role ? "--role" : "--metrics");
    if (o->as == KEY_METRICS && asks_for_limits(&o->wishes))
        return error_set(err, ERR_USAGE, "a key for metrics is without limits: it asks no expert");
    if (o->wishes.spent_anew && i != 3)
        return error_set(err, ERR_USAGE, "--spent-anew is for change");
    if (i >= 2 && count < 2)
        return error_set(err, ERR_USAGE, "%s: which one? give its ID or NAME", actions[i]);
    if (i == 3 && !asks_for_limits(&o->wishes) && !o->wishes.expires && !o->wishes.spent_anew)
        return error_set(err, ERR_USAGE, "change: say what: a limit, --expires or --spent-anew");
    if (count > (i >= 2 ? 2 : 1))
        return error_set(err, ERR_USAGE, "unexpected argument '%.100s'", argv[count - 1]);
    return OK;
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct options o = {.config = "leeroo.yaml"};
    struct keys_wishes *w = &o.wishes;
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the gateway's configuration (default leeroo.yaml)",
         OPTION_STRING, &o.config, 0, 0, NULL},
        {"--file", 0, "FILE", "the file of keys itself; names are not checked then", OPTION_STRING,
         &o.file, 0, 0, NULL},
        {"--name", 'n', "NAME", "whose key it is", OPTION_STRING, &o.name, 0, 0, NULL},
        {"--budget-day", 0, "USD", "most it may spend in a day; none lifts it", OPTION_STRING,
         &w->budget_usd[KEY_DAY], 0, 0, NULL},
        {"--budget-month", 0, "USD", "in a calendar month", OPTION_STRING,
         &w->budget_usd[KEY_MONTH], 0, 0, NULL},
        {"--budget-total", 0, "USD", "ever", OPTION_STRING, &w->budget_usd[KEY_TOTAL], 0, 0, NULL},
        {"--requests-per-minute", 0, "N", "that many at once, then evenly", OPTION_STRING,
         &w->requests_per_minute, 0, 0, NULL},
        {"--tokens-per-minute", 0, "N", "input and output together", OPTION_STRING,
         &w->tokens_per_minute, 0, 0, NULL},
        {"--experts", 0, "A,B", "only these; all lifts it", OPTION_STRING, &w->experts, 0, 0, NULL},
        {"--policies", 0, "X,Y", "only these", OPTION_STRING, &w->policies, 0, 0, NULL},
        {"--expires", 0, "DATE", "2026-12-31 (00:00 UTC), 2026-12-31T08:00:00Z, or 90d",
         OPTION_STRING, &w->expires, 0, 0, NULL},
        {"--spent-anew", 0, NULL, "change: what was lost of its spending counts no longer",
         OPTION_FLAG, &w->spent_anew, 0, 0, NULL},
        {"--role", 0, "ROLE", "create: user (default), admin or metrics", OPTION_STRING, &o.role, 0,
         0, NULL},
        {"--metrics", 0, NULL, "create: the same as --role metrics", OPTION_FLAG, &o.metrics, 0, 0,
         NULL},
        {"--json", 0, NULL, "for programs", OPTION_FLAG, &o.json, 0, 0, NULL},
    };
    const struct usage usage = {"keys create|list|change|revoke [ID|NAME] [options]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    struct key_place place;
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    status = check_usage(&o, count, argv, &err);
    if (status != OK)
        return cli_fail("keys", &err);
    status = place_open(&o, &place, &err);
    if (status == OK)
        status = act(&o, argv[0], count > 1 ? argv[1] : NULL, &place, &err);
    place_close(&place);
    return status == OK ? 0 : cli_fail("keys", &err);
}

const struct command keys_command = {"keys", "who may call the gateway, and how much", run};
