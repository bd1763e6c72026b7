/* Loading a GGUF file. llama.cpp reports what is wrong with a file only to its log: the first
 * complaint of the thread that loads is kept, as those after it only say that loading failed, and becomes the error
 * that the caller gets; nothing is printed. The library is initialised once, by whichever thread loads first. A model
 * never changes once it is loaded, so that any thread may read its vocabulary; loading reads a whole file and is not
 * for a thread that serves. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lm/lm_int.h"
#include "lm/lm_try.h"

#define COMPLAINT_BYTES 256
#define META_BYTES      128

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local char complaint[COMPLAINT_BYTES];

static void on_log(enum ggml_log_level level, const char *text, void *arg)
{
    (void)arg;
    if (level != GGML_LOG_LEVEL_ERROR || complaint[0])
        return;
    snprintf(complaint, sizeof(complaint), "%s", text);
    complaint[strcspn(complaint, "\r\n")] = '\0';
}

static void begin(void)
{
    llama_log_set(on_log, NULL);
    llama_backend_init();
}

void lm_complaint_clear(void)
{
    complaint[0] = '\0';
}

const char *lm_complaint(void)
{
    return complaint;
}

int32_t lm_threads(unsigned wanted)
{
    cpu_set_t set;
    int most = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return wanted > (unsigned)most ? most : wanted ? (int32_t)wanted : 1;
}

bool lm_is_built(void)
{
    return true;
}

const char *lm_version(void)
{
    return llama_version();
}

static char *metadata(const struct llama_model *m, const char *key)
{
    char text[META_BYTES];
    return llama_model_meta_val_str(m, key, text, sizeof(text)) < 0 ? strdup("") : strdup(text);
}

/* A value of the architecture's own keys, "bert.pooling_type"; "" where the file has none. */
static void own_value(const struct lm *lm, const char *name, char value[META_BYTES])
{
    char key[META_BYTES];
    snprintf(key, sizeof(key), "%s.%s", lm->architecture, name);
    if (llama_model_meta_val_str(lm->model, key, value, META_BYTES) < 0)
        value[0] = '\0';
}

static int32_t last_token(const struct llama_vocab *vocab)
{
    if (llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_WPM || llama_vocab_get_add_sep(vocab))
        return llama_vocab_sep(vocab);
    return llama_vocab_get_add_eos(vocab) ? llama_vocab_eos(vocab) : -1;
}

/* Whether tokens see those behind them, too: the file says so, or the architecture is one of those that always do. */
static bool is_bidirectional(const struct lm *lm)
{
    static const char *const always[] = {"bert", "gemma-embedding"};
    char causal[META_BYTES];
    own_value(lm, "attention.causal", causal);
    for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
        if (strstr(lm->architecture, always[i]))
            return true;
    return strcmp(causal, "false") == 0;
}

/* How texts go through it: an encoder's tokens see each other, a causal model's only those before; a model that comes
 * with a pooling was made for embeddings, even where it could write. Both halves of a translating model (T5) together
 * are neither. */
static void set_kind(struct lm *lm)
{
    char pooling[META_BYTES];
    own_value(lm, "pooling_type", pooling);
    bool translates = llama_model_has_encoder(lm->model) && llama_model_has_decoder(lm->model);
    bool diffuses = llama_model_is_diffusion(lm->model);
    lm->pools = pooling[0] && strcmp(pooling, "0") != 0 && strcmp(pooling, "4") != 0;
    lm->pools_last = strcmp(pooling, "3") == 0;
    lm->is_causal =
        llama_model_has_decoder(lm->model) && !translates && !diffuses && !is_bidirectional(lm);
    lm->info.writes = lm->is_causal && !lm->pools;
    lm->info.embeds = !lm->info.writes && !translates && !diffuses;
    lm->last_token = last_token(lm->vocab);
}

