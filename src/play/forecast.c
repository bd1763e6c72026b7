/* What a run would cost: the rounds of play.c without anybody asked. Expected costs are those that the first round
 * would go by, whoever answers: what was learnt would change the later ones. The data set is made in a folder that goes
 * away, because it is the run's own. */
#include "play/play_int.h"

#include <stdlib.h>
#include <unistd.h>

/* One round: what it would buy is taken to be known from then on. */
static enum status forecast_round(struct run *run, const struct play_options *o, struct arena *a,
                                  int64_t budget_nano_usd, struct play_forecast_row *rows,
                                  int64_t *spent_nano_usd, struct error *err)
{
    const struct outcome taken = {.present = true, .known = true};
    struct play_beliefs beliefs;
    struct cells cells = {0};
    enum status status = play_believe(run, o, NULL, a, &beliefs, err);
    if (status == OK)
        status = play_choose(run, o, &beliefs, NULL, budget_nano_usd, a, &cells, err);
    for (size_t i = 0; i < cells.count && status == OK; i++) {
        const struct cell *c = &cells.cells[i];
        struct play_forecast_row *row = &rows[c->expert];
        int64_t expected = beliefs.cost_nano_usd[c->question * o->expert_count + c->expert];
        row->cells++;
        row->expected_nano_usd += expected;
        row->most_nano_usd += play_cell_most_nano_usd(run, o, c->question, c->expert);
        *spent_nano_usd += expected;
        status = run_set_outcome(run, c->question, c->expert, &taken, STR(""), err);
    }
    return status;
}

static enum status forecast(struct run *run, const struct play_options *o, struct arena *a,
                            struct play_forecast *ret, struct error *err)
{
    struct play_forecast f = {.rounds = o->settings->rounds, .experts = o->expert_count};
    struct play_forecast_row *rows =
        ARENA_ARRAY(a, f.rounds * f.experts + 1, struct play_forecast_row);
    int64_t spent = 0;
    if (!rows)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = OK;
    for (size_t r = 0; r < f.rounds && status == OK; r++) {
        status = play_pose_forecast(o->settings, run, r + 1, a, err);
        if (status == OK)
            status = forecast_round(run, o, a, play_round_budget(o->settings, r + 1, spent),
                                    rows + r * f.experts, &spent, err);
    }
    f.rows = rows;
    f.questions = run_dataset(run)->query_count;
    if (status == OK)
        *ret = f;
    return status;
}

enum status play_forecast(const struct play_options *o, struct arena *a, struct play_forecast *ret,
                          struct error *err)
{
    char folder[] = "/tmp/leeroo-forecast-XXXXXX";
    struct run *run = NULL;
    if (!mkdtemp(folder))
        return error_set(err, ERR_IO, "cannot make a temporary folder");
    enum status status = run_open(folder, o->experts, o->expert_count, &run, err);
    if (status == OK)
        status = forecast(run, o, a, ret, err);
    run_close(run);
    (void)rmdir(folder);
    return status;
}
