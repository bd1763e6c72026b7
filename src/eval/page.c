/* The frame of a page: see page.h. The policy forbids scripts and whatever is not in the page itself. */
#include "eval/page.h"

#include "eval/markup.h"

static void add_all(struct buf *b, const char *const *pieces)
{
    for (size_t i = 0; pieces && pieces[i]; i++)
        buf_add_c(b, pieces[i]);
}

void page_open(struct buf *b, const char *kind, struct str title, const char *const *more_style)
{
    buf_add_c(b, "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\"><head>"
                 "<meta charset=\"utf-8\" />\n"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
                 "<meta name=\"color-scheme\" content=\"light dark\" />\n"
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                 "style-src 'unsafe-inline'\" />\n<title>");
    markup_text(b, str_from(kind));
    buf_add_c(b, ": ");
    markup_text(b, title);
    buf_add_c(b, "</title>\n<style>");
    add_all(b, page_style);
    add_all(b, more_style);
    buf_add_c(b, "</style></head>\n<body><main>\n");
}

void page_close(struct buf *b)
{
    buf_add_c(b, "</main></body></html>\n");
}

void page_section(struct buf *b, const char *id, const char *title, const char *text)
{
    buf_addf(b, "<section id=\"%s\"><h2>", id);
    markup_text(b, str_from(title));
    buf_add_c(b, "</h2>\n<p class=\"how\">");
    buf_add_c(b, text);
    buf_add_c(b, "</p>\n");
}

void page_section_end(struct buf *b)
{
    buf_add_c(b, "</section>\n");
}

void page_legend_item(struct buf *b, const char *drawing, const char *text)
{
    buf_addf(b, "<li><svg viewBox=\"0 0 26 14\" aria-hidden=\"true\">%s</svg>%s</li>\n", drawing,
             text);
}
