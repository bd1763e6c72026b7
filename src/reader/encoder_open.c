/* See encoder_open.h. One lock is held while something is opened, which takes seconds: two who want the same encoder at
 * once load its file once. Another guards the table alone, for threads that serve: who looks at what is open, and
 * who closes. What everybody has closed goes when the next one is opened, because that thread may wait for what is
 * being computed, and because the next model may want it again. Whatever is left ends with the process.
 *
 * Opening reads files and asks endpoints: not for a thread that serves. */
#include "reader/encoder_open.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "reader/gguf_encoder.h"
#include "reader/opinion_encoder.h"
#include "reader/remote_encoder.h"

#define NAMED_BYTES_MAX    (1u << 20)
#define IDENTITY_BYTES_MAX (4 * ENCODER_SPEC_BYTES_MAX)

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER; /* and of what is named */
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER; /* taken for moments, also by who opens */

static struct opened {
    char *identity; /* NULL: free */
    struct late *late;
    size_t holders;
    uint64_t place;
} opened[ENCODERS_OPEN_MAX];
static uint64_t opened_ever;

static struct named {
    struct arena *arena;
    const char *place;
    struct encoder_spec specs[ENCODERS_NAMED_MAX];
    size_t count;
    bool only;
} named;

/* At the end of the process nobody may be computing while libraries take themselves down. */
static void stop_all(void)
{
    for (size_t i = 0; i < ENCODERS_OPEN_MAX; i++)
        if (opened[i].identity)
            late_stop(opened[i].late);
}

/* Opening */

