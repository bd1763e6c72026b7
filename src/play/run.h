/* The data set that a run makes, in memory and on the disk.
 *
 *     RUN_DIR/queries.jsonl experts.csv outcomes.csv responses/   a data set directory at any moment
 *     RUN_DIR/run.json                                            the settings (play/settings.h)
 *     RUN_DIR/calls.jsonl                                         what was asked, paid and answered (calls/calls.h)
 *     RUN_DIR/round-K/                                            the data set after round K, what came of the round
 *                                                                 and its model; there only when the round is over
 *
 * A round is over when its folder has its name (a rename). Whoever opens the run finds it as it was after the last
 * round; what was answered in a round that was killed is in calls.jsonl. One process at a time has a run open. Belongs
 * to one thread. */
#pragma once

#include "data/dataset.h"
#include "expert/expert.h"

#define RUN_ROUNDS_MAX  1000
#define RUN_QUERIES_MAX 1000000

struct run;

/* Opens the folder (made when missing, with those above it) for these experts, which a data set in it may lack, but not
 * exceed. ERR_OVERLOAD: another process has it open. ERR_INPUT: an expert of the run is not among the experts, or the
 * folder has a data set and is no run's: without run.json, which whoever opens a run writes first. */
NODISCARD enum status run_open(const char *path, const struct expert *experts, size_t expert_count,
                               struct run **ret, struct error *err);
void run_close(struct run *r); /* NULL is fine */

const char *run_path(const struct run *r);
/* Rounds that are over. */
size_t run_rounds(const struct run *r);
/* Gives `status` back, which reading the last round's folder has come to; of damage the error says the mend. */
enum status run_round_read(const struct run *r, enum status status, struct error *err);
/* What is known now, as DATASET_ALL; valid until a query is added. */
const struct dataset *run_dataset(const struct run *r);
size_t run_find_query(const struct run *r, struct str id); /* SIZE_MAX: none is called so */
/* The expert's answer; ptr NULL: none. */
struct str run_text(const struct run *r, size_t query, size_t expert);
/* [queries] the answers of one expert, as responses_write takes them. */
const struct str *run_texts(const struct run *r, size_t expert);

/* Copies it, gives it an id of its own where it has none or another one's, and says where it stands. A question that is
 * there already (by text_hash) is not added: *ret is the one there. */
NODISCARD enum status run_add_query(struct run *r, const struct query *q, size_t *ret,
                                    struct error *err);
/* The text stays with whoever owns it (struct calls), the outcome's strings are copied. */
NODISCARD enum status run_set_outcome(struct run *r, size_t query, size_t expert,
                                      const struct outcome *o, struct str text, struct error *err);
void run_set_text(struct run *r, size_t query, size_t expert, struct str text);
void run_set_certainty(struct run *r, size_t query, size_t expert,
                       const struct certainty *certainty);

/* Writes the run's own files, each whole: questions first, then experts, then outcomes, so that whoever reads them
 * amid it finds a data set. */
NODISCARD enum status run_save(const struct run *r, struct error *err);
/* Ends a round. run_round_begin makes the folder round-K.new and says its path (as long as the run); the caller puts
 * the model and round.json into it; run_round_commit adds the data set, saves the run's own files, and renames the
 * folder to round-K: then the round is over. */
NODISCARD enum status run_round_begin(struct run *r, const char **ret_folder, struct error *err);
NODISCARD enum status run_round_commit(struct run *r, struct error *err);
void run_round_abort(struct run *r); /* removes the folder that was begun; without one nothing */
