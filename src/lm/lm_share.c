/* A table of what is loaded, by what the operating system says of the file. One lock, held while a file is read, so
 * that two who want the same model at once do not read it twice. */
#include "lm/lm_share.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/check.h"

#define IDENTITY_BYTES_MAX (64u << 10)

struct shared {
    char *identity; /* NULL: free */
    struct lm *lm;
    size_t holders;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shared table[LM_SHARED_MAX];

static void add_file(struct buf *b, const char *path)
{
    struct stat s = {0};
    (void)!stat(path, &s); /* reading it will say what is wrong */
    buf_addf(b, "%llu:%llu:%lld:%lld.%09ld:%zu:%s;", (unsigned long long)s.st_dev,
             (unsigned long long)s.st_ino, (long long)s.st_size, (long long)s.st_mtim.tv_sec,
             s.st_mtim.tv_nsec, strlen(path), path);
}

static enum status identify(const char *path, const struct lm_options *o, char **ret,
                            struct error *err)
{
    struct buf b;
    buf_init(&b, IDENTITY_BYTES_MAX);
    buf_addf(&b, "%d;%d;", o && o->vocabulary_only, o ? o->gpu_layers : 0);
    add_file(&b, path);
    for (size_t i = 0; o && i < o->lora_count; i++)
        add_file(&b, o->loras[i]);
    enum status status = buf_status(&b, err);
    if (status == OK)
        *ret = buf_take(&b);
    buf_done(&b);
    return status;
}

static struct shared *find(const char *identity)
{
    for (size_t i = 0; i < LM_SHARED_MAX; i++)
        if (table[i].identity && !strcmp(table[i].identity, identity))
            return &table[i];
    return NULL;
}

static struct shared *find_free(void)
{
    for (size_t i = 0; i < LM_SHARED_MAX; i++)
        if (!table[i].identity)
            return &table[i];
    return NULL;
}

/* Takes `identity`. */
static enum status load(char *identity, const char *path, const struct lm_options *o,
                        struct shared **ret, struct error *err)
{
    struct shared *s = find_free();
    enum status status =
        s ? lm_load(path, o, &s->lm, err)
          : error_set(err, ERR_TOO_LARGE, "%s: more than %d models at once", path, LM_SHARED_MAX);
    if (status != OK) {
        free(identity);
        return status;
    }
    s->identity = identity;
    *ret = s;
    return OK;
}

enum status lm_share(const char *path, const struct lm_options *options, struct lm **ret,
                     struct error *err)
{
    char *identity = NULL;
    enum status status = identify(path, options, &identity, err);
    if (status != OK)
        return status;
    pthread_mutex_lock(&lock);
    struct shared *s = find(identity);
    if (s)
        free(identity);
    else
        status = load(identity, path, options, &s, err);
    if (status == OK) {
        s->holders++;
        *ret = s->lm;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

void lm_release(struct lm *lm)
{
    if (!lm)
        return;
    pthread_mutex_lock(&lock);
    struct shared *s = table;
    while (s < table + LM_SHARED_MAX && (!s->identity || s->lm != lm))
        s++;
    CHECK(s < table + LM_SHARED_MAX && s->holders > 0);
    if (--s->holders == 0) {
        lm_free(s->lm);
        free(s->identity);
        *s = (struct shared){0};
    }
    pthread_mutex_unlock(&lock);
}