/* All that makes two of them the same, the state of the file included. */
static enum status identify(const struct encoder_spec *s, char **ret, struct error *err)
{
    struct buf b;
    struct stat file = {0};
    buf_init(&b, IDENTITY_BYTES_MAX);
    encoder_spec_write(s, &b);
    if (s->gguf)
        (void)!stat(s->gguf, &file); /* opening will say what is wrong */
    buf_addf(&b, " %llu:%llu:%lld:%lld.%09ld ", (unsigned long long)file.st_dev,
             (unsigned long long)file.st_ino, (long long)file.st_size,
             (long long)file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
    buf_add(&b, s->key);
    enum status status = buf_status(&b, err);
    if (status == OK)
        *ret = buf_take(&b);
    buf_done(&b);
    return status;
}

/* One more holds it; NULL: it is not there. */
static struct late *hold(const char *identity)
{
    struct late *found = NULL;
    pthread_mutex_lock(&table);
    for (size_t i = 0; i < ENCODERS_OPEN_MAX && !found; i++)
        if (opened[i].identity && !strcmp(opened[i].identity, identity)) {
            found = opened[i].late;
            opened[i].holders++;
        }
    pthread_mutex_unlock(&table);
    return found;
}

void encoder_close(const struct encoder *e)
{
    pthread_mutex_lock(&table);
    struct opened *o = opened;
    while (o < opened + ENCODERS_OPEN_MAX && (!o->identity || late_encoder(o->late) != e))
        o++;
    CHECK(o < opened + ENCODERS_OPEN_MAX && o->holders > 0);
    o->holders--;
    pthread_mutex_unlock(&table);
}

/* What nobody holds any more; the threads of each may have a call to end. */
static void drop_closed(void)
{
    for (size_t i = 0; i < ENCODERS_OPEN_MAX; i++) {
        struct opened closed = {0};
        pthread_mutex_lock(&table);
        if (opened[i].identity && !opened[i].holders) {
            closed = opened[i];
            opened[i] = (struct opened){0};
        }
        pthread_mutex_unlock(&table);
        late_free(closed.late);
        free(closed.identity);
    }
}

static struct opened *find_room(void)
{
    for (size_t i = 0; i < ENCODERS_OPEN_MAX; i++)
        if (!opened[i].identity)
            return &opened[i];
    return NULL;
}

static enum status open_new(struct encoder_spec *s, struct late **ret, struct error *err)
{
    if (!s->gguf)
        return remote_encoder_open(s, ret, err);
    return s->orchestrates ? opinion_encoder_open(s, ret, err) : gguf_encoder_open(s, ret, err);
}

static void put(struct opened *room, char *identity, struct late *late)
{
    if (opened_ever == 0)
        (void)!atexit(stop_all);
    pthread_mutex_lock(&table);
    *room = (struct opened){identity, late, 1, opened_ever++};
    pthread_mutex_unlock(&table);
}

/* Under the lock. An endpoint whose width had to be asked for is the same as one whose width was known. */
static enum status open_locked(struct encoder_spec s, const struct encoder **ret, struct error *err)
{
    char *identity = NULL;
    struct late *late = NULL;
    enum status status = identify(&s, &identity, err);
    if (status != OK)
        return status;
    late = hold(identity);
    drop_closed();
    if (late) {
        free(identity);
        status = late_limit(late, &s.limits, err);
        if (status == OK)
            *ret = late_encoder(late);
        else
            encoder_close(late_encoder(late));
        return status;
    }
    struct opened *room = find_room();
    if (room)
        status = open_new(&s, &late, err);
    else
        status = error_set(err, ERR_TOO_LARGE, "encoder '%s': %d are open already", s.name,
                           ENCODERS_OPEN_MAX);
    free(identity);
    if (status == OK)
        status = identify(&s, &identity, err);
    if (status != OK) {
        late_free(late);
        return status;
    }
    put(room, identity, late);
    *ret = late_encoder(late);
    return OK;
}

enum status encoder_open(const struct encoder_spec *s, const struct encoder **ret,
                         struct error *err)
{
    pthread_mutex_lock(&opening);
    enum status status = open_locked(*s, ret, err);
    pthread_mutex_unlock(&opening);
    return status;
}

size_t encoders_read(struct encoder_reading *list)
{
    size_t count = 0;
    pthread_mutex_lock(&table);
    for (size_t i = 0; i < ENCODERS_OPEN_MAX; i++) {
        if (!opened[i].identity)
            continue;
        struct encoder_reading *r = &list[count++];
        snprintf(r->name, sizeof(r->name), "%s", late_encoder(opened[i].late)->name);
        r->place = opened[i].place;
        late_read(opened[i].late, &r->late);
    }
    pthread_mutex_unlock(&table);
    return count;
}

/* What a configuration names */

enum status encoders_name(const struct encoder_spec *specs, size_t count, const char *place,
                          bool only, struct error *err)
{
    struct named fresh = {.arena = arena_create(NAMED_BYTES_MAX), .only = only};
    enum status status = fresh.arena && count <= ENCODERS_NAMED_MAX
                             ? OK
                             : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        fresh.place = arena_printf(fresh.arena, "%s", place);
    for (; status == OK && fresh.count < count; fresh.count++)
        status =
            encoder_spec_copy(&specs[fresh.count], fresh.arena, &fresh.specs[fresh.count], err);
    if (status != OK || !fresh.place) {
        arena_free(fresh.arena);
        return status != OK ? status : error_set(err, ERR_MEMORY, "out of memory");
    }
    pthread_mutex_lock(&opening);
    struct arena *old = named.arena;
    named = fresh;
    pthread_mutex_unlock(&opening);
    arena_free(old);
    return OK;
}

static const struct encoder_spec *find_named(struct str name)
{
    for (size_t i = 0; i < named.count; i++)
        if (str_equal(name, str_from(named.specs[i].name)))
            return &named.specs[i];
    return NULL;
}

/* What a model asks for */

/* A configuration's encoder under the model's name, so that sources find it. What the model was trained with stands
 * where the configuration says nothing. */
static struct encoder_spec mix(const struct encoder_spec *configured,
                               const struct encoder_spec *recorded)
{
    struct encoder_spec s = *configured;
    s.name = recorded->name;
    s.orchestrates = recorded->orchestrates; /* and the prompt is what it was in training */
    s.head = recorded->head;
    s.labels = recorded->labels;
    s.without_choices = recorded->without_choices;
    if (s.gguf && recorded->gguf) {
        s.pooling = s.pooling ? s.pooling : recorded->pooling;
        s.layer = s.layer ? s.layer : recorded->layer;
        s.tokens = s.tokens ? s.tokens : recorded->tokens;
        s.loras = s.loras ? s.loras : recorded->loras;
        s.chat_template = s.chat_template ? s.chat_template : recorded->chat_template;
    } else if (s.url && recorded->url) {
        s.dimensions = s.dimensions ? s.dimensions : recorded->dimensions;
        s.width = s.width ? s.width : recorded->width;
    }
    return s;
}

static enum status may_ask(const struct encoder_spec *s, const struct encoder_spec *configured,
                           struct error *err)
{
    if (configured || s->gguf || !named.only)
        return OK;
    return error_set(err, ERR_UNSUPPORTED,
                     "the model was trained with encoder '%s', which asks %s: name it in %s, so "
                     "that it is its owner who says where questions go "
                     "(encoders: [{name: %s, url: %s, model: %s}])",
                     s->name, s->url, named.place, s->name, s->url, s->model);
}

static enum status check(const struct encoder_spec *s, const struct encoder *e,
                         struct str fingerprint, struct error *err)
{
    if (str_equal(fingerprint, str_from(e->fingerprint)))
        return OK;
    return error_set(err, ERR_UNSUPPORTED,
                     "encoder '%s': %s is not what the model was trained with: it is '%.160s', the "
                     "model wants '%.*s'; put the right one back, name it under `encoders:`, or "
                     "train again",
                     s->name, s->gguf ? s->gguf : s->url, e->fingerprint,
                     STR_FMT(str_slice(fingerprint, 0, 160)));
}

static enum status open_recorded(const struct encoder_spec *recorded, struct str fingerprint,
                                 struct arena *a, const struct encoder **ret, struct error *err)
{
    const struct encoder *e = NULL;
    const struct encoder_spec *configured = find_named(str_from(recorded->name));
    struct encoder_spec s = configured ? mix(configured, recorded) : *recorded;
    enum status status = may_ask(&s, configured, err);
    if (!configured) {
        if (s.key_variable)
            s.key_variable = "env:" ENCODER_KEY_VARIABLE;
        s.limits = (struct late_limits){0};
    }
    if (status == OK)
        (void)!encoder_spec_find_key(&s, a, NULL); /* missed when it is asked */
    if (status == OK)
        status = open_locked(s, &e, err);
    if (status == OK && (status = check(&s, e, fingerprint, err)) != OK)
        encoder_close(e);
    if (status == OK)
        *ret = e;
    return status;
}

enum status encoder_open_of_model(struct str name, struct str fingerprint, struct str spec,
                                  const struct encoder **ret, struct error *err)
{
    struct encoder_spec recorded;
    struct arena *a = arena_create(8 * ENCODER_SPEC_BYTES_MAX);
    enum status status = a ? encoder_spec_read(spec, a, &recorded, err)
                           : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK && !str_equal(name, str_from(recorded.name)))
        status = error_set(err, ERR_CORRUPT, "its list of encoders is damaged");
    if (status == OK) {
        pthread_mutex_lock(&opening);
        status = open_recorded(&recorded, fingerprint, a, ret, err);
        pthread_mutex_unlock(&opening);
    }
    arena_free(a);
    return status;
}
