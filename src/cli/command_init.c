/* leeroo init: from keys and ports to a leeroo.yaml.
 *
 * The work is discover's: this file reads options, asks for consent and for a choice where there is a terminal, and
 * writes the file under its name when it is whole. Nobody beyond this machine is asked before consent, nothing that
 * costs money is asked at all, and no file is overwritten. One thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "config/config.h"
#include "discover/offer_print.h"

#define ARENA_BYTES_MAX (256u << 20)
#define TRIES_MAX       5
#define TERMINAL_ROWS   20

_Static_assert(OFFER_EXPERTS_MAX == CONFIG_EXPERTS_MAX, "what may be taken may be configured");

static const char text[] =
    "Looks for experts: keys of known providers in the environment (OPENAI_API_KEY, "
    "ANTHROPIC_API_KEY,\n"
    "AZURE_OPENAI_API_KEY, GEMINI_API_KEY, ...), and Ollama, llama-server, vLLM and LM Studio on "
    "this\n"
    "machine. Asks each for its list of models, which costs nothing, offers a choice, and writes "
    "a\n"
    "configuration with prices and limits. A file that is there is never overwritten, and keys "
    "stay in\n"
    "the environment.\n"
    "\n"
    "Providers are asked after consent: on a terminal there is a question, elsewhere --yes gives "
    "it.\n"
    "--yes also takes the models that are marked: of each provider the newest at three levels of "
    "price,\n"
    "and of each server on this machine the first two.\n"
    "\n"
    "  leeroo init\n"
    "  leeroo init --yes --experts gpt-4o-mini,gpt-4o,llama3.1:8b -o team.yaml\n"
    "  leeroo init --local 127.0.0.1:9000,gpu-box:8000 --list\n";

struct init_command {
    const char *output, *experts, *local, *prices;
    bool yes, list, json;
    bool terminal;
    struct endpoint_list *endpoints;
    struct offer_list offers;
};

static const char *environment(const char *name, void *arg)
{
    (void)arg;
    return getenv(name);
}

/* On a terminal: a line, without its end. Empty at the end of the input, too; *ret_more is false then. */
static struct str ask_line(const char *question, char *into, size_t size, bool *ret_more)
{
    fputs(question, stderr);
    fflush(stderr);
    *ret_more = fgets(into, (int)size, stdin) != NULL;
    return *ret_more ? str_trim(str_from(into)) : STR("");
}

/* Whom to ask */

static bool consents(const struct init_command *c)
{
    char line[64];
    bool more;
    fputs("Found beyond this machine:\n", stderr);
    for (size_t i = 0; i < c->endpoints->count; i++) {
        const struct endpoint *s = &c->endpoints->items[i];
        if (s->remote && s->state == ENDPOINT_NOT_ASKED)
            fprintf(stderr, "  %.*s (%.*s%s%s)\n", STR_FMT(s->title), STR_FMT(s->url),
                    s->key_name ? ", " : "", s->key_name ? s->key_name : "");
    }
    struct str answer = ask_line("Ask them for their lists of models? That costs nothing. [Y/n] ",
                                 line, sizeof(line), &more);
    return more && (answer.len == 0 || str_equal_nocase(answer, STR("y")) ||
                    str_equal_nocase(answer, STR("yes")));
}

static enum status ask_endpoints(struct init_command *c, struct error *err)
{
    size_t remote = 0;
    for (size_t i = 0; i < c->endpoints->count; i++)
        remote +=
            c->endpoints->items[i].remote && c->endpoints->items[i].state == ENDPOINT_NOT_ASKED;
    bool agreed = c->yes || (remote > 0 && c->terminal && consents(c));
    for (size_t i = 0; i < c->endpoints->count; i++)
        c->endpoints->items[i].asked = agreed || !c->endpoints->items[i].remote;
    return endpoint_ask(c->endpoints, err);
}

/* What to take */

static enum status choose_on_terminal(struct init_command *c, struct error *err)
{
    char line[4096];
    bool more = true;
    enum status status = ERR_INPUT;
    offer_print_table(&c->offers, TERMINAL_ROWS, stderr);
    for (int i = 0; i < TRIES_MAX && status != OK && more; i++) {
        struct str words = ask_line("Which? Numbers (1,3-5) or names; empty: those with a *. ",
                                    line, sizeof(line), &more);
        status = words.len > 0 ? offers_choose(&c->offers, words, true, err) : OK;
        if (status == OK)
            status = offers_check_marks(&c->offers, err);
        if (status != OK && more)
            fprintf(stderr, "%s\n", err->text);
    }
    return more ? status : error_set(err, ERR_CANCELLED, "nothing was chosen");
}

static enum status choose(struct init_command *c, struct error *err)
{
    enum status status = OK;
    if (c->experts) {
        status = offers_choose(&c->offers, str_from(c->experts), false, err);
        if (status != OK)
            error_prefix(err, "--experts");
    } else if (!c->yes && c->terminal) {
        return choose_on_terminal(c, err);
    } else if (!c->yes) {
        offer_print_table(&c->offers, 0, stdout);
        return error_set(err, ERR_INPUT,
                         "nothing was chosen; --yes takes what is marked with a *, --experts "
                         "NAME,... what you name");
    }
    return status == OK ? offers_check_marks(&c->offers, err) : status;
}

