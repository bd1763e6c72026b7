/* The configuration as a file, which appears under its name when it is whole, and never in the place of another. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "discover/offer.h"

#define CONFIG_BYTES_MAX (1u << 20)

enum status offers_file_is_there(const char *path, struct error *err)
{
    return error_set(err, ERR_INPUT,
                     "%s is there already and stays as it is; -o FILE writes another", path);
}

static enum status write_text(const char *path, struct str text, struct error *err)
{
    struct file_out out;
    struct error why = {0};
    bool plain = strcmp(path, "-") != 0;
    enum status status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    fwrite(text.ptr, 1, text.len, out.stream);
    status = plain ? file_out_commit_new(&out, &why) : file_out_commit(&out, &why);
    if (status == OK)
        return OK;
    return why.sys_errno == EEXIST ? offers_file_is_there(path, err)
                                   : error_set(err, status, "%s", why.text);
}

enum status offers_write_file(const struct offer_list *offers, const char *path, int64_t now_s,
                              struct error *err)
{
    char date[16];
    struct buf text;
    struct tm tm;
    time_t now = (time_t)now_s;
    gmtime_r(&now, &tm);
    strftime(date, sizeof(date), "%Y-%m-%d", &tm);
    buf_init(&text, CONFIG_BYTES_MAX);
    offers_write_config(offers, str_from(date), &text);
    enum status status = buf_status(&text, err);
    if (status == OK)
        status = write_text(path, buf_str(&text), err);
    buf_done(&text);
    return status;
}