/* What the file says of itself, in one place, so that nobody else asks llama.cpp. */
static enum status describe(struct lm *lm, const char *path, struct error *err)
{
    const struct llama_model *m = lm->model;
    char text[META_BYTES];
    llama_model_desc(m, text, sizeof(text));
    lm->path = strdup(path);
    lm->architecture = metadata(m, "general.architecture");
    lm->description = strdup(text);
    if (!lm->path || !lm->architecture || !lm->description)
        return error_set(err, ERR_MEMORY, "out of memory");
    lm->vocab = llama_model_get_vocab(m);
    lm->hidden_width = (size_t)llama_model_n_embd(m);
    lm->info = (struct lm_info){
        .path = lm->path,
        .architecture = lm->architecture,
        .description = lm->description,
        .bytes = llama_model_size(m),
        .parameters = llama_model_n_params(m),
        .context = (size_t)llama_model_n_ctx_train(m),
        .width = (size_t)llama_model_n_embd_out(m),
        .layers = (size_t)llama_model_n_layer(m),
        .vocabulary = (size_t)llama_vocab_n_tokens(lm->vocab),
        .chat_template = llama_model_chat_template(m, NULL),
    };
    set_kind(lm);
    return OK;
}

/* What nothing here could work with, though llama.cpp reads it. */
static enum status check_usable(const struct lm *lm, bool vocabulary_only, struct error *err)
{
    const struct lm_info *info = &lm->info;
    if (llama_vocab_type(lm->vocab) == LLAMA_VOCAB_TYPE_NONE || !info->vocabulary)
        return error_set(err, ERR_UNSUPPORTED, "%s: a model without a vocabulary", info->path);
    if (!vocabulary_only && info->context < LM_CONTEXT_MIN)
        return error_set(err, ERR_CORRUPT, "%s: a context of %zu tokens; at least %d", info->path,
                         info->context, LM_CONTEXT_MIN);
    return OK;
}

static enum status load_loras(struct lm *lm, const struct lm_files *f, struct error *err)
{
    lm->loras = calloc(f->lora_count + 1, sizeof(struct llama_adapter_lora *));
    lm->lora_scales = calloc(f->lora_count + 1, sizeof(float));
    if (!lm->loras || !lm->lora_scales)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < f->lora_count; i++) {
        lm_complaint_clear();
        lm->loras[i] = llama_adapter_lora_init(lm->model, f->loras[i].fd_path);
        lm->lora_scales[i] = 1;
        if (!lm->loras[i])
            return error_set(err, ERR_CORRUPT, "%s: no adapter of this model: %s", f->loras[i].path,
                             lm_complaint());
        lm->lora_count++;
    }
    return OK;
}

static enum status refuse(const char *path, struct error *err)
{
    if (strstr(lm_complaint(), "unknown model architecture"))
        return error_set(err, ERR_UNSUPPORTED, "%s: llama.cpp %s does not know it: %s", path,
                         lm_version(), lm_complaint());
    return error_set(err, ERR_CORRUPT, "%s: cannot be read as GGUF: %s", path, lm_complaint());
}

enum status lm_load_untried(const struct lm_files *f, const struct lm_options *o, bool trial,
                            struct lm **ret, struct error *err)
{
    pthread_once(&once, begin);
    struct lm *lm = calloc(1, sizeof(*lm));
    if (!lm)
        return error_set(err, ERR_MEMORY, "out of memory");
    struct llama_model_params p = llama_model_default_params();
    p.vocab_only = o->vocabulary_only;
    p.n_gpu_layers = trial ? 0 : o->gpu_layers;
    p.use_extra_bufts = !trial;
    lm_complaint_clear();
    lm->model = llama_model_load_from_file(f->model.fd_path, p);
    enum status status = lm->model ? describe(lm, f->model.path, err) : refuse(f->model.path, err);
    memcpy(lm->info.fingerprint, f->fingerprint, sizeof(lm->info.fingerprint));
    if (status == OK)
        status = check_usable(lm, o->vocabulary_only, err);
    if (status == OK)
        status = load_loras(lm, f, err);
    if (status != OK) {
        lm_free(lm);
        return status;
    }
    *ret = lm;
    return OK;
}

enum status lm_load(const char *path, const struct lm_options *options, struct lm **ret,
                    struct error *err)
{
    static const struct lm_options none;
    const struct lm_options *o = options ? options : &none;
    struct lm_files files;
    enum status status = lm_files_open(path, o, &files, err);
    if (status != OK)
        return status;
    status = lm_try(&files, err);
    if (status == OK)
        status = lm_load_untried(&files, o, false, ret, err);
    lm_files_close(&files);
    return status;
}

void lm_free(struct lm *lm)
{
    if (!lm)
        return;
    if (lm->model)
        llama_model_free(lm->model);
    free(lm->loras);
    free(lm->lora_scales);
    free(lm->path);
    free(lm->architecture);
    free(lm->description);
    free(lm);
}

const struct lm_info *lm_info(const struct lm *lm)
{
    return &lm->info;
}
