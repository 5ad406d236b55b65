/* The chain of seals: what binds each experiment to all that were opened before it. */
#ifndef ORR_STORE_SEAL_H
#define ORR_STORE_SEAL_H

#include "store/sha256.h"
#include "store/sql.h"

/* The seal that experiment `id` has to have: the SHA-256 over
 *
 *   previous                               the seal of the experiment before it, also of a deleted one; "" for the first
 *   name size text version machine opened_at sealed_at
 *   n  { name seed settings } ...          its n runs, by id
 *   n  { law sha256 sealed_at } ...        its n predictions, by id
 *
 * where each item is written as `length in bytes`:`bytes`, -- decimal numbers, a colon before and a comma behind
 * (netstrings), so that no two experiments have the same bytes.  Read from the tables, within the caller's transaction
 * while it writes.  Fails: as orr_sql_run. */
orr_status orr_store_seal_of(orr_context *ctx, orr_sql *sql, int64_t id, const char *sealed_at,
                             char out[ORR_SHA256_SIZE]) ORR_MUST_USE;

#endif
