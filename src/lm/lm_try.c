/* Trying a file in a process of its own, both sides of it. Parent: spawns the program with the open files and a pipe as
 * its standard error, whose last line is what it has to say, and waits; whoever loads a model waits anyway, and one
 * lock keeps a crowd from trying the same file at once. Child: gives up what a broken file could use to do harm (core
 * dumps, endless computing), loads the model without copying it, and lets every part of it work once. */
#include "lm/lm_try.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lm/gguf_file.h"
#include "lm/lm_embed.h"
#include "lm/lm_int.h"
#include "lm/lm_state.h"

#define REMEMBERED_MAX  256
#define LAST_WORDS      256
#define ERROR_FD        2 /* standard error */
#define LORAS_MAX       16
#define CPU_SECONDS     60 /* and one for every … */
#define CPU_BYTES       ((off_t)16 << 20)
#define TRIAL_CONTEXT   64
#define TRIAL_SEQUENCES 2
#define TRIAL_TOKENS    8 /* what a text of more would show, one of these does */

/* Parent */

struct verdict {
    char fingerprint[LM_FINGERPRINT_BYTES];
    struct error err; /* status OK: it may be read */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *program;
static struct verdict verdicts[REMEMBERED_MAX]; /* the oldest is forgotten first */
static size_t verdict_count;

void lm_try_by(const char *by)
{
    pthread_mutex_lock(&lock);
    program = by;
    pthread_mutex_unlock(&lock);
}

static struct verdict *find(const char *fingerprint)
{
    for (size_t i = 0; i < REMEMBERED_MAX && i < verdict_count; i++)
        if (!strcmp(verdicts[i].fingerprint, fingerprint))
            return &verdicts[i];
    return NULL;
}

static void keep(const char *fingerprint, const struct error *err)
{
    struct verdict *v = &verdicts[verdict_count++ % REMEMBERED_MAX];
    memcpy(v->fingerprint, fingerprint, sizeof(v->fingerprint));
    v->err = *err;
}

/* Until the end of the pipe; `into` then holds its last line. */
static void read_last_line(int fd, char into[LAST_WORDS])
{
    size_t len = 0;
    bool ended = false;
    char bytes[512];
    ssize_t n;
    into[0] = '\0';
    while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
        if (n < 0 && errno != EINTR)
            return;
        for (ssize_t i = 0; i < n; i++) {
            if (bytes[i] == '\n') {
                ended = true;
                continue;
            }
            len = ended ? 0 : len;
            ended = false;
            if (len + 1 < LAST_WORDS)
                into[len++] = bytes[i];
            into[len] = '\0';
        }
    }
}

/* What the child's environment has: what a loader of libraries needs, and no keys. */
static size_t fill_environment(char **into)
{
    static const char *const wanted[] = {
        "LD_LIBRARY_PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS="};
    size_t count = 0;
    for (char **e = environ; *e; e++)
        for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
            if (!strncmp(*e, wanted[i], strlen(wanted[i])))
                into[count++] = *e;
    into[count++] = (char *)"GGML_NO_BACKTRACE=1"; /* which would be a debugger's */
    into[count] = NULL;
    return count;
}

