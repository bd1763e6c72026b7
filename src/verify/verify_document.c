/* What a check is given, and what is kept of what it says. Pure. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verify/verify_int.h"

void verify_document(const struct verify_input *input, struct buf *out)
{
    buf_add_c(out, "{\"question\":");
    json_write_string(out, input->question);
    buf_add_c(out, ",\"answer\":");
    json_write_string(out, input->answer);
    if (input->tool_calls.type == JSON_ARRAY) {
        buf_add_c(out, ",\"tool_calls\":");
        buf_add(out, input->tool_calls.raw);
    }
    if (input->request.type != JSON_NONE) {
        buf_add_c(out, ",\"request\":");
        buf_add(out, input->request.raw);
    }
    buf_add_c(out, "}\n");
}

struct verify_input verify_sample(void)
{
    static const char request[] =
        "{\"model\":\"leeroo\",\"messages\":[{\"role\":\"user\",\"content\":\"What is 2 + 2?\"}]}";
    return (struct verify_input){.request = {JSON_OBJECT, str_from(request)},
                                 .question = STR("What is 2 + 2?"),
                                 .answer = STR("4")};
}

void verify_say(struct verify_end *end, enum verify_verdict verdict, struct str why)
{
    const struct str text = str_trim(why);
    const char *line = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    end->verdict = verdict;
    utf8_make_printable(end->why, sizeof(end->why),
                        str_trim(line ? str_slice(text, 0, (size_t)(line - text.ptr)) : text));
}

void verify_sayf(struct verify_end *end, enum verify_verdict verdict, const char *format, ...)
{
    char text[sizeof(((struct error *)0)->text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    verify_say(end, verdict, str_from(text));
}
