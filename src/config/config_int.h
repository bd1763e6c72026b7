/* Private to config/config*.c. A conf_reader's context is the struct config being filled. */
#pragma once

#include "config/config.h"
#include "config/config_read.h"

enum status config_no_memory(struct error *err);
struct config_raw_gguf { /* keys of an expert; NULL: not given */
    const struct yaml_tree *url, *path, *slots, *threads, *gpu_layers, *loras, *chat_template;
};
/* After name and dialect: e->gguf, url and concurrency. `node` is the whole entry. */
NODISCARD enum status config_read_gguf(struct conf_reader *r, const struct yaml_tree *node,
                                       const struct config_raw_gguf *raw, struct expert *e,
                                       struct error *err);
conf_read_fn config_read_breaker; /* struct health_options */
conf_read_fn config_read_queue;   /* struct expert_limits */
conf_read_fn config_read_drop;    /* struct expert */
conf_read_fn config_read_rename;  /* struct expert */
bool config_member_is_plain(struct str name);
/* After drop and rename; node NULL: none. */
NODISCARD enum status config_read_parameters(struct conf_reader *r, const struct yaml_tree *node,
                                             struct expert *e, struct error *err);
conf_read_fn config_read_node;   /* const struct yaml_tree *: read later */
conf_read_fn config_read_traces; /* struct config_traces */
void config_wipe_traces(struct config_traces *t);
NODISCARD enum status config_read_text(struct conf_reader *r, const char *key,
                                       const struct yaml_tree *node, struct str *into,
                                       struct error *err);
/* A path as the file gives it, from anywhere. */
NODISCARD enum status config_join_path(struct conf_reader *r, struct str path, const char **ret,
                                       struct error *err);
conf_read_fn config_read_hosts;    /* struct config_texts */
conf_read_fn config_read_cors;     /* struct config_cors */
conf_read_fn config_read_tls;      /* struct config_tls */
conf_read_fn config_read_cache;    /* struct config_cache */
conf_read_fn config_read_sessions; /* struct config_sessions */
/* After state_dir; node NULL: a SQLite file in state_dir, if there is one. */
NODISCARD enum status config_read_ledger(struct conf_reader *r, const struct yaml_tree *node,
                                         struct error *err);
/* After state_dir; node NULL: nothing is kept. */
NODISCARD enum status config_read_keep(struct conf_reader *r, const struct yaml_tree *node,
                                       struct error *err);
/* Of the expert with this index, after all of them have been read; node NULL: none. */
NODISCARD enum status config_read_fallbacks(struct conf_reader *r, const struct yaml_tree *node,
                                            size_t expert, struct error *err);
NODISCARD enum status config_read_experts(struct conf_reader *r, const struct yaml_tree *node,
                                          struct error *err);
/* NULL: the catalogue does not know it. */
const struct catalogue_entry *config_find_known(const struct expert *e);
/* Limits and abilities of which the file says nothing. */
void config_take_known(struct expert *e, const struct catalogue_entry *known,
                       bool capabilities_given);
/* node NULL: none. After the experts, whose names they may not have. */
NODISCARD enum status config_read_embedders(struct conf_reader *r, const struct yaml_tree *node,
                                            struct error *err);
/* node NULL: none. */
NODISCARD enum status config_read_encoders(struct conf_reader *r, const struct yaml_tree *node,
                                           struct error *err);
/* Completes the last of the encoders, which is what `node` says, and sees that no other has its name. */
NODISCARD enum status config_finish_encoder(struct conf_reader *r, const struct yaml_tree *node,
                                            struct error *err);
/* node NULL: none. After experts and encoders, among which it stands last. */
NODISCARD enum status config_read_orchestrator(struct conf_reader *r, const struct yaml_tree *node,
                                               struct error *err);
void config_wipe_encoders(struct config *c);
/* node NULL: one policy called "default" that takes the best predicted expert. */
NODISCARD enum status config_read_policies(struct conf_reader *r, const struct yaml_tree *node,
                                           struct error *err);
/* node NULL: none. After experts, policies and the default one. */
NODISCARD enum status config_read_aliases(struct conf_reader *r, const struct yaml_tree *node,
                                          struct error *err);
NODISCARD enum status config_pick_default(struct conf_reader *r, const struct yaml_tree *node,
                                          struct error *err);
NODISCARD enum status config_pick_reference(struct conf_reader *r, const struct yaml_tree *node,
                                            struct error *err);
/* After the experts; into the place of its policy, from where config_wipe_verify wipes its key. */
NODISCARD enum status config_read_verify(struct conf_reader *r, const struct yaml_tree *node,
                                         struct verify_settings *ret, struct error *err);
void config_wipe_verify(struct config *c);
/* What a decision must know of checks, once prices are known. */
void config_bind_verify(struct config *c);
size_t config_policy_index(const struct config *c, struct str name);

NODISCARD enum status config_check_listen(const struct conf_reader *r, const struct yaml_tree *at,
                                          struct config *c, struct error *err);
/* Also trims trailing slashes. */
NODISCARD enum status config_check_url(const struct conf_reader *r, const struct yaml_tree *at,
                                       struct str *url, struct error *err);
/* That it is no whole endpoint, pasted: what is asked there goes behind the URL by itself. */
NODISCARD enum status config_check_base(const struct conf_reader *r, const struct yaml_tree *at,
                                        struct str url, struct error *err);
/* NULL: there is none. */
const char *config_url_mistake(struct str url);
NODISCARD enum status config_check_expert_name(const struct conf_reader *r,
                                               const struct yaml_tree *at, const struct config *c,
                                               struct str name, struct error *err);
NODISCARD enum status config_check_policy_name(const struct conf_reader *r,
                                               const struct yaml_tree *at, struct error *err);
