/* The coordinate check of the law mup-transfer, for the command that makes one of a user's own network. */
#ifndef ORR_LAW_HYPERPARAMETERS_MUP_TRANSFER_H
#define ORR_LAW_HYPERPARAMETERS_MUP_TRANSFER_H

#include "law/law.h"

extern const orr_law orr_law_mup_transfer;

/* Exponents in width of the changes of each layer and the output, of one of the prediction's groups: rows { layer, step, slope,
 * judged } (new); the slope is null where a run has no record. */
json_t *orr_mup_slopes(const json_t *measurement, const json_t *group);

#endif
