/* A run of two rounds on the disk, as `leeroo play` leaves it, with markup in every text. */
#pragma once

#include "data/scratch.h"

#define SCENE_QUERIES                                                                              \
    "{\"id\": \"a\", \"text\": \"One <b>\\n\\n  two?\", \"answer\": \"B\", \"domain\": \"x&y\"}\n" \
    "{\"id\": \"b\", \"text\": \"Three <script>?\", \"answer\": \"C\"}\n"                          \
    "{\"id\": \"g1-1\", \"text\": \"Made up?\", \"answer\": \"D\"}\n"                              \
    "{\"id\": \"v\", \"text\": \"Validates?\", \"answer\": \"E\"}\n"
#define SCENE_EXPERTS "model,usd_per_m_input,usd_per_m_output\nbig,10,30\nsmall,0.6,0.075\n"
#define SCENE_OUTCOMES                                                                             \
    "id,model,score,cost_usd,input_tokens,output_tokens,method,confidence\n"                       \
    "a,big,0,0.001,10,10,choice,\n"                                                                \
    "a,small,1,0.0001,10,10,choice,\n"                                                             \
    "b,big,1,0.001,10,10,choice,\n"                                                                \
    "b,small,0,0.0001,10,10,consensus,0.5\n"                                                       \
    "g1-1,small,,0.0001,10,10,,\n"                                                                 \
    "v,small,0,0.0001,10,10,choice,\n"
#define SCENE_CELLS "id,model,random,answered,quality,quality_sd,tie\n"
#define SCENE_CELLS_1                                                                              \
    SCENE_CELLS "v,small,1,1,0.9,0.3,0.0000\n"                                                     \
                "a,big,0,1,0.9,0.3,0.5\n"                                                          \
                "b,small,0,1,0.5,0.3,1\n"                                                          \
                "gone,small,0,0,0.5,0.3,1\n"
#define SCENE_CELLS_2                                                                              \
    SCENE_CELLS "a,small,0,1,0.8,0.1,1\n"                                                          \
                "b,big,0,1,,,1\n"                                                                  \
                "g1-1,small,0,0,0.5,0.3,1\n"
#define SCENE_ROUND_1                                                                              \
    "{\"round\": 1, \"rounds\": 2, \"questions_new\": 4, \"questions\": 4, \"cells\": 3, "         \
    "\"outcomes\": 3, \"spent_nano_usd\": 1200000, \"spent_all_nano_usd\": 1200000, "              \
    "\"booked_nano_usd\": 1200000, \"cap_nano_usd\": 10000000, \"validation\": 12, "               \
    "\"posed\": {\"requests\": 2, \"failed\": 0, \"generated\": 1, \"split\": 0, "                 \
    "\"dropped\": {\"duplicate\": 3, \"too long\": 1}}, \"area\": 0.5, \"area_error\": 0.05, "     \
    "\"area_prior\": 0.4, \"gain_mix\": -0.02, \"gain_last\": null, \"doubt\": 0.3, "              \
    "\"confidence\": 0.9, \"gain_in_force\": 0.01, \"publication\": \"first\", "                   \
    "\"cap_reached\": false, \"problem\": null, \"spending\": ["                                   \
    "{\"expert\": \"big\", \"purpose\": \"cell\", \"calls\": 1, \"cost_nano_usd\": 1000000},"      \
    "{\"expert\": \"small\", \"purpose\": \"cell\", \"calls\": 2, \"cost_nano_usd\": 200000}], "   \
    "\"experts\": [{\"name\": \"big\", \"outcomes\": 1, \"scored\": 1, "                           \
    "\"cost_nano_usd\": 1000000, \"mean_score\": 0, \"left_out\": false}]}"
