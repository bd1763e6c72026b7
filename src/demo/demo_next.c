/* The end of the demo: commands to go on with, as they can be copied. The program is named as it was called, and names
 * that a shell would take apart are quoted.
 *
 * Nothing is looked up or started here; where the gateway runs on, its address is told. One thread. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "demo/demo.h"

#define PLAIN                                                                                      \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+/:@%,=" /* to any shell */

void demo_quote(const char *text, struct buf *out)
{
    if (*text && text[strspn(text, PLAIN)] == '\0') {
        buf_add_c(out, text);
        return;
    }
    buf_add_char(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            buf_add_c(out, "'\\''");
        else
            buf_add_char(out, *text);
    buf_add_char(out, '\'');
}

const char *demo_shown(const struct demo *d, const char *text)
{
    struct buf quoted;
    buf_init(&quoted, 8 * DEMO_PATH_BYTES);
    demo_quote(text, &quoted);
    const char *shown = arena_printf(d->arena, "%.*s", STR_FMT(buf_str(&quoted)));
    buf_done(&quoted);
    return shown ? shown : text;
}

const char *demo_program(const struct demo *d)
{
    return demo_shown(d, program_invocation_name);
}

static void print_requests(const struct demo *d)
{
    const char *address = local_address(d->gateway);
    fprintf(d->out,
            "  %sThe gateway goes on until Ctrl-C.%s In a browser:\n\n"
            "    http://%s/\n\n"
            "  In another terminal:\n\n"
            "    curl -s http://%s/v1/chat/completions \\\n"
            "         -H 'content-type: application/json' \\\n"
            "         -d '{\"model\": \"leeroo\", \"messages\": [{\"role\": \"user\",\n"
            "              \"content\": \"What is 17 * 23?\"}]}'\n"
            "    curl -s http://%s/v1/route \\\n"
            "         -H 'content-type: application/json' \\\n"
            "         -d '{\"model\": \"leeroo\", \"messages\": [{\"role\": \"user\",\n"
            "              \"content\": \"Spell \\\"garden\\\" backwards.\"}]}'\n\n",
            d->bold ? "\033[1m" : "", d->bold ? "\033[0m" : "", address, address, address);
}

static void print_files(const struct demo *d, const char *program)
{
    const char *dir = demo_shown(d, d->dir);
    fprintf(d->out,
            "  What was learnt, measured; and a stream of queries, decided:\n\n"
            "    %s eval %s/" DEMO_MODEL_FILE " \\\n"
            "         %s/exam --reference sage\n"
            "    %s route %s/" DEMO_MODEL_FILE " \\\n"
            "         %s/exam/queries.jsonl --budget 0.1\n\n",
            program, dir, dir, program, dir, dir);
}

void demo_next_steps(const struct demo *d)
{
    const char *program = demo_program(d);
    demo_heading(d, 7, "What to do next");
    if (d->keep)
        print_requests(d);
    if (d->keep || !d->temporary)
        print_files(d, program);
    if (!d->keep)
        fprintf(d->out,
                "  The same with the gateway left running, for curl and your own client:\n\n"
                "    %s demo --keep --dir %s \\\n"
                "         --listen 127.0.0.1:8080\n\n",
                program, d->temporary ? "my-demo" : demo_shown(d, d->dir));
    fprintf(d->out,
            "  With your experts: keys in the environment, or servers on this machine.\n\n"
            "    %s init\n"
            "    %s serve\n\n",
            program, program);
    fflush(d->out);
}