/* Writing */

static void say_what_next(const struct init_command *c)
{
    size_t count = 0;
    bool usual = !strcmp(c->output, "leeroo.yaml");
    const char *option = usual ? "" : " -c ", *file = usual ? "" : c->output;
    if (!strcmp(c->output, "-"))
        return;
    for (size_t i = 0; i < c->offers.count; i++)
        count += c->offers.items[i].marked;
    printf("%s: %zu expert%s", c->output, count, count == 1 ? "" : "s");
    if (count < c->offers.count) /* else one is missed, and nobody says why */
        printf(", of %zu models that were found; --experts takes others", c->offers.count);
    printf(". Next:\n");
    printf("  leeroo check%s%s --connect\n", option, file);
    printf("  leeroo serve%s%s\n", option, file);
    printf("  leeroo play%s%s --spend 2\n", option, file);
}

/* The whole */

static enum status find(struct init_command *c, struct error *err)
{
    struct str ports = str_from(c->local ? c->local : ENDPOINT_LOCAL_PORTS);
    enum status status = endpoints_of_environment(c->endpoints, environment, NULL, err);
    if (status == OK)
        status = endpoints_of_ports(c->endpoints, ports, err);
    if (status == OK)
        status = ask_endpoints(c, err);
    if (status == OK)
        status = offers_make(c->endpoints, &c->offers, err);
    if (status != OK)
        return status;
    if (!c->json)
        offer_print_endpoints(c->endpoints, !c->local, stderr);
    if (c->prices)
        status = offers_set_prices(&c->offers, str_from(c->prices), err);
    if (status != OK) {
        error_prefix(err, "--price");
        return status;
    }
    offers_mark(&c->offers);
    return OK;
}

static enum status look(struct init_command *c, struct error *err)
{
    struct stat there;
    if (!c->list && strcmp(c->output, "-") != 0 && lstat(c->output, &there) == 0)
        return offers_file_is_there(c->output, err);
    enum status status = find(c, err);
    if (status == OK && c->json)
        status = offer_print_json(c->endpoints, &c->offers, stdout, err);
    if (status == OK && c->offers.count == 0 && !c->json)
        return error_set(err, ERR_NOT_FOUND,
                         "no models were found; set a key such as OPENAI_API_KEY, or start a local "
                         "server and name it with --local HOST:PORT");
    if (status != OK || c->json)
        return status;
    if (c->list) {
        offer_print_table(&c->offers, 0, stdout);
        return OK;
    }
    status = choose(c, err);
    if (status == OK)
        status = offers_write_file(&c->offers, c->output, clock_wall_ms() / 1000, err);
    if (status == OK)
        say_what_next(c);
    return status;
}

static int init(struct init_command *c)
{
    struct error err = {0};
    struct arena *arena = arena_create(ARENA_BYTES_MAX);
    c->endpoints = arena ? ARENA_NEW(arena, struct endpoint_list) : NULL;
    c->terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    enum status status;
    if (c->endpoints) {
        c->endpoints->arena = arena;
        status = look(c, &err);
    } else {
        status = error_set(&err, ERR_MEMORY, "out of memory");
    }
    arena_free(arena);
    return status == OK ? 0 : cli_fail("init", &err);
}

static int run(int argc, char **argv)
{
    struct init_command c = {.output = "leeroo.yaml"};
    const struct option_row rows[] = {
        {"--output", 'o', "FILE", "what to write (default leeroo.yaml); never overwritten",
         OPTION_STRING, &c.output, 0, 0, NULL},
        {"--yes", 'y', NULL, "ask providers, and take what is marked", OPTION_FLAG, &c.yes, 0, 0,
         NULL},
        {"--experts", 0, "NAME,...", "take these", OPTION_STRING, &c.experts, 0, 0, NULL},
        {"--price", 0, "NAME=IN/OUT,...", "what models cost, in USD per million tokens",
         OPTION_STRING, &c.prices, 0, 0, NULL},
        {"--local", 0, "HOST:PORT,...", "servers to look at, in place of the usual ports",
         OPTION_STRING, &c.local, 0, 0, NULL},
        {"--list", 0, NULL, "only show what was found", OPTION_FLAG, &c.list, 0, 0, NULL},
        {"--json", 0, NULL, "as --list, as one JSON object", OPTION_FLAG, &c.json, 0, 0, NULL},
    };
    const struct usage usage = {"init [-o leeroo.yaml] [--yes] [--experts NAME,...]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    enum status status = options_parse_alone(&usage, "the file is given with -o", argc, argv);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    c.list |= c.json;
    return init(&c);
}

const struct command init_command = {"init", "find endpoints and keys, write leeroo.yaml", run};
