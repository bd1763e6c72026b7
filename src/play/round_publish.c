/* Whether what a round has learnt takes the place of the model in force (play/publish.h), and that it does.
 *
 * A process that was killed behind the change and before the round was over finds its own model in force: it compares
 * with the one before then, and so says the same again. One thread; the file is the gateway's, which sees the change
 * by itself. */
#include "play/play_int.h"

#include <limits.h>
#include <stdio.h>

#include "play/publish_file.h"

/* *ret is NULL where there is no such file. */
static enum status load(const char *path, struct model **ret, struct error *err)
{
    struct model *m = NULL;
    enum status status = model_load(path, &m, err);
    if (status != OK && status != ERR_NOT_FOUND)
        return error_prefix(err, "the model in force"), status;
    *ret = m;
    return OK;
}

/* What the candidate is measured against: NULL is the prior. */
static enum status load_rival(const struct play *p, struct model **ret, struct error *err)
{
    char previous[PATH_MAX];
    struct model *m = NULL;
    enum status status = load(p->o->model_path, &m, err);
    if (status == OK && m && model_checksum(m) == model_checksum(p->model)) {
        model_free(m);
        m = NULL;
        snprintf(previous, sizeof(previous), "%s.previous", p->o->model_path);
        status = load(previous, &m, err);
    }
    if (status == OK)
        *ret = m;
    return status;
}

/* Whether an earlier round of this run has learnt it. A round's file that cannot be read is not it. */
static enum publish_rival kind_of(const struct play *p, const struct model *rival)
{
    bool is_earlier = false;
    for (size_t round = run_rounds(p->run); round > 0 && !is_earlier; round--) {
        struct model *m;
        if (play_load_model(p, round, &m, NULL) != OK || !m)
            continue;
        is_earlier = model_checksum(m) == model_checksum(rival);
        model_free(m);
    }
    return is_earlier ? PUBLISH_EARLIER : PUBLISH_ANOTHER;
}

/* A model in force that knows none of these experts is none. */
static enum status compare(const struct play *p, const struct model *rival,
                           struct publish_verdict *ret, struct error *err)
{
    const struct dataset *d = run_dataset(p->run);
    enum status status = ERR_INPUT;
    if (rival)
        status = publish_compare(p->model, rival, kind_of(p, rival), d, p->o->policies,
                                 p->o->policy_count, ret, err);
    if (status == ERR_INPUT)
        status = publish_compare(p->model, p->prior, PUBLISH_ANOTHER, d, p->o->policies,
                                 p->o->policy_count, ret, err);
    return status;
}

static enum status put_in_force(struct play *p, bool is_first, struct error *err)
{
    enum publish_change change;
    enum status status = publish_write(p->trained, p->o->model_path, &change, err);
    if (status == OK)
        p->r.publication = is_first ? PLAY_FIRST : PLAY_PUBLISHED;
    return status;
}

static enum status follow(struct play *p, const struct publish_verdict *v, bool is_first,
                          struct error *err)
{
    p->r.confidence = v->confidence;
    p->r.confidence_min = v->confidence_min;
    p->r.gain_in_force = v->gain;
    return v->better ? put_in_force(p, is_first, err) : OK;
}

enum status play_publish(struct play *p, struct error *err)
{
    struct publish_verdict verdict = {0};
    struct model *rival = NULL;
    if (!p->trained || !p->o->model_path)
        return OK;
    p->r.publication = PLAY_KEPT;
    if (p->checksum_before == model_checksum(p->model))
        return OK; /* nothing new was learnt */
    enum status status = load_rival(p, &rival, err);
    if (status != OK)
        return status;
    status = compare(p, rival, &verdict, err);
    p->r.compared = verdict.questions;
    if (status == ERR_INPUT || verdict.questions < PUBLISH_QUESTIONS_MIN) {
        p->r.publication = PLAY_UNCOMPARED;
        status = OK;
    } else if (status == OK) {
        status = follow(p, &verdict, !rival, err);
    }
    model_free(rival);
    return status;
}
