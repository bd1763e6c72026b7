/* A file of keys in a folder of its own, and a configuration that leads to it. */
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/temp.h"
#include "keys/client_keys.h"

static struct key_scene {
    struct temp t; /* t.path is the file */
    char spend_path[160], lock_path[160];
    struct config config;
    struct arena *arena;
    struct key_file file; /* as it will be saved; room for 16 rows */
} key_scene;

static inline void key_scene_begin(void)
{
    struct key_scene *s = &key_scene;
    log_set_level(LOG_OFF);
    temp_begin(&s->t, "keys.json");
    snprintf(s->spend_path, sizeof(s->spend_path), "%s/keys.spend", s->t.folder);
    snprintf(s->lock_path, sizeof(s->lock_path), "%s.lock", s->t.path);
    s->config = (struct config){.place = "leeroo.yaml",
                                .listen = STR("127.0.0.1:0"),
                                .state_dir = s->t.folder,
                                .keys_path = s->t.path,
                                .spend_path = s->spend_path};
    s->arena = arena_create(1 << 20);
    s->file = (struct key_file){.rows = ARENA_ARRAY(s->arena, 16, struct key_row)};
}

static inline void key_scene_end(void)
{
    unlink(key_scene.spend_path);
    unlink(key_scene.lock_path);
    arena_free(key_scene.arena);
    temp_end(&key_scene.t);
}

/* Without limits. */
static inline struct key_row *key_scene_add(const char *id, char secret[KEY_SECRET_BYTES])
{
    struct key_row *row = &key_scene.file.rows[key_scene.file.count++];
    *row = (struct key_row){
        .name = STR("n"),
        .created_ms = 1000,
        .limits = {.budget_nano_usd = {KEY_UNLIMITED, KEY_UNLIMITED, KEY_UNLIMITED},
                   .requests_per_minute = KEY_UNLIMITED,
                   .tokens_per_minute = KEY_UNLIMITED}};
    cr_assert_eq(key_secret_make(key_scene.arena, row, secret, NULL), OK);
    row->id = str_from(id);
    return row;
}

static inline void key_scene_save(void)
{
    struct error err = {0};
    cr_assert_eq(key_file_save(key_scene.t.path, &key_scene.file, &err), OK, "%s", err.text);
}

static inline struct keys *key_scene_open(void)
{
    struct keys *k = NULL;
    struct error err = {0};
    cr_assert_eq(keys_open(&key_scene.config, &k, &err), OK, "%s", err.text);
    return k;
}

/* Held; NULL: none. */
static inline struct client_key *key_scene_find(struct keys *k, const char *secret)
{
    struct client_key *key = NULL;
    enum status status = keys_find(k, str_from(secret), clock_wall_ms(), &key);
    cr_assert_eq(status, key ? OK : ERR_AUTH);
    return key;
}
