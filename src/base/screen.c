/* Fitting at the edge: text is laid out just before a terminal gets it. */
#include "base/screen.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/terminal.h"
#include "base/text_fit.h"

#define SCREEN_BYTES_MAX (256u << 20)

enum status screen_print(FILE *to, struct buf *b, struct error *err)
{
    size_t columns = terminal_columns(fileno(to));
    if (!columns || b->status != OK)
        return file_print(to, b, err);
    struct buf fitted;
    buf_init(&fitted, SCREEN_BYTES_MAX);
    text_fit(buf_str(b), columns, TEXT_FIT_TABLES, &fitted);
    buf_done(b);
    return file_print(to, &fitted, err);
}

FILE *screen_begin(struct screen *s, FILE *to)
{
    *s = (struct screen){.out = to, .to = to};
    if (terminal_columns(fileno(to)))
        s->out = open_memstream(&s->text, &s->len);
    if (!s->out)
        s->out = to; /* without memory it is printed as it is */
    return s->out;
}

void screen_end(struct screen *s)
{
    struct buf fitted;
    if (s->out == s->to)
        return;
    buf_init(&fitted, SCREEN_BYTES_MAX);
    if (fclose(s->out) == 0)
        text_fit((struct str){s->text, s->len}, terminal_columns(fileno(s->to)), TEXT_FIT_TABLES,
                 &fitted);
    fwrite(fitted.ptr, 1, fitted.len, s->to);
    fflush(s->to);
    buf_done(&fitted);
    free(s->text);
    *s = (struct screen){0};
}