#define SCENE_ROUND_2                                                                              \
    "{\"round\": 2, \"rounds\": 2, \"questions_new\": 0, \"questions\": 4, \"cells\": 3, "         \
    "\"outcomes\": 5, \"spent_nano_usd\": 1300000, \"spent_all_nano_usd\": 2500000, "              \
    "\"booked_nano_usd\": 3500000, \"cap_nano_usd\": 10000000, \"validation\": 20, "               \
    "\"compared\": 20, \"posed\": {\"dropped\": {\"duplicate\": 2}}, \"area\": 0.75, "             \
    "\"area_error\": 0.01, \"area_prior\": 0.45, \"gain_mix\": 0.125, \"gain_last\": 0.25, "       \
    "\"doubt\": 0.2, \"confidence\": 0.55, \"confidence_min\": 0.8, \"gain_in_force\": 0.001, "    \
    "\"publication\": \"kept\", \"cap_reached\": true, \"problem\": null, "                        \
    "\"evaluation\": {\"commands_refused\": 7, \"judges\": [{\"judge\": \"small\", "               \
    "\"trusted\": false, \"reason\": \"a canary <i>won</i>\", \"canaries\": 20, "                  \
    "\"canary_share\": 0.35, \"canary_shares\": {\"empty\": 0.75, \"praise\": null}, "             \
    "\"pairs\": 12, \"agreement\": 0.625, \"agreement_low\": 0.35, \"agreement_high\": 0.85, "     \
    "\"inconsistent\": 0.125, \"position_bias\": -0.25, \"length_bias\": 0.375, "                  \
    "\"family_pairs\": 0, \"family_favour\": 0, \"unreadable\": 0.05}], "                          \
    "\"judge_against_references\": [{\"expert\": \"small\", \"count\": 9, \"agreement\": 0.875, "  \
    "\"bias\": -0.0625}, {\"expert\": null, \"count\": 11, \"agreement\": 0.8, \"bias\": 0.1}], "  \
    "\"consensus_against_references\": []}, \"spending\": ["                                       \
    "{\"expert\": \"big\", \"purpose\": \"cell\", \"calls\": 1, \"cost_nano_usd\": 1000000},"      \
    "{\"expert\": \"small\", \"purpose\": \"judge\", \"calls\": 3, \"cost_nano_usd\": 300000}], "  \
    "\"experts\": [{\"name\": \"big\", \"outcomes\": 2, \"scored\": 2, "                           \
    "\"cost_nano_usd\": 2000000, \"mean_score\": 0.5, \"left_out\": false}, "                      \
    "{\"name\": \"small\", \"outcomes\": 4, \"scored\": 3, \"cost_nano_usd\": 400000, "            \
    "\"mean_score\": 0.3333, \"left_out\": true}]}"

static inline void scene_round(const struct scratch *s, size_t round, const char *figures,
                               const char *cells)
{
    char name[64];
    snprintf(name, sizeof(name), "%s/round-%zu", s->path, round);
    cr_assert_eq(mkdir(name, 0700), 0);
    snprintf(name, sizeof(name), "round-%zu/round.json", round);
    scratch_write(s, name, figures);
    snprintf(name, sizeof(name), "round-%zu/cells.csv", round);
    scratch_write(s, name, cells);
}

static inline struct scratch scene_make(void)
{
    struct scratch s = scratch_dataset(SCENE_QUERIES, SCENE_EXPERTS, SCENE_OUTCOMES);
    scene_round(&s, 1, SCENE_ROUND_1, SCENE_CELLS_1);
    scene_round(&s, 2, SCENE_ROUND_2, SCENE_CELLS_2);
    scratch_write(&s, "posed.jsonl",
                  "{\"round\":1,\"id\":\"g1-1\",\"source\":\"generator\"}\n"
                  "{\"round\":1,\"id\":\"g1-1\",\"source\":\"generator\"}\n");
    scratch_write(
        &s, "dropped.jsonl",
        "{\"round\":0,\"id\":\"d\",\"reason\":\"duplicate\",\"why\":\"like <a>\",\"text\":"
        "\"Twice?\"}\n"
        "{\"round\":0,\"id\":\"e\",\"reason\":\"duplicate\",\"text\":\"Thrice?\"}\n");
    return s;
}
