/* Certificate and key of the listener, and what the log says about them. */
#include "serve/secure.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define DAY_SECONDS 86400
#define DAY_MS      (UINT64_C(1000) * DAY_SECONDS)

struct secure {
    struct tls_context *tls;
    uint64_t judged_ms; /* when the certificate's dates were looked at last */
};

static const char mend[] = "renew the certificate; its files are taken up when they change";

/* Dates are no reason to refuse: a clock may be wrong, and no service is worse than a warning. */
static void judge(struct secure *s)
{
    struct tls_certificate c;
    int64_t now_s = clock_wall_ms() / 1000;
    s->judged_ms = clock_now_ms();
    tls_context_shown(s->tls, &c);
    if (now_s > c.not_after_s)
        log_event(LOG_WARN, "the certificate has expired", "name=%s mend=\"%s\"", c.name, mend);
    else if (now_s < c.not_before_s)
        log_event(LOG_WARN, "the certificate is not valid yet", "name=%s seconds=%lld", c.name,
                  (long long)(c.not_before_s - now_s));
    else if (c.not_after_s - now_s < (int64_t)SECURE_WARN_DAYS * DAY_SECONDS)
        log_event(LOG_WARN, "the certificate expires soon", "name=%s days=%lld mend=\"%s\"", c.name,
                  (long long)((c.not_after_s - now_s) / DAY_SECONDS), mend);
}

static void tell(struct secure *s, enum status status, const struct error *err)
{
    struct tls_certificate c;
    if (status != OK) {
        char quoted[sizeof(err->text) + 80];
        log_quote(quoted, sizeof(quoted), str_from(err->text));
        log_event(LOG_ERROR, "certificate refused, the old one stays", "err=%s", quoted);
        return;
    }
    tls_context_shown(s->tls, &c);
    log_event(LOG_INFO, "certificate loaded", "name=%s days=%lld", c.name,
              (long long)((c.not_after_s - clock_wall_ms() / 1000) / DAY_SECONDS));
    judge(s);
}

static enum status create(const struct config *c, struct tls_context **ret, struct error *err)
{
    enum status status = tls_context_create(c->tls.certificate, c->tls.key, ret, err);
    return status == OK ? OK : error_prefix(err, "%s: tls", c->place);
}

enum status secure_create(const struct config *c, struct secure **ret, struct error *err)
{
    if (!c->tls.certificate)
        return OK;
    struct secure *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory for TLS");
    enum status status = create(c, &s->tls, err);
    if (status != OK) {
        free(s);
        return status;
    }
    tell(s, OK, NULL);
    *ret = s;
    return OK;
}

void secure_free(struct secure *s)
{
    if (!s)
        return;
    tls_context_free(s->tls);
    free(s);
}

struct tls_context *secure_context(struct secure *s)
{
    return s ? s->tls : NULL;
}

enum status secure_check(const struct config *c, struct error *err)
{
    struct tls_context *tls = NULL;
    enum status status = c->tls.certificate ? create(c, &tls, err) : OK;
    tls_context_free(tls);
    return status;
}

void secure_follow(struct secure *s, const struct config *fresh)
{
    struct error err = {0};
    if (!s != !fresh->tls.certificate)
        log_event(LOG_WARN, "needs a restart to change", "keys=tls");
    else if (s)
        tell(s, tls_context_reload(s->tls, fresh->tls.certificate, fresh->tls.key, &err), &err);
}

void secure_look(struct secure *s)
{
    struct error err = {0};
    enum status status = s ? tls_context_refresh(s->tls, &err) : AGAIN;
    if (status != AGAIN)
        tell(s, status, &err);
    else if (s && clock_now_ms() - s->judged_ms > DAY_MS)
        judge(s);
}