/* No signal is blocked there, and those that end it do. */
static int set_signals(posix_spawnattr_t *a)
{
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(a, &set);
    sigaddset(&set, SIGABRT);
    sigaddset(&set, SIGXCPU);
    posix_spawnattr_setsigdefault(a, &set);
    return posix_spawnattr_setflags(a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int set_files(posix_spawn_file_actions_t *actions, const struct lm_files *f, int error_fd)
{
    /* Onto itself: it stays open in the child. */
    int failed = posix_spawn_file_actions_adddup2(actions, f->model.fd, f->model.fd);
    for (size_t i = 0; i < f->lora_count && !failed; i++)
        failed = posix_spawn_file_actions_adddup2(actions, f->loras[i].fd, f->loras[i].fd);
    return failed ? failed : posix_spawn_file_actions_adddup2(actions, error_fd, ERROR_FD);
}

static int spawn(const char *by, char **argv, const struct lm_files *f, int error_fd, pid_t *pid)
{
    char *environment[8];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    fill_environment(environment);
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        failed = set_signals(&attributes);
        if (!failed)
            failed = set_files(&actions, f, error_fd);
        if (!failed)
            failed = posix_spawn(pid, by, &actions, &attributes, argv, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static enum status judge(const struct lm_files *f, int how, const char *words, struct error *err)
{
    int code = WIFEXITED(how) ? WEXITSTATUS(how) : 0;
    if (WIFEXITED(how) && code == 0)
        return OK;
    if (code > LM_TRY_EXIT && code < LM_TRY_EXIT + STATUS_COUNT)
        return error_set(err, (enum status)(code - LM_TRY_EXIT), "%s", words);
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGXCPU)
        return error_set(err, ERR_CORRUPT, "%s: refused: trying it did not come to an end",
                         f->model.path);
    return error_set(err, ERR_CORRUPT,
                     "%s: refused: llama.cpp ended the process that tried it (%s)%s%s",
                     f->model.path, WIFSIGNALED(how) ? strsignal(WTERMSIG(how)) : "with an error",
                     *words ? ": " : "", words);
}

struct command {
    char *argv[2 * LORAS_MAX + 5], numbers[LORAS_MAX + 1][12];
};

static void fill_command(struct command *c, const char *by, const struct lm_files *f)
{
    size_t argc = 0;
    c->argv[argc++] = (char *)by;
    c->argv[argc++] = (char *)LM_TRY_COMMAND;
    for (size_t i = 0; i <= f->lora_count; i++) {
        const struct lm_file *file = i ? &f->loras[i - 1] : &f->model;
        snprintf(c->numbers[i], sizeof(c->numbers[i]), "%d", file->fd);
        c->argv[argc++] = c->numbers[i];
        c->argv[argc++] = (char *)file->path;
    }
    c->argv[argc] = NULL;
}

static enum status run(const char *by, const struct lm_files *f, struct error *err)
{
    struct command c;
    char words[LAST_WORDS];
    int ends[2], how = 0;
    pid_t pid = 0;
    fill_command(&c, by, f);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno(err, ERR_IO, errno, "%s: cannot be tried", f->model.path);
    int failed = spawn(by, c.argv, f, ends[1], &pid);
    close(ends[1]);
    if (!failed)
        read_last_line(ends[0], words);
    close(ends[0]);
    if (failed)
        return error_set_errno(err, ERR_IO, failed, "%s: cannot be tried by %s", f->model.path, by);
    while (waitpid(pid, &how, 0) < 0)
        if (errno != EINTR)
            return error_set_errno(err, ERR_IO, errno, "%s: cannot be tried", f->model.path);
    return judge(f, how, words, err);
}

enum status lm_try(const struct lm_files *f, struct error *err)
{
    struct error said = {.status = OK};
    if (f->lora_count > LORAS_MAX)
        return error_set(err, ERR_TOO_LARGE, "%s: %zu adapters; at most %d", f->model.path,
                         f->lora_count, LORAS_MAX);
    pthread_mutex_lock(&lock);
    const struct verdict *known = program && f->fingerprint[0] ? find(f->fingerprint) : NULL;
    enum status status = OK;
    if (known) {
        said = known->err;
        status = said.status;
    } else if (program) {
        status = run(program, f, &said);
        if ((status == OK || status == ERR_CORRUPT) && f->fingerprint[0])
            keep(f->fingerprint, &said);
    }
    pthread_mutex_unlock(&lock);
    if (status != OK && err)
        *err = said;
    return status;
}

/* Child */

/* Letters of several scripts, code, digits, marks, and bytes that are no UTF-8. */
#define SAMPLE                                                                                     \
    "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. \n\n  int main(void) { return "  \
    "0x7f; }\t<|x|> 1234567 \xff\xfe 日本語 🙂"

static enum status try_tokens(const struct lm *lm, struct error *err)
{
    int32_t tokens[512];
    char piece[256];
    for (int special = 0; special < 2; special++) {
        for (size_t i = 0; i < lm_info(lm)->vocabulary; i++) {
            (void)lm_token_bytes(lm, (int32_t)i, special, piece, sizeof(piece));
            (void)lm_token_ends(lm, (int32_t)i);
        }
        for (int byte = 0; byte < 256; byte++) {
            char one = (char)byte;
            (void)lm_tokenize(lm, (struct str){&one, 1}, special, tokens, 512);
        }
        size_t n = lm_tokenize(lm, STR(SAMPLE), special, tokens, 512);
        for (size_t i = 0; i < n && i < 512; i++)
            if (tokens[i] < 0 || (size_t)tokens[i] >= lm_info(lm)->vocabulary)
                return error_set(err, ERR_CORRUPT,
                                 "%s: texts have tokens that the vocabulary lacks",
                                 lm_info(lm)->path);
    }
    return OK;
}

static enum status try_embedding(const struct lm *lm, struct error *err)
{
    struct lm_embedder *e = NULL;
    struct str texts[] = {STR(SAMPLE), STR("a"), STR("")};
    float *out = calloc(3 * lm_info(lm)->width, sizeof(*out));
    if (!out)
        return error_set(err, ERR_MEMORY, "out of memory");
    struct lm_embed_options o = {.tokens_max = TRIAL_TOKENS, .batch = 2};
    enum status status = lm_embedder_create(lm, &o, &e, err);
    if (status == OK)
        status = lm_embed(e, texts, 3, out, err);
    lm_embedder_free(e);
    free(out);
    return status;
}

static enum status try_writing(const struct lm *lm, struct error *err)
{
    struct lm_state *s = NULL;
    size_t context = lm_info(lm)->context;
    struct lm_state_options o = {.sequences = TRIAL_SEQUENCES,
                                 .context = context < TRIAL_CONTEXT ? context : TRIAL_CONTEXT};
    int32_t tokens[TRIAL_TOKENS];
    size_t n = lm_tokenize(lm, STR(SAMPLE), true, tokens, TRIAL_TOKENS);
    n = n < TRIAL_TOKENS ? n : TRIAL_TOKENS;
    enum status status = lm_state_create(lm, &o, &s, err);
    struct lm_input in[] = {{0, tokens, n, LM_WANT_LAST}, {1, tokens, 1, LM_WANT_ALL}};
    if (status == OK)
        status = lm_state_read(s, in, TRIAL_SEQUENCES, err);
    in[0].count = 1;
    if (status == OK)
        status = lm_state_read(s, in, 1, err);
    lm_state_free(s);
    return status;
}

static enum status try_all(const struct lm_files *f, struct error *err)
{
    struct lm *lm = NULL;
    enum status status =
        lm_load_untried(f, &(struct lm_options){.lora_count = f->lora_count}, true, &lm, err);
    if (status == OK)
        status = try_tokens(lm, err);
    if (status == OK && (lm_info(lm)->embeds || lm_info(lm)->writes))
        status = try_embedding(lm, err);
    if (status == OK && lm_info(lm)->writes)
        status = try_writing(lm, err);
    lm_free(lm);
    return status;
}

static void give_up_harm(int fd)
{
    struct stat st = {0};
    const struct rlimit none = {0, 0};
    (void)!fstat(fd, &st);
    rlim_t seconds = (rlim_t)(CPU_SECONDS + st.st_size / CPU_BYTES);
    const struct rlimit some = {seconds, seconds};
    (void)!setrlimit(RLIMIT_CORE, &none);
    (void)!setrlimit(RLIMIT_CPU, &some);
}

static bool parse_file(char **argv, struct lm_file *ret)
{
    int64_t fd;
    if (str_to_int64(str_from(argv[0]), &fd) != OK || fd <= ERROR_FD || fd > INT32_MAX)
        return false;
    *ret = (struct lm_file){.path = argv[1], .fd = (int)fd};
    snprintf(ret->fd_path, sizeof(ret->fd_path), "/dev/fd/%d", ret->fd);
    return true;
}

enum status lm_try_files(int argc, char **argv, struct error *err)
{
    struct lm_file loras[LORAS_MAX];
    struct lm_files f = {.loras = loras};
    bool ok = argc >= 2 && argc % 2 == 0 && argc / 2 <= LORAS_MAX + 1;
    for (int i = 0; ok && i < argc; i += 2)
        ok = parse_file(argv + i, i ? &loras[f.lora_count++] : &f.model);
    if (!ok)
        return error_set(err, ERR_USAGE, "this is for the program itself");
    give_up_harm(f.model.fd);
    return try_all(&f, err);
}
